#include "client/consumer/fetch_session.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

namespace barnabas::client {
namespace {

using protocol::ErrorCode;
using protocol::FetchRequest;
using protocol::FetchResponse;

constexpr std::int16_t kWithIds = 17;
constexpr std::int16_t kWithNames = 12;
const Uuid kOrdersId{0, 11};
const Uuid kBillsId{0, 22};

PartitionFetch at(std::int64_t offset, Uuid id = kOrdersId) {
  return {id, offset, 1000, 3, -1};
}

FetchSession::Wanted two() {
  return {{{"orders", 0}, at(5)}, {{"orders", 1}, at(7)}};
}

std::vector<std::string> partitions_in(const FetchRequest& request) {
  std::vector<std::string> names;
  for (const auto& topic : request.topics) {
    for (const auto& partition : topic.partitions) {
      names.push_back(topic.topic + "-" + std::to_string(partition.partition) + "@" +
                      std::to_string(partition.fetch_offset));
    }
  }
  return names;
}

std::vector<std::string> forgotten_in(const FetchRequest& request) {
  std::vector<std::string> names;
  for (const auto& topic : request.forgotten_topics_data) {
    for (const auto partition : topic.partitions) names.push_back(topic.topic + "-" + std::to_string(partition));
  }
  return names;
}

FetchResponse answer(std::int32_t session_id, const FetchSession::Wanted& partitions) {
  FetchResponse response;
  response.session_id = session_id;
  for (const auto& [where, fetch] : partitions) {
    auto& topic = response.responses.emplace_back();
    topic.topic = where.topic;
    topic.topic_id = fetch.topic_id;
    topic.partitions.emplace_back().partition_index = where.partition;
  }
  return response;
}

FetchResponse refusal(ErrorCode error) {
  FetchResponse response;
  response.error_code = static_cast<std::int16_t>(error);
  return response;
}

/// A session that the broker has given the id 77.
FetchSession established() {
  FetchSession session;
  FetchRequest request;
  session.build(two(), request);
  EXPECT_TRUE(session.on_response(answer(77, two()), kWithIds));
  return session;
}

TEST(FetchSession, asks_for_everything_first_and_then_only_for_what_changed) {
  FetchSession session;
  FetchRequest request;
  session.build(two(), request);
  EXPECT_EQ(request.session_id, 0);
  EXPECT_EQ(request.session_epoch, 0);
  EXPECT_EQ(partitions_in(request), (std::vector<std::string>{"orders-0@5", "orders-1@7"}));
  ASSERT_TRUE(session.on_response(answer(77, two()), kWithIds));

  auto wanted = two();
  wanted[{"orders", 1}].fetch_offset = 9;
  session.build(wanted, request);
  EXPECT_EQ(request.session_id, 77);
  EXPECT_EQ(request.session_epoch, 1);
  EXPECT_EQ(partitions_in(request), (std::vector<std::string>{"orders-1@9"}));
  EXPECT_TRUE(request.forgotten_topics_data.empty());
}

TEST(FetchSession, forgets_partitions_that_are_no_longer_wanted_and_adds_new_ones) {
  auto session = established();
  FetchRequest request;
  session.build({{{"orders", 1}, at(7)}, {{"bills", 0}, at(0, kBillsId)}}, request);
  EXPECT_EQ(partitions_in(request), (std::vector<std::string>{"bills-0@0"}));
  EXPECT_EQ(forgotten_in(request), (std::vector<std::string>{"orders-0"}));
}

TEST(FetchSession, one_partition_that_changed_is_all_that_is_sent) {
  auto session = established();
  FetchRequest request;
  session.want({"orders", 1}, at(9), 4);
  session.want({"orders", 0}, at(5), 3);  // as the broker knows it
  session.build(request);
  EXPECT_EQ(partitions_in(request), (std::vector<std::string>{"orders-1@9"}));
  EXPECT_EQ(session.find("orders", 0)->generation, 3U);
  EXPECT_EQ(session.find("orders", 1)->fetch.fetch_offset, 9);
  EXPECT_EQ(session.find("orders", 2), nullptr);
  session.build(request);
  EXPECT_TRUE(partitions_in(request).empty()) << "once is enough";
}

TEST(FetchSession, what_is_wanted_again_before_it_was_forgotten_stays) {
  auto session = established();
  FetchRequest request;
  session.forget({"orders", 0});
  EXPECT_EQ(session.find("orders", 0), nullptr);
  EXPECT_EQ(session.size(), 1U);
  session.want({"orders", 0}, at(6));
  session.build(request);
  EXPECT_EQ(partitions_in(request), (std::vector<std::string>{"orders-0@6"}));
  EXPECT_TRUE(request.forgotten_topics_data.empty()) << "a broker forgets after it has added";
}

/// A broker's side of a session: what it would fetch after each request.
struct Broker {
  std::map<TopicPartition, std::int64_t> offsets;

