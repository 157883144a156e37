#include "broker/metadata/metadata_batches.h"

#include <gtest/gtest.h>

#include "common/runtime/env.h"
#include "tests/broker/metadata/kafka_directory.h"

namespace barnabas::metadata {
namespace {

Bytes file(const std::string& path) {
  return runtime::system_env().files().read(path).value();
}

Bytes first_bytes(const Bytes& all, std::size_t count) {
  return {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count)};
}

const Uuid kDirectory = Uuid::parse("8EsDN7f0QTy6lhYEMaW_hA").value();
const Endpoint kController{"CONTROLLER", "127.0.0.1", 39093, 0};

TEST(MetadataBatches, the_first_batch_of_a_fresh_log_is_the_one_that_kafka_writes) {
  const KafkaDirectory kafka("clean");
  const std::vector<ControlValue> values = {leader_change_value(1), kraft_version_value(),
                                            kraft_voters_value(1, kDirectory, kController)};
  const auto ours = control_records_batch(values, 0, 1, 1795236951406);
  ASSERT_TRUE(ours);
  EXPECT_EQ(*ours, first_bytes(file(kafka.log_path() + "/00000000000000000000.log"), ours->size()));
}

TEST(MetadataBatches, the_first_snapshot_is_the_one_that_kafka_writes) {
  const KafkaDirectory kafka("clean");
  const std::vector<ControlValue> values = {kraft_version_value(), kraft_voters_value(1, kDirectory, kController)};
  const auto ours = snapshot_file({}, values, 0, 1795236950189, 1795236950195);
  ASSERT_TRUE(ours);
  const Bytes theirs = file(kafka.log_path() + "/00000000000000000000-0000000000.checkpoint");
  ASSERT_EQ(ours->size(), theirs.size());
  EXPECT_EQ(first_bytes(*ours, 166), first_bytes(theirs, 166));  // Kafka closed the second batch 6 ms later
}

TEST(MetadataBatches, a_batch_of_records_is_the_one_that_kafka_writes) {
  const KafkaDirectory kafka("clean");
  const Bytes log = file(kafka.log_path() + "/00000000000000000000.log");
  std::vector<Bytes> records;
  ASSERT_TRUE(visit_batches(log, [&](const VisitedRecord& record) -> Result<void> {
    if (record.offset >= 3 && record.offset <= 11) records.emplace_back(record.value.begin(), record.value.end());
    return {};
  }));
  const auto ours = metadata_batch(records, 3, 1, 1795236951489);
  ASSERT_TRUE(ours);
  EXPECT_EQ(*ours, Bytes(log.begin() + 174, log.begin() + 174 + 330));
}

TEST(MetadataBatches, say_where_whole_batches_end_and_refuse_a_wrong_checksum) {
  const KafkaDirectory kafka("clean");
  Bytes log = first_bytes(file(kafka.log_path() + "/00000000000000000000.log"), 180);
  const auto ignore = [](const VisitedRecord&) -> Result<void> { return {}; };
  EXPECT_EQ(visit_batches(log, ignore).value(), 174u);
  log[100] ^= std::byte{1};
  EXPECT_FALSE(visit_batches(log, ignore));
}

TEST(SnapshotId, is_the_name_of_the_file) {
  const SnapshotId id{125, 1};
  EXPECT_EQ(id.file_name(), "00000000000000000125-0000000001.checkpoint");
  EXPECT_EQ(SnapshotId::parse(id.file_name()), id);
  for (const char* other : {"00000000000000000125.log", "00000000000000000125-0000000001.checkpoint.tmp",
                            "bootstrap.checkpoint", "0000000000000000012x-0000000001.checkpoint"}) {
    EXPECT_FALSE(SnapshotId::parse(other)) << other;
  }
}

}  // namespace
}  // namespace barnabas::metadata
