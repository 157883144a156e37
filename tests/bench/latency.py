"""End-to-end latency at a steady rate: from when a record was due to be sent until the application has read it."""
import dataclasses
import json
import re
import statistics
import sys

import contestants
import measure

RATES = (1_000, 50_000, 500_000)
SECONDS = 4  # of which the first is not counted
SHARES = ("p50", "p99", "p999")
ONE_AT_A_TIME = 3_000


@dataclasses.dataclass
class LatencyRow:
    broker: str
    who: str
    rate: int      # 0: one at a time
    held: int      # runs that kept up
    runs: int
    p50: float     # milliseconds, medians of the runs that kept up
    p99: float
    p999: float

    @property
    def fell_behind(self):
        return self.held * 2 <= self.runs


def kept_up(result, rate, seconds):
    """Whether all was read within a twentieth of the time after the last record was due."""
    return result["records"] == rate * seconds and result["seconds"] <= seconds * 1.05


def row_of(broker, who, rate, results, seconds):
    held = [result for result in results if rate == 0 or kept_up(result, rate, seconds)]
    shares = {share: statistics.median(result["latency_ms"][share] for result in held or results) for share in SHARES}
    row = LatencyRow(broker, who, rate, len(held), len(results), **shares)
    print(f"{broker:<9}latency  {rate:>7}/s {who:<20} p50 {row.p50:8.2f}  p99 {row.p99:8.2f}  p99.9 {row.p999:8.2f} ms"
          f"{'  fell behind' if row.fell_behind else ''}", file=sys.stderr)
    return row


def measure_all(subjects, everyone, repeat, seconds=SECONDS):
    """Every run has a topic of its own; runs take turns over clients and brokers. Each warms up in its first second."""
    for rate in RATES:
        results = {}
        for turn in range(repeat):
            for who in everyone:
                for subject in subjects if who.latency else ():
                    topic = f"latency-{rate}-{turn}-{who.name}"
                    subject.create(topic, contestants.PARTITIONS)
                    command = who.latency(subject.bootstrap, topic, rate, seconds)
                    text = measure.run_and_read(command, subject.pid)[1]
                    results.setdefault((subject.kind, who.name), []).append(json.loads(text.splitlines()[-1]))
                    subject.delete(topic)
        for (kind, who), runs in sorted(results.items()):
            yield row_of(kind, who, rate, runs, seconds)
    yield from one_at_a_time(subjects, everyone)


def one_at_a_time(subjects, everyone):
    """Java's own tool knows no rate: it sends a record, waits for it, and sends the next. It reads in a group, as Java's others."""
    for who in everyone:
        for subject in subjects:
            if not hasattr(who, "one_at_a_time") or subject.kind == "barnabas":
                continue
            subject.create("one-at-a-time", 1)
            text = measure.run_and_read(who.one_at_a_time(subject.bootstrap, "one-at-a-time", ONE_AT_A_TIME), subject.pid)[1]
            subject.delete("one-at-a-time")
            found = re.search(r"50th = (\d+), 99th = (\d+), 99.9th = (\d+)", text)
            if found:
                shares = dict(zip(SHARES, map(float, found.groups())))
                yield row_of(subject.kind, who.name, 0, [{"latency_ms": shares}], 0)