  void take(const FetchRequest& request) {
    if (request.session_epoch == 0) offsets.clear();
    for (const auto& topic : request.topics) {
      for (const auto& partition : topic.partitions) {
        offsets[{topic.topic, partition.partition}] = partition.fetch_offset;
      }
    }
    for (const auto& topic : request.forgotten_topics_data) {
      for (const auto partition : topic.partitions) EXPECT_EQ(offsets.erase({topic.topic, partition}), 1U);
    }
  }
};

TEST(FetchSession, the_broker_always_fetches_what_is_wanted) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    FetchSession session;
    Broker broker;
    std::map<TopicPartition, std::int64_t> wanted;
    for (int round = 0; round < 60; ++round) {
      for (auto changes = random() % 6; changes > 0; --changes) {
        const TopicPartition where{random() % 2 == 0 ? "orders" : "bills", static_cast<std::int32_t>(random() % 5)};
        if (random() % 3 == 0) {
          session.forget(where);
          wanted.erase(where);
        } else {
          wanted[where] = static_cast<std::int64_t>(random() % 4);
          session.want(where, at(wanted[where], where.topic == "orders" ? kOrdersId : kBillsId));
        }
      }
      FetchRequest request;
      session.build(request);
      broker.take(request);
      ASSERT_EQ(broker.offsets, wanted) << "round " << round;
      ASSERT_EQ(session.size(), wanted.size());
      if (random() % 10 == 0) {
        session.on_failure();
      } else {
        FetchResponse response;
        response.session_id = 77;
        for (const auto& [where, offset] : request.session_epoch == 0 ? wanted : decltype(wanted){}) {
          auto& topic = response.responses.emplace_back();
          topic.topic_id = where.topic == "orders" ? kOrdersId : kBillsId;
          topic.partitions.emplace_back().partition_index = where.partition;
        }
        ASSERT_TRUE(session.on_response(response, kWithIds));
      }
    }
  }
}

TEST(FetchSession, replaces_a_topic_that_was_deleted_and_made_again) {
  auto session = established();
  FetchRequest request;
  session.build({{{"orders", 0}, at(0, kBillsId)}}, request);
  EXPECT_EQ(partitions_in(request), (std::vector<std::string>{"orders-0@0"}));
  EXPECT_EQ(forgotten_in(request), (std::vector<std::string>{"orders-0", "orders-1"}));
  EXPECT_EQ(request.forgotten_topics_data.front().topic_id, kOrdersId);
}

TEST(FetchSession, starts_over_without_an_id_when_the_broker_does_not_know_it) {
  auto session = established();
  FetchRequest request;
  session.build(two(), request);
  EXPECT_FALSE(session.on_response(refusal(ErrorCode::fetch_session_id_not_found), kWithIds));
  session.build(two(), request);
  EXPECT_EQ(request.session_id, 0);
  EXPECT_EQ(request.session_epoch, 0);
  EXPECT_EQ(partitions_in(request).size(), 2U);
}

TEST(FetchSession, replaces_the_session_after_any_other_error_or_no_answer) {
  for (const auto error : {ErrorCode::invalid_fetch_session_epoch, ErrorCode::fetch_session_topic_id_error,
                           ErrorCode::inconsistent_topic_id, ErrorCode::unknown_topic_id}) {
    auto session = established();
    EXPECT_FALSE(session.on_response(refusal(error), kWithIds));
    FetchRequest request;
    session.build(two(), request);
    EXPECT_EQ(request.session_id, 77) << "so that the broker frees it";
    EXPECT_EQ(request.session_epoch, 0);
    EXPECT_EQ(partitions_in(request).size(), 2U);
  }
  auto session = established();
  session.on_failure();
  FetchRequest request;
  session.build(two(), request);
  EXPECT_EQ(request.session_epoch, 0);
}

TEST(FetchSession, lives_without_a_session_where_the_broker_gives_none) {
  FetchSession session;
  FetchRequest request;
  session.build(two(), request);
  EXPECT_TRUE(session.on_response(answer(0, two()), kWithIds));
  session.build(two(), request);
  EXPECT_EQ(request.session_epoch, 0);
  EXPECT_EQ(partitions_in(request).size(), 2U);
}

TEST(FetchSession, refuses_answers_that_do_not_fit_the_request) {
  FetchSession session;
  FetchRequest request;
  session.build(two(), request);
  EXPECT_FALSE(session.on_response(answer(77, {{{"orders", 0}, at(5)}}), kWithIds)) << "a full fetch lacks a partition";
  session.build(two(), request);
  EXPECT_TRUE(session.on_response(answer(77, two()), kWithIds));
  session.build(two(), request);
  EXPECT_TRUE(session.on_response(answer(77, {}), kWithIds)) << "nothing new is fine within a session";
  session.build(two(), request);
  EXPECT_FALSE(session.on_response(answer(77, {{{"orders", 9}, at(5)}}), kWithIds)) << "a partition never asked for";
}

TEST(FetchSession, uses_names_where_a_topic_has_no_id_and_changes_over_with_a_full_fetch) {
  FetchSession session;
  FetchRequest request;
  session.build({{{"orders", 0}, at(5, Uuid{})}}, request);
  EXPECT_FALSE(session.uses_topic_ids());
  ASSERT_TRUE(session.on_response(answer(77, {{{"orders", 0}, at(5, Uuid{})}}), kWithNames));
  session.build({{{"orders", 0}, at(5)}}, request);
  EXPECT_TRUE(session.uses_topic_ids());
  EXPECT_EQ(request.session_epoch, 0);
  EXPECT_EQ(session.name_of(kOrdersId), "orders");
  EXPECT_EQ(session.name_of(kBillsId), "");
}

TEST(FetchSession, ends_with_the_final_epoch) {
  auto session = established();
  FetchRequest request;
  ASSERT_TRUE(session.build_close(request));
  EXPECT_EQ(request.session_id, 77);
  EXPECT_EQ(request.session_epoch, -1);
  EXPECT_FALSE(session.build_close(request)) << "once is enough";
  EXPECT_FALSE(FetchSession().build_close(request));
}

TEST(FetchSession, every_request_can_be_sent_in_its_version) {
  auto session = established();
  FetchRequest request;
  session.build({{{"bills", 0}, at(0, kBillsId)}}, request);
  for (std::int16_t version = 13; version <= FetchRequest::kMaxVersion; ++version) {
    Writer out;
    EXPECT_TRUE(request.encode(out, version)) << version;
  }
}

}  // namespace
}  // namespace barnabas::client
