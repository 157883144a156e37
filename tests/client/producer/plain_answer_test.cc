#include "client/producer/plain_answer.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "common/bytes/writer.h"
#include "common/protocol/messages/produce.h"

namespace barnabas::client {
namespace {

using protocol::ProduceResponse;

ProduceResponse stored_in(const std::vector<std::string>& topics, std::int16_t version) {
  ProduceResponse response;
  std::int64_t offset = 1'000'000'000'000;
  for (const std::string& name : topics) {
    auto& topic = response.responses.emplace_back();
    if (version < 13) {
      topic.name = name;
    } else {
      topic.topic_id = Uuid::parse("AAAAAAAAAAAAAAAAAAAA" + name.substr(0, 1) + "A").value_or(Uuid());
    }
    for (std::int32_t i = 0; i < 3; ++i) {
      auto& partition = topic.partition_responses.emplace_back();
      partition.index = i;
      partition.base_offset = ++offset;
      partition.log_append_time_ms = i == 1 ? 77 : -1;
      if (version >= 5) partition.log_start_offset = 5;
    }
  }
  return response;
}

Bytes encoded(const ProduceResponse& response, std::int16_t version) {
  Writer out;
  const auto done = response.encode(out, version);
  EXPECT_TRUE(done) << done.error().message();
  return out.take();
}

class PlainAnswerTest : public ::testing::TestWithParam<std::int16_t> {};
INSTANTIATE_TEST_SUITE_P(EachVersion, PlainAnswerTest,
                         ::testing::Range<std::int16_t>(ProduceResponse::kMinVersion, ProduceResponse::kMaxVersion + 1),
                         ::testing::PrintToStringParamName());

TEST_P(PlainAnswerTest, says_what_decoding_says) {
  const std::int16_t version = GetParam();
  for (const auto& topics : {std::vector<std::string>{}, {"orders"}, {"B-one", "C-two", "D-three"}}) {
    const ProduceResponse response = stored_in(topics, version);
    const Bytes bytes = encoded(response, version);
    ASSERT_TRUE(PlainAnswer::is_plain(bytes, version));
    PlainAnswer answer(bytes, version);
    StoredBatch stored;
    for (const auto& topic : response.responses) {
      for (const auto& partition : topic.partition_responses) {
        ASSERT_TRUE(answer.next(stored));
        EXPECT_EQ(stored.topic, topic.name);
        EXPECT_EQ(stored.topic_id, topic.topic_id);
        EXPECT_EQ(stored.partition, partition.index);
        EXPECT_EQ(stored.base_offset, partition.base_offset);
        EXPECT_EQ(stored.log_append_time_ms, partition.log_append_time_ms);
      }
    }
    EXPECT_FALSE(answer.next(stored));
  }
}

TEST_P(PlainAnswerTest, leaves_all_that_says_more_to_decoding) {
  const std::int16_t version = GetParam();
  using Partition = ProduceResponse::PartitionProduceResponse;
  const std::vector<std::pair<std::int16_t, std::function<void(ProduceResponse&, Partition&)>>> changes = {
      {0, [](ProduceResponse&, Partition& p) { p.error_code = 6; }},
      {0, [](ProduceResponse& r, Partition&) { r.throttle_time_ms = 1; }},
      {0, [](ProduceResponse& r, Partition&) { r.responses[0].partition_responses.clear(); }},
      {8, [](ProduceResponse&, Partition& p) { p.error_message = ""; }},
      {8, [](ProduceResponse&, Partition& p) { p.record_errors.emplace_back(); }},
      {10, [](ProduceResponse&, Partition& p) { p.current_leader.leader_id = 1; }},
      {10, [](ProduceResponse& r, Partition&) { r.node_endpoints.emplace_back(); }},
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    if (version < changes[i].first) continue;
    for (const std::size_t of_topic : {0, 1}) {
      ProduceResponse response = stored_in({"A", "B"}, version);
      changes[i].second(response, response.responses[of_topic].partition_responses[2 * of_topic]);
      EXPECT_FALSE(PlainAnswer::is_plain(encoded(response, version), version)) << "change " << i;
    }
  }
}

TEST_P(PlainAnswerTest, takes_no_answer_that_is_cut_short_or_goes_on) {
  const std::int16_t version = GetParam();
  Bytes bytes = encoded(stored_in({"A", "B"}, version), version);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(PlainAnswer::is_plain(BytesView(bytes).first(size), version)) << size;
  }
  bytes.push_back(std::byte{0});
  EXPECT_FALSE(PlainAnswer::is_plain(bytes, version));
}

TEST(PlainAnswer, is_of_a_version_that_is_known) {
  const Bytes bytes = encoded(stored_in({"A"}, ProduceResponse::kMaxVersion), ProduceResponse::kMaxVersion);
  EXPECT_FALSE(PlainAnswer::is_plain(bytes, ProduceResponse::kMaxVersion + 1));
  EXPECT_FALSE(PlainAnswer::is_plain(bytes, ProduceResponse::kMinVersion - 1));
}

}  // namespace
}  // namespace barnabas::client
