"""What the report computes: medians, ratios, which goals are met, and where the summary goes."""
import types
import unittest

import contestants  # noqa: F401  (it makes the interop suite's modules findable)
import goals
import group_costs
import latency
import measure
import report
import scaling
import throughput


def row(broker, what, who, client, broker_cpu, work="1,000 x 100 B, none, acks=1", codec="none"):
    return throughput.Row(broker, what, who, work, 100, 1000, codec, measure.Cost(client, broker_cpu, 1.0, 10.0))


def latency_row(broker, who, p99, held=5, rate=1000):
    return latency.LatencyRow(broker, who, rate, held, 5, p99 / 2, p99, p99 * 2)


def figures(**parts):
    return report.Figures(**{"rows": [], "latency": [], "scaling": [], "start": {}, "warm_up": [], "groups": [], **parts})


def met(found):
    return {goal.name: goal.met for goal in goals.all_goals(found)}


class Arithmetic(unittest.TestCase):
    def test_each_figure_has_its_own_median(self):
        costs = [measure.Cost(1, 9, 5, 7), measure.Cost(2, 1, 6, 8), measure.Cost(3, 5, 4, 9)]
        self.assertEqual(measure.median(costs), measure.Cost(2, 5, 5, 8))

    def test_the_cheaper_program_of_librdkafka_counts(self):
        rows = [row("barnabas", "produce", "barnabas", 1, 0.1), row("barnabas", "produce", "librdkafka", 5, 0.1),
                row("barnabas", "produce", "rdkafka_performance", 4, 0.1)]
        self.assertEqual(goals.ratios_to_peer(rows, "produce", "none"), [0.25])
        self.assertEqual(met(figures(rows=rows)), {"producer's CPU per record, of librdkafka's, uncompressed": True})

    def test_the_worst_row_decides(self):
        rows = [row("barnabas", "consume", "barnabas", 1, 0.1), row("barnabas", "consume", "librdkafka", 8, 0.1),
                row("kafka", "consume", "barnabas", 1, 0.1), row("kafka", "consume", "librdkafka", 3.9, 0.1)]
        self.assertFalse(met(figures(rows=rows))["consumer's CPU per record, of librdkafka's, uncompressed"])

    def test_brokers_are_compared_under_our_client(self):
        rows = [row("barnabas", "produce", "barnabas", 1, 0.1), row("kafka", "produce", "barnabas", 1, 0.7),
                row("barnabas", "produce", "librdkafka", 1, 9.0), row("kafka", "produce", "librdkafka", 1, 1.0)]
        self.assertEqual(goals.broker_ratios(rows, "produce"), [("1,000 x 100 B, none, acks=1", 0.1, 0.7)])
        self.assertTrue(met(figures(rows=rows))["broker's CPU on produce, of Apache Kafka's"])

    def test_fetch_is_compared_with_sendfile(self):
        rows = [row("barnabas", "consume", "barnabas", 1, 0.16), row("barnabas", "consume", "bare sendfile", 0, 0.1)]
        self.assertFalse(met(figures(rows=rows))["broker's CPU on fetch, of a bare sendfile's"])

    def test_a_broker_that_falls_behind_has_no_latency(self):
        name = "p99 latency at 1,000/s, to our client on Apache Kafka"
        ours, slower = latency_row("barnabas", "barnabas", 2.0), latency_row("kafka", "barnabas", 3.0)
        self.assertTrue(met(figures(latency=[ours, slower]))[name])
        self.assertFalse(met(figures(latency=[latency_row("barnabas", "barnabas", 2.0, held=2), slower]))[name])
        self.assertTrue(met(figures(latency=[ours, latency_row("kafka", "barnabas", 1.0, held=2)]))[name])
        self.assertIn("fell behind", "\n".join(report.latency_table([latency_row("kafka", "barnabas", 1.0, held=2)])))

    def test_a_run_that_ends_late_has_not_kept_up(self):
        result = {"records": 4000, "seconds": 4.1}
        self.assertTrue(latency.kept_up(result, 1000, 4))
        self.assertFalse(latency.kept_up({**result, "seconds": 4.3}, 1000, 4))
        self.assertFalse(latency.kept_up({**result, "records": 3999}, 1000, 4))

    def test_the_start_is_taken_off_the_cost_of_a_record(self):
        base, full = [measure.Cost(1.0, 2.0, 0, 0)] * 3, [measure.Cost(1.5, 2.1, 0, 0)] * 3
        found = scaling.row_of("partitions", 10, "produce", "barnabas", 1_000_000, base, full)
        self.assertAlmostEqual(found.client, 500)
        self.assertAlmostEqual(found.broker, 100)

    def test_cheaper_is_no_failure_of_flatness_and_a_fifth_dearer_is(self):
        def rows(last):
            return [scaling.ScaleRow("partitions", size, "produce", "barnabas", 1000, 0, 0, client, 10)
                    for size, client in ((1, 100), (10, 60), (100, last))]

        name = "client's CPU per record over 1 to 100 partitions, produce"
        self.assertTrue(met(figures(scaling=rows(119)))[name])
        self.assertFalse(met(figures(scaling=rows(121)))[name])

    def test_groups_have_goals_of_their_own(self):
        rows = [group_costs.GroupRow("heartbeats", "barnabas", "many", 30_000, 30.0, 1.6), group_costs.GroupRow("heartbeats", "kafka", "many", 30_000, 30.0, 3.0),
                group_costs.GroupRow("join", "barnabas", "200 members, without the initial delay of 1 s", 200, 0.9, 0.1),
                group_costs.GroupRow("join", "barnabas", "200 members, no initial delay", 200, 3.3, 0.1),
                group_costs.GroupRow("commits", "barnabas", "one", 1000, 1.0, 0.1), group_costs.GroupRow("commits", "kafka", "one", 1000, 1.0, 0.6),
                group_costs.GroupRow("commits", "barnabas", "ten", 1000, 1.0, 0.3), group_costs.GroupRow("commits", "kafka", "ten", 1000, 1.0, 0.6)]
        found = goals.all_goals(figures(groups=rows))
        self.assertEqual([goal.met for goal in found], [False, True, True, False])
        self.assertEqual([goal.reached for goal in found[2:]], ["0.17", "0.50"])

    def test_a_partition_has_a_batch_of_records_at_every_size(self):
        self.assertEqual(scaling.points("partitions", 0.01), ([1, 10, 100, 1000], 100_000))
        self.assertEqual(scaling.points("clients", 0.1), ([1, 10, 100, 1000], 2_000_000))
        few = scaling.scaled("clients", "produce", 100, 1_000_000)
        self.assertEqual((few.partitions, few.clients, scaling.start_of(few).count), (10, 100, 10_000))
        self.assertEqual([scaling.scaled("clients", "consume", size, 1).count for size in (1, 10, 100)],
                         [200_000, 200_000, 2_000_000])


