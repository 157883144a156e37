/// Each row is said to Apache Kafka 4.3 and to our broker, and both must do the same: answer alike after masking
/// (masks.cc), or close the connection. What differs stands in known_differences.cc with its reason. tests/interop
/// starts Apache Kafka and gives its port; without it the test is skipped.
#include <barnabas/embedded_broker.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <set>

#include "tests/differential/conversation.h"
#include "tests/differential/known_differences.h"
#include "tests/differential/row.h"

namespace barnabas::differential {
namespace {

const Rows& table() {
  static const Rows rows = [] {
    Rows all;
    add_malformed_rows(all);
    add_cluster_rows(all);
    add_metadata_rows(all);
    add_topic_rows(all);
    add_config_rows(all);
    add_produce_rows(all);
    add_idempotence_rows(all);
    add_fetch_rows(all);
    add_fetch_session_rows(all);
    add_offset_rows(all);
    add_group_rows(all);
    return all;
  }();
  return rows;
}

/// Both brokers, and which known differences have been seen: for all rows of a run.
struct Stage {
  Stage()
      : broker({.config = {{"node.id", "1"},
                           {"offsets.topic.replication.factor", "1"},
                           {"transaction.state.log.replication.factor", "1"},
                           {"transaction.state.log.min.isr", "1"},
                           {"group.initial.rebalance.delay.ms", "0"},
                           {"log.roll.hours", "200"}}}),
        kafka("Apache Kafka", static_cast<std::uint16_t>(std::atoi(std::getenv("BARNABAS_DIFFERENTIAL_KAFKA_PORT")))),
        ours("our broker", broker.port()) {
    kafka.warm_up();
    ours.warm_up();
  }

  EmbeddedBroker broker;
  Peer kafka;
  Peer ours;
  std::set<const KnownDifference*> seen;
  std::size_t rows_run = 0;
};

Stage& stage() {
  static Stage both;
  return both;
}

bool has_kafka() {
  return std::getenv("BARNABAS_DIFFERENTIAL_KAFKA_PORT") != nullptr;
}

/// Notes it where it is known.
bool is_known(const std::string& row, const Difference& difference) {
  bool known = false;
  for (const KnownDifference& one : known_differences()) {
    if (!matches(one.rows, row) || !matches(one.path, difference.path)) continue;
    if (!matches(one.kafka, difference.kafka) || !matches(one.ours, difference.ours)) continue;
    stage().seen.insert(&one);
    known = true;
  }
  return known;
}

class Differential : public ::testing::TestWithParam<const Row*> {};

TEST_P(Differential, both_do_the_same) {
  if (!has_kafka()) GTEST_SKIP() << "no Apache Kafka: run it by tests/interop/interop.py";
  const Row& row = *GetParam();
  ++stage().rows_run;
  const Conversation kafka = converse(row, stage().kafka);
  const Conversation ours = converse(row, stage().ours);
  for (const Difference& one : differences(kafka.outcomes, ours.outcomes)) {
    if (is_known(row.name, one)) continue;
    ADD_FAILURE() << row.name << " " << one.path << "\n  Apache Kafka: " << one.kafka
                  << "\n  ours:         " << one.ours;
  }
}

std::vector<const Row*> rows() {
  std::vector<const Row*> pointers;
  for (const Row& row : table().all()) pointers.push_back(&row);
  return pointers;
}

INSTANTIATE_TEST_SUITE_P(Row, Differential, ::testing::ValuesIn(rows()),
                         [](const auto& row) { return row.param->name; });

TEST(DifferentialTable, has_at_least_300_rows) {
  EXPECT_GE(table().all().size(), 300U);
}

/// After all rows: the list of known differences has to be true too.
class ListIsTrue : public ::testing::Environment {
 public:
  void TearDown() override {
    if (!has_kafka() || stage().rows_run < table().all().size()) return;
    for (const KnownDifference& one : known_differences()) {
      EXPECT_TRUE(stage().seen.count(&one)) << "gone, take it off the list: " << one.rows << " " << one.path;
    }
  }
};

[[maybe_unused]] const ::testing::Environment* const kListIsTrue =
    ::testing::AddGlobalTestEnvironment(new ListIsTrue);  // NOLINT: gtest deletes it

}  // namespace
}  // namespace barnabas::differential
