#include "broker/group/group_records.h"

#include <gtest/gtest.h>

namespace barnabas::group {
namespace {

TEST(GroupRecords, read_back_what_was_written) {
  protocol::OffsetCommitValue value;
  value.offset = 42;
  value.leader_epoch = 3;
  value.metadata = "why";
  value.commit_timestamp = 7;
  RecordEncoder encoder;
  encoder.encode(OffsetRecord{"g", "t", 5, value});
  const auto parsed = parse_record(encoder.key(), encoder.value());
  ASSERT_TRUE(parsed);
  const auto& offset = std::get<OffsetRecord>(*parsed);
  EXPECT_EQ(offset.group, "g");
  EXPECT_EQ(offset.topic, "t");
  EXPECT_EQ(offset.partition, 5);
  EXPECT_EQ(offset.value, value);
  encoder.encode(ClassicGroupRecord{"g", {}});
  EXPECT_FALSE(encoder.value());
  const auto tombstone = parse_record(encoder.key(), encoder.value());
  ASSERT_TRUE(tombstone);
  EXPECT_FALSE(std::get<ClassicGroupRecord>(*tombstone).value);
}

TEST(GroupRecords, have_the_versions_that_kafka_writes) {
  RecordEncoder encoder;
  const auto second = [](std::optional<BytesView> bytes) { return std::to_integer<int>(bytes.value()[1]); };
  protocol::OffsetCommitValue value;
  encoder.encode(OffsetRecord{"g", "t", 0, value});
  EXPECT_EQ(second(encoder.key()), 1);
  EXPECT_EQ(second(encoder.value()), 3);
  value.expire_timestamp = 1;
  encoder.encode(OffsetRecord{"g", "t", 0, value});
  EXPECT_EQ(second(encoder.value()), 1);
  encoder.encode(ClassicGroupRecord{"g", protocol::GroupMetadataValue{}});
  EXPECT_EQ(second(encoder.key()), 2);
  EXPECT_EQ(second(encoder.value()), 3);
}

TEST(GroupRecords, tell_other_kinds_apart_and_refuse_what_does_not_read) {
  Bytes key{std::byte{0}, std::byte{3}, std::byte{0}, std::byte{1}, std::byte{'g'}};
  const auto foreign = parse_record(key, std::nullopt);
  ASSERT_TRUE(foreign);
  EXPECT_EQ(std::get<ForeignRecord>(*foreign).kind, 3);
  EXPECT_EQ(std::get<ForeignRecord>(*foreign).group, "g");
  EXPECT_TRUE(std::get<ForeignRecord>(*foreign).is_tombstone);
  key[1] = std::byte{1};
  EXPECT_FALSE(parse_record(key, std::nullopt));
  EXPECT_FALSE(parse_record(Bytes{std::byte{0}}, std::nullopt));
  RecordEncoder encoder;
  encoder.encode(ClassicGroupRecord{"g", {}});
  EXPECT_FALSE(parse_record(encoder.key(), Bytes{std::byte{0}, std::byte{99}}));
}

}  // namespace
}  // namespace barnabas::group