class Page(unittest.TestCase):
    def test_the_summary_replaces_what_is_between_its_marks(self):
        readme = f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n"
        self.assertEqual(report.with_summary(readme, "new"), f"before\n{report.BEGIN}\nnew\n{report.END}\nafter\n")

    def test_the_readme_has_the_marks(self):
        with open(f"{report.ROOT}/README.md", encoding="utf-8") as file:
            self.assertIn(report.END, file.read().split(report.BEGIN)[1])

    def test_a_goal_that_is_not_reached_says_so(self):
        table = "\n".join(report.summary_table(figures(start={"ready_ms": 11.0, "idle_mb": 9.0})))
        self.assertIn("| broker ready after exec | < 10 ms | 11.0 ms | **no** |", table)
        self.assertIn("| idle broker's memory | < 12 MB | 9.0 MB | yes |", table)

    def test_every_section_has_its_table(self):
        found = figures(rows=[row("barnabas", "produce", "barnabas", 1, 0.1), row("kafka", "produce", "barnabas", 1, 0.7)],
                        latency=[latency_row("barnabas", "barnabas", 2.0)],
                        groups=[group_costs.GroupRow("commits", "barnabas", "ten", 1000, 2.0, 0.1, 3.0)],
                        scaling=[scaling.ScaleRow("clients", 1, "consume", "barnabas", 1000, 0, 0, 50, 10)])
        text = report.text(found)
        for wanted in ("| 1,000 x 100 B, none, acks=1 | 0.100 | 0.700 | 0.14 |", "| 1,000 | barnabas | barnabas | 1.00 | 2.00 |",
                       "### consume over clients", "## Clients",
                       "| ten | barnabas | 1,000 | 2.000 | 500 | 0.100 | 5.0% | 100.0 | 3.0 |"):
            self.assertIn(wanted, text)

    def test_settings_are_told_for_every_client(self):
        everyone = [contestants.Barnabas("bin"), contestants.Librdkafka(), contestants.RdkafkaPerformance(), contestants.Java()]
        self.assertEqual(len(list(report.settings_of(everyone))), 4)
        self.assertTrue(report.method(figures(warm_up=[2.0, 1.0]), types.SimpleNamespace(repeat=5, scale=0.1)))


if __name__ == "__main__":
    unittest.main()
