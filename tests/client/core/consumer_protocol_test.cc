#include "client/core/consumer_protocol.h"

#include <gtest/gtest.h>

#include <string>

#include "common/bytes/writer.h"
#include "tests/support/golden.h"

namespace barnabas::client {
namespace {

using testing::from_base64;
using testing::golden_lines;
using testing::to_base64;

Bytes bytes_of(std::string_view text) {
  const BytesView view = as_bytes(text);
  return {view.begin(), view.end()};
}

MemberSubscription full_subscription() {
  MemberSubscription subscription;
  subscription.topics = {"b", "a"};
  subscription.user_data = bytes_of("mine");
  subscription.owned_partitions = {{"b", 1}, {"a", 2}, {"b", 0}};
  subscription.generation_id = 7;
  subscription.rack_id = "r1";
  return subscription;
}

TEST(ConsumerProtocol, writes_the_subscriptions_that_kafka_writes_and_reads_them_back) {
  int seen = 0;
  for (const auto& line : golden_lines("assignors.jsonl")) {
    for (const auto& member : line["members"]) {
      const Bytes golden = from_base64(member["subscriptionBase64"].get<std::string>());
      const auto read = decode_subscription(golden);
      ASSERT_TRUE(read) << read.error().message();
      EXPECT_EQ(read->generation_id.value_or(-1), member["generationId"].get<int>());
      EXPECT_EQ(read->owned_partitions.size(), member["ownedPartitions"].size());
      const auto written = encode_subscription(*read);
      ASSERT_TRUE(written);
      EXPECT_EQ(*written, golden) << line["case"];
      ++seen;
    }
  }
  EXPECT_GT(seen, 400);
}

TEST(ConsumerProtocol, each_version_keeps_what_it_knows_and_drops_the_rest) {
  const MemberSubscription whole = full_subscription();
  for (std::int16_t version = 0; version <= 3; ++version) {
    const auto bytes = encode_subscription(whole, version);
    ASSERT_TRUE(bytes);
    const auto read = decode_subscription(*bytes);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->topics, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(read->user_data, whole.user_data);
    EXPECT_EQ(read->owned_partitions.size(), version >= 1 ? 3U : 0U);
    EXPECT_EQ(read->generation_id, version >= 2 ? std::optional<std::int32_t>(7) : std::nullopt);
    EXPECT_EQ(read->rack_id, version >= 3 ? std::optional<std::string>("r1") : std::nullopt);
  }
}

TEST(ConsumerProtocol, an_assignment_keeps_the_order_of_its_topics_and_partitions) {
  const MemberAssignment assignment{{{"z", 3}, {"a", 0}, {"z", 1}}, bytes_of("note")};
  for (std::int16_t version = 0; version <= 3; ++version) {
    const auto bytes = encode_assignment(assignment, version);
    ASSERT_TRUE(bytes);
    const auto read = decode_assignment(*bytes);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->partitions, (std::vector<TopicPartition>{{"z", 3}, {"z", 1}, {"a", 0}}));
    EXPECT_EQ(read->user_data, assignment.user_data);
  }
}

TEST(ConsumerProtocol, reads_a_version_above_ours_as_our_highest) {
  auto subscription = encode_subscription(full_subscription()).value();
  subscription[0] = std::byte{0x7f};
  const Bytes appended = bytes_of("what a later version added");
  subscription.insert(subscription.end(), appended.begin(), appended.end());
  const auto read = decode_subscription(subscription);
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->rack_id, "r1");

  auto assignment = encode_assignment({{{"t", 1}}, std::nullopt}).value();
  assignment[1] = std::byte{9};
  EXPECT_EQ(decode_assignment(assignment)->partitions, (std::vector<TopicPartition>{{"t", 1}}));
}

TEST(ConsumerProtocol, an_empty_rack_is_none_and_a_negative_generation_too) {
  MemberSubscription subscription;
  subscription.rack_id = "";
  subscription.generation_id = -1;
  const auto read = decode_subscription(encode_subscription(subscription).value());
  EXPECT_FALSE(read->rack_id);
  EXPECT_FALSE(read->generation_id);
}

TEST(ConsumerProtocol, bytes_that_do_not_parse_are_an_error_wherever_they_are_cut) {
  const auto subscription = encode_subscription(full_subscription()).value();
  const auto assignment = encode_assignment({{{"t", 1}, {"u", 2}}, bytes_of("x")}).value();
  for (std::size_t size = 0; size < subscription.size(); ++size) {
    const auto read = decode_subscription(BytesView(subscription).first(size));
    ASSERT_FALSE(read) << size;
    EXPECT_EQ(read.error().code, Errc::corrupt_data);
    EXPECT_NE(read.error().subject.find("ConsumerProtocolSubscription"), std::string::npos);
  }
  for (std::size_t size = 0; size < assignment.size(); ++size) {
    const auto read = decode_assignment(BytesView(assignment).first(size));
    ASSERT_FALSE(read) << size;
    EXPECT_EQ(read.error().code, Errc::corrupt_data);
  }
}

TEST(ConsumerProtocol, a_count_that_lies_allocates_nothing_and_fails) {
  Writer out;
  out.int16(3);
  out.int32(0x7fffffff);
  EXPECT_EQ(decode_subscription(out.view()).error().code, Errc::corrupt_data);
  EXPECT_EQ(decode_assignment(out.view()).error().code, Errc::corrupt_data);
}

TEST(ConsumerProtocol, a_version_below_the_lowest_is_an_error) {
  auto bytes = encode_assignment({{{"t", 1}}, std::nullopt}).value();
  bytes[0] = std::byte{0xff};
  EXPECT_EQ(decode_assignment(bytes).error().code, Errc::corrupt_data);
  EXPECT_EQ(decode_subscription(bytes).error().code, Errc::corrupt_data);
  EXPECT_EQ(encode_assignment({}, -1).error().code, Errc::invalid_argument);
  EXPECT_EQ(encode_subscription({}, 4).error().code, Errc::invalid_argument);
}

TEST(ConsumerProtocol, a_name_that_does_not_fit_the_format_is_refused) {
  MemberSubscription subscription;
  subscription.topics = {std::string(40'000, 't')};
  EXPECT_EQ(encode_subscription(subscription).error().code, Errc::invalid_argument);
  EXPECT_EQ(encode_assignment({{{std::string(40'000, 't'), 0}}, std::nullopt}).error().code, Errc::invalid_argument);
}

}  // namespace
}  // namespace barnabas::client
