#include "broker/api/fetch_session.h"

#include <gtest/gtest.h>

namespace barnabas::broker {
namespace {

using protocol::ErrorCode;
using protocol::FetchRequest;
using protocol::FetchResponse;

constexpr std::int16_t kByName = 12;
constexpr std::int16_t kById = 13;

struct Sessions {
  explicit Sessions(std::size_t max) : cache(max, [this] { return ++random; }) {}
  std::uint64_t random = 100;
  FetchSessionCache cache;
  std::int64_t now_ms = 1'000'000;
};

FetchRequest ask_for(std::int32_t session_id, std::int32_t epoch,
                     const std::vector<std::pair<std::string, std::int32_t>>& wanted) {
  FetchRequest request;
  request.session_id = session_id;
  request.session_epoch = epoch;
  for (const auto& [name, partition] : wanted) {
    auto& topic = request.topics.emplace_back();
    topic.topic = name;
    topic.partitions.emplace_back().partition = partition;
  }
  return request;
}

/// Every wanted partition read, with this high watermark and number of bytes.
std::vector<FetchResult> read(const FetchContext& context, std::int64_t high_watermark, std::size_t bytes = 0) {
  std::vector<FetchResult> results;
  for (const FetchWant& want : context.wanted()) {
    FetchResult result{want, {}};
    result.data.partition_index = want.partition;
    result.data.high_watermark = high_watermark;
    result.data.records.emplace().external_bytes = bytes;
    results.push_back(result);
  }
  return results;
}

std::size_t partitions_in(const FetchResponse& response) {
  std::size_t count = 0;
  for (const auto& topic : response.responses) count += topic.partitions.size();
  return count;
}

std::int32_t open_session(Sessions& s, const std::vector<std::pair<std::string, std::int32_t>>& wanted) {
  FetchContext context = s.cache.begin(ask_for(0, 0, wanted), kByName, s.now_ms);
  return s.cache.finish(context, read(context, 10), s.now_ms).session_id;
}

TEST(FetchSession, a_full_request_opens_one_and_answers_everything) {
  Sessions s(10);
  FetchContext context = s.cache.begin(ask_for(0, 0, {{"a", 0}, {"a", 1}, {"b", 0}}), kByName, s.now_ms);
  const FetchResponse response = s.cache.finish(context, read(context, 10), s.now_ms);
  EXPECT_GT(response.session_id, 0);
  EXPECT_EQ(partitions_in(response), 3U);
  ASSERT_EQ(response.responses.size(), 2U) << "neighbours of one topic share its entry";
  EXPECT_EQ(s.cache.size(), 1U);
  EXPECT_EQ(s.cache.partition_count(), 3U);
}

TEST(FetchSession, an_incremental_answer_holds_only_what_is_new) {
  Sessions s(10);
  const std::int32_t id = open_session(s, {{"a", 0}, {"a", 1}});
  FetchContext same = s.cache.begin(ask_for(id, 1, {}), kByName, s.now_ms);
  EXPECT_EQ(same.wanted().size(), 2U);
  const FetchResponse nothing = s.cache.finish(same, read(same, 10), s.now_ms);
  EXPECT_EQ(nothing.session_id, id);
  EXPECT_EQ(partitions_in(nothing), 0U);

  FetchContext moved = s.cache.begin(ask_for(id, 2, {}), kByName, s.now_ms);
  std::vector<FetchResult> results = read(moved, 10);
  results[1].data.high_watermark = 11;
  const FetchResponse one = s.cache.finish(moved, results, s.now_ms);
  ASSERT_EQ(partitions_in(one), 1U);
  EXPECT_EQ(one.responses[0].partitions[0].partition_index, 1);
}

TEST(FetchSession, an_error_is_always_told_and_so_is_its_end) {
  Sessions s(10);
  const std::int32_t id = open_session(s, {{"a", 0}});
  for (std::int32_t epoch = 1; epoch <= 2; ++epoch) {
    FetchContext failing = s.cache.begin(ask_for(id, epoch, {}), kByName, s.now_ms);
    std::vector<FetchResult> results = read(failing, -1);
    results[0].data.error_code = code_of(ErrorCode::not_leader_or_follower);
    EXPECT_EQ(partitions_in(s.cache.finish(failing, results, s.now_ms)), 1U);
  }
  FetchContext well = s.cache.begin(ask_for(id, 3, {}), kByName, s.now_ms);
  EXPECT_EQ(partitions_in(s.cache.finish(well, read(well, 10), s.now_ms)), 1U);
}

TEST(FetchSession, partitions_are_added_changed_and_forgotten) {
  Sessions s(10);
  const std::int32_t id = open_session(s, {{"a", 0}, {"a", 1}});
  FetchRequest request = ask_for(id, 1, {{"b", 7}});
  request.topics[0].partitions[0].fetch_offset = 55;
  auto& forgotten = request.forgotten_topics_data.emplace_back();
  forgotten.topic = "a";
  forgotten.partitions = {0, 99};
  FetchContext context = s.cache.begin(request, kByName, s.now_ms);
  ASSERT_EQ(context.wanted().size(), 2U);
  EXPECT_EQ(context.wanted()[0].partition, 1);
  EXPECT_EQ(context.wanted()[1].topic, "b");
  EXPECT_EQ(context.wanted()[1].fetch_offset, 55);
  EXPECT_EQ(s.cache.partition_count(), 2U);
}

TEST(FetchSession, who_got_records_goes_to_the_end) {
  Sessions s(10);
  const std::int32_t id = open_session(s, {{"a", 0}, {"a", 1}, {"a", 2}});
  FetchContext context = s.cache.begin(ask_for(id, 1, {}), kByName, s.now_ms);
  std::vector<FetchResult> results = read(context, 10);
  results[0].data.records->external_bytes = 100;
  s.cache.finish(context, results, s.now_ms);
  const FetchContext next = s.cache.begin(ask_for(id, 2, {}), kByName, s.now_ms);
  EXPECT_EQ(next.wanted()[0].partition, 1);
  EXPECT_EQ(next.wanted()[2].partition, 0);
}

TEST(FetchSession, unknown_ids_and_wrong_epochs_are_refused) {
  Sessions s(10);
  const std::int32_t id = open_session(s, {{"a", 0}});
  EXPECT_EQ(s.cache.begin(ask_for(id + 1, 1, {}), kByName, s.now_ms).error(), ErrorCode::fetch_session_id_not_found);
  EXPECT_EQ(s.cache.begin(ask_for(id, 2, {}), kByName, s.now_ms).error(), ErrorCode::invalid_fetch_session_epoch);
  EXPECT_EQ(s.cache.begin(ask_for(id, 1, {}), kById, s.now_ms).error(), ErrorCode::fetch_session_topic_id_error);
  EXPECT_EQ(s.cache.begin(ask_for(id, 1, {}), kByName, s.now_ms).error(), ErrorCode::none);
  EXPECT_EQ(s.cache.begin(ask_for(id, 1, {}), kByName, s.now_ms).error(), ErrorCode::invalid_fetch_session_epoch)
      << "the same epoch twice";
}

TEST(FetchSession, a_failed_answer_names_no_session) {
  Sessions s(10);
  FetchContext context = s.cache.begin(ask_for(5, 1, {}), kByName, s.now_ms);
  const FetchResponse response = s.cache.finish(context, {}, s.now_ms);
  EXPECT_EQ(response.error_code, code_of(ErrorCode::fetch_session_id_not_found));
  EXPECT_EQ(response.session_id, 0);
}

TEST(FetchSession, the_final_epoch_ends_it) {
  Sessions s(10);
  const std::int32_t id = open_session(s, {{"a", 0}});
  FetchContext last = s.cache.begin(ask_for(id, -1, {{"a", 0}}), kByName, s.now_ms);
  EXPECT_EQ(s.cache.finish(last, read(last, 10), s.now_ms).session_id, 0);
  EXPECT_EQ(s.cache.size(), 0U);
  EXPECT_EQ(s.cache.partition_count(), 0U);
}

TEST(FetchSession, a_session_without_partitions_ends) {
  Sessions s(10);
  const std::int32_t id = open_session(s, {{"a", 0}});
  FetchRequest request = ask_for(id, 1, {});
  auto& forgotten = request.forgotten_topics_data.emplace_back();
  forgotten.topic = "a";
  forgotten.partitions = {0};
  FetchContext context = s.cache.begin(request, kByName, s.now_ms);
  EXPECT_TRUE(context.wanted().empty());
  EXPECT_EQ(s.cache.finish(context, {}, s.now_ms).session_id, 0);
  EXPECT_EQ(s.cache.size(), 0U);
}

TEST(FetchSession, a_full_cache_makes_room_only_for_the_old_or_the_small) {
  Sessions s(2);
  const std::int32_t small = open_session(s, {{"a", 0}});
  open_session(s, {{"a", 0}, {"a", 1}});
  EXPECT_EQ(open_session(s, {{"b", 0}, {"b", 1}, {"b", 2}}), 0) << "nobody has been there long enough";

  s.now_ms += FetchSessionCache::kEvictionMs + 1;
  const std::int32_t fresh = open_session(s, {{"c", 0}});
  EXPECT_NE(fresh, 0) << "the one that was not used for two minutes went";
  EXPECT_EQ(s.cache.begin(ask_for(small, 1, {}), kByName, s.now_ms).error(), ErrorCode::fetch_session_id_not_found);
  EXPECT_EQ(s.cache.evictions(), 1U);
  EXPECT_EQ(s.cache.size(), 2U);
}

TEST(FetchSession, an_old_small_session_goes_for_a_larger_one) {
  Sessions s(1);
  const std::int32_t small = open_session(s, {{"a", 0}});
  s.now_ms += FetchSessionCache::kEvictionMs + 1;
  ASSERT_EQ(s.cache.begin(ask_for(small, 1, {}), kByName, s.now_ms).error(), ErrorCode::none);
  EXPECT_EQ(open_session(s, {{"b", 0}}), 0) << "not for one of its own size";
  EXPECT_NE(open_session(s, {{"b", 0}, {"b", 1}}), 0);
}

}  // namespace
}  // namespace barnabas::broker
