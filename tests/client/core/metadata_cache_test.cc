#include "client/core/metadata_cache.h"

#include <gtest/gtest.h>

#include "tests/client/core/scripted_broker.h"

namespace barnabas::client {
namespace {

using protocol::ErrorCode;
using runtime::MonotonicTime;
using std::chrono::milliseconds;

constexpr MonotonicTime kStart{std::chrono::hours(1)};

TEST(MetadataCache, asks_at_once_then_by_age) {
  MetadataCache cache({.max_age = milliseconds(1000)});
  EXPECT_EQ(cache.next_update(kStart), kStart);
  cache.request(12, kStart);
  cache.on_response(cluster({"a"}, {}), kStart);
  EXPECT_EQ(cache.next_update(kStart), kStart + milliseconds(1000));
  cache.request_update();
  EXPECT_EQ(cache.next_update(kStart), kStart);
}

TEST(MetadataCache, asks_for_wanted_topics_and_forgets_idle_ones) {
  MetadataCache cache({.max_idle = milliseconds(100)});
  EXPECT_TRUE(cache.want_topic("a", kStart));
  EXPECT_TRUE(cache.has_new_topics());
  EXPECT_FALSE(cache.want_topic("a", kStart));
  EXPECT_TRUE(cache.want_topic("b", kStart + milliseconds(50)));
  EXPECT_EQ(cache.request(12, kStart + milliseconds(60)).topics->size(), 2u);
  EXPECT_FALSE(cache.has_new_topics());
  const auto later = cache.request(12, kStart + milliseconds(120));
  ASSERT_EQ(later.topics->size(), 1u);
  EXPECT_EQ(later.topics->front().name, "b");
}

TEST(MetadataCache, asks_for_everything_when_told_so) {
  MetadataCache cache({.all_topics = true});
  EXPECT_FALSE(cache.request(12, kStart).topics.has_value());
}

TEST(MetadataCache, keeps_a_leader_of_a_newer_epoch) {
  MetadataCache cache({});
  auto response = cluster({"a", "b"}, {{"t", {1}}});
  response.topics[0].partitions[0].leader_epoch = 7;
  cache.on_response(response, kStart);
  response.topics[0].partitions[0].leader_epoch = 6;
  response.topics[0].partitions[0].leader_id = 2;
  cache.on_response(response, kStart);
  EXPECT_EQ(cache.snapshot()->partition("t", 0)->leader, 1);
  response.topics[0].partitions[0].leader_epoch = 8;
  cache.on_response(response, kStart);
  EXPECT_EQ(cache.snapshot()->partition("t", 0)->leader, 2);
}

TEST(MetadataCache, believes_an_older_epoch_of_a_topic_made_anew) {
  MetadataCache cache({});
  auto response = cluster({"a", "b"}, {{"t", {1}}});
  response.topics[0].topic_id = Uuid::parse("AAAAAAAAAAAAAAAAAAAAAQ").value();
  response.topics[0].partitions[0].leader_epoch = 7;
  cache.on_response(response, kStart);
  response.topics[0].topic_id = Uuid::parse("AAAAAAAAAAAAAAAAAAAAAg").value();
  response.topics[0].partitions[0].leader_epoch = 0;
  response.topics[0].partitions[0].leader_id = 2;
  cache.on_response(response, kStart);
  EXPECT_EQ(cache.snapshot()->partition("t", 0)->leader, 2);
  EXPECT_EQ(cache.snapshot()->names_by_id.size(), 1u);
}

TEST(MetadataCache, asks_again_while_a_partition_has_no_leader) {
  MetadataCache cache({});
  cache.on_response(cluster({"a"}, {{"t", {1}}}), kStart);
  cache.request(12, kStart);
  cache.on_response(cluster({"a"}, {{"t", {-1}}}), kStart);
  EXPECT_EQ(cache.next_update(kStart), kStart);
}

TEST(MetadataCache, does_not_ask_again_for_what_no_retry_changes) {
  MetadataCache cache({});
  auto response = cluster({"a"}, {{"t", {}}});
  response.topics[0].error_code = protocol::code_of(ErrorCode::topic_authorization_failed);
  cache.request(12, kStart);
  cache.on_response(response, kStart);
  EXPECT_GT(cache.next_update(kStart), kStart);
}

TEST(MetadataCache, takes_a_newer_leader_from_an_answer_to_produce_or_fetch) {
  MetadataCache cache({});
  cache.on_response(cluster({"a"}, {{"t", {1, 1}}}), kStart);
  const std::uint64_t before = cache.version();
  EXPECT_FALSE(cache.update_leader("t", 0, 2, 1, {Node{2, "b", 9092, {}}}));
  EXPECT_FALSE(cache.update_leader("t", 0, 3, 2, {}));
  EXPECT_TRUE(cache.update_leader("t", 0, 2, 2, {Node{2, "b", 9092, {}}}));
  EXPECT_EQ(cache.snapshot()->partition("t", 0)->leader, 2);
  EXPECT_EQ(cache.snapshot()->partition("t", 1)->leader, 1);
  EXPECT_EQ(cache.snapshot()->broker(2)->host, "b");
  EXPECT_GT(cache.version(), before);
}

TEST(MetadataCache, notices_new_partitions) {
  MetadataCache cache({});
  cache.on_response(cluster({"a"}, {{"t", {1}}}), kStart);
  const auto old = cache.snapshot();
  cache.on_response(cluster({"a"}, {{"t", {1, 1, 1}}}), kStart);
  EXPECT_EQ(cache.snapshot()->topic("t")->partition_count(), 3);
  EXPECT_EQ(old->topic("t")->partition_count(), 1);
}

TEST(MetadataCache, survives_an_answer_with_nonsense_in_it) {
  MetadataCache cache({});
  auto response = cluster({"a"}, {{"t", {1, 1}}});
  response.topics[0].partitions[1].partition_index = 77;
  response.topics.emplace_back();
  cache.on_response(response, kStart);
  EXPECT_EQ(cache.snapshot()->partition("t", 0)->leader, 1);
  EXPECT_EQ(cache.snapshot()->partition("t", 1)->leader, -1);
  EXPECT_EQ(cache.snapshot()->partition("t", 77), nullptr);
}

}  // namespace
}  // namespace barnabas::client
