#include "broker/metadata/metadata_records.h"

#include <gtest/gtest.h>

#include "common/protocol/messages/partition_change_record.h"
#include "common/protocol/messages/partition_record.h"
#include "common/protocol/messages/topic_record.h"
#include "tests/support/golden.h"

namespace barnabas::metadata {
namespace {

template <typename Record>
void expect_same_bytes(const RecordFrame& frame, const Bytes& framed) {
  const auto record = decode_record<Record>(frame);
  ASSERT_TRUE(record) << record.error().message();
  EXPECT_EQ(frame_record(*record, frame.version), framed);
}

TEST(MetadataRecords, frames_are_those_of_kafka) {
  std::size_t seen = 0;
  for (const auto& line : testing::golden_lines("messages-other.jsonl")) {
    if (line["type"] != "metadata" || !line.contains("framedBase64")) continue;
    ++seen;
    const Bytes framed = testing::from_base64(line["framedBase64"].get<std::string>());
    const auto frame = read_record_frame(framed);
    ASSERT_TRUE(frame) << line["message"];
    EXPECT_EQ(frame->type, line["apiKey"].get<int>());
    EXPECT_EQ(frame->version, line["version"].get<int>());
    if (line["message"] == "TopicRecord") expect_same_bytes<protocol::TopicRecord>(*frame, framed);
    if (line["message"] == "PartitionRecord") expect_same_bytes<protocol::PartitionRecord>(*frame, framed);
    if (line["message"] == "PartitionChangeRecord") expect_same_bytes<protocol::PartitionChangeRecord>(*frame, framed);
  }
  EXPECT_GT(seen, 50u);
}

TEST(MetadataRecords, refuse_a_frame_that_is_cut_short_or_of_another_version) {
  EXPECT_FALSE(read_record_frame({}));
  EXPECT_FALSE(read_record_frame(Bytes{std::byte{1}, std::byte{2}}));
  const auto newer = read_record_frame(Bytes{std::byte{2}, std::byte{2}, std::byte{0}});
  ASSERT_FALSE(newer);
  EXPECT_EQ(newer.error().code, Errc::unsupported_version);
}

TEST(MetadataRecords, refuse_a_body_that_is_cut_short_or_too_long) {
  protocol::TopicRecord record;
  record.name = "orders";
  Bytes framed = frame_record(record, record_version::kOthers);
  framed.push_back(std::byte{0});
  EXPECT_FALSE(decode_record<protocol::TopicRecord>(*read_record_frame(framed)));
  framed.resize(framed.size() - 4);
  EXPECT_FALSE(decode_record<protocol::TopicRecord>(*read_record_frame(framed)));
}

}  // namespace
}  // namespace barnabas::metadata
