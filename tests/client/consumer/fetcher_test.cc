#include <gtest/gtest.h>

#include <deque>

#include "barnabas/consumer.h"
#include "client/core/client_runtime.h"
#include "common/protocol/errors.h"
#include "common/protocol/messages/fetch.h"
#include "common/protocol/messages/list_offsets.h"
#include "common/protocol/messages/offset_for_leader_epoch.h"
#include "common/record/batch_builder.h"
#include "tests/client/core/scripted_broker.h"

namespace barnabas::client {
namespace {

using namespace std::chrono_literals;
using protocol::ApiKey;
using protocol::ErrorCode;
using protocol::FetchRequest;
using protocol::FetchResponse;

const TopicPartition kOrders0{"orders", 0};
constexpr std::int16_t kFetchVersion = 13;  // the first with topic ids

Bytes batch(std::int64_t offset, const std::string& value, std::int32_t epoch = 1) {
  record::BatchOptions options;
  options.base_offset = offset;
  options.partition_leader_epoch = epoch;
  record::BatchBuilder builder(options);
  record::RecordInput input;
  input.timestamp_ms = 1000;
  input.value = as_bytes(value);
  builder.append(input);
  return *builder.finish();
}

/// A broker whose answers to Fetch are queued; without one it does not answer, as in a long poll without end.
struct Broker {
  /// Changes an answer that is right but empty. `records` must live as long as the broker.
  using Answer = std::function<void(FetchResponse& response, FetchResponse::PartitionData& partition)>;

  Broker(runtime::VirtualEnv& env, net::MemoryNetwork& network, const std::string& host)
      : scripted(env, network, host, 9092) {
    scripted.on(ApiKey::fetch, 4, kFetchVersion,
                [this](std::int16_t version, Reader& in, Writer& out) { return fetch(version, in, out); });
    scripted.on(ApiKey::list_offsets, 1, 7, [this](std::int16_t version, Reader& in, Writer& out) {
      refuses.reset();
      const auto request = protocol::ListOffsetsRequest::decode(in, version);
      protocol::ListOffsetsResponse response;
      for (const auto& topic : request->topics) {
        auto& answer = response.topics.emplace_back();
        answer.name = topic.name;
        for (const auto& partition : topic.partitions) {
          auto& entry = answer.partitions.emplace_back();
          entry.partition_index = partition.partition_index;
          entry.offset = start_offset;
          entry.leader_epoch = 1;
        }
      }
      return static_cast<bool>(response.encode(out, version));
    });
    scripted.on(ApiKey::offset_for_leader_epoch, 2, 4, [this](std::int16_t version, Reader& in, Writer& out) {
      const auto request = protocol::OffsetForLeaderEpochRequest::decode(in, version);
      protocol::OffsetForLeaderEpochResponse response;
      auto& topic = response.topics.emplace_back();
      topic.topic = request->topics.front().topic;
      auto& partition = topic.partitions.emplace_back();
      partition.partition = request->topics.front().partitions.front().partition;
      partition.leader_epoch = request->topics.front().partitions.front().leader_epoch;
      partition.end_offset = epoch_end_offset;
      return static_cast<bool>(response.encode(out, version));
    });
  }

  bool fetch(std::int16_t version, Reader& in, Writer& out) {
    requests.push_back(*FetchRequest::decode(in, version));
    if (!requests.back().topics.empty()) asked_id = requests.back().topics.front().topic_id;
    const bool closes = requests.back().session_epoch == -1;
    if (answers.empty() && !refuses && !closes) return false;
    FetchResponse response;
    if (refuses) {
      response.session_id = 77;
      auto& topic = response.responses.emplace_back();
      topic.topic = "orders";
      topic.topic_id = asked_id;
      topic.partitions.emplace_back().error_code = static_cast<std::int16_t>(*refuses);
      topic.partitions.back().records = protocol::RecordsRef{};
    } else if (!closes) {
      response.session_id = 77;
      auto& topic = response.responses.emplace_back();
      topic.topic = "orders";
      topic.topic_id = asked_id;
      answers.front()(response, topic.partitions.emplace_back());
      answers.pop_front();
    }
    return static_cast<bool>(response.encode(out, version));
  }

  void give(Bytes records) {
    kept.push_back(std::move(records));
    answers.push_back([bytes = BytesView(kept.back())](FetchResponse&, FetchResponse::PartitionData& partition) {
      partition.high_watermark = 100;
      partition.records = protocol::RecordsRef{bytes};
    });
  }
  void refuse(ErrorCode error) {
    answers.push_back([error](FetchResponse&, FetchResponse::PartitionData& partition) {
      partition.error_code = static_cast<std::int16_t>(error);
      partition.records = protocol::RecordsRef{};
    });
  }

  ScriptedBroker scripted;
  std::deque<Answer> answers;
  std::deque<Bytes> kept;
  std::deque<FetchRequest> requests;
  std::int64_t start_offset = 0;
  std::int64_t epoch_end_offset = 100;
  Uuid asked_id;
  std::optional<ErrorCode> refuses;  ///< Every fetch, until offsets are asked for.
};

class FetcherTest : public ::testing::Test {
 protected:
  FetcherTest() { lead(1, 1); }

  /// All brokers say from now on that this one leads.
  void lead(std::int32_t leader, std::int32_t epoch) {
    auto metadata = cluster({"a", "b"}, {{"orders", {leader}}});
    metadata.topics.front().partitions.front().leader_epoch = epoch;
    a.scripted.serve_metadata(metadata);
    b.scripted.serve_metadata(metadata);
  }
  /// The topic has this id from now on.
  void name_topic(std::uint64_t id) {
    auto metadata = cluster({"a", "b"}, {{"orders", {1}}});
    metadata.topics.front().topic_id = Uuid(0, id);
    a.scripted.serve_metadata(metadata);
    b.scripted.serve_metadata(metadata);
  }
  /// The broker gives one record of a topic, which is deleted and made again as soon as it was read.
  void give_and_make_topic_anew() {
    name_topic(1);
    a.start_offset = 5;
    a.kept.push_back(batch(5, "of the old topic"));
    a.answers.push_back([this](FetchResponse&, FetchResponse::PartitionData& partition) {
      partition.high_watermark = 6;
      partition.records = protocol::RecordsRef{a.kept.front()};
      name_topic(2);
      a.start_offset = 0;
      a.refuses = ErrorCode::unknown_topic_id;
    });
    a.give(batch(0, "of the new topic", 0));
  }
  Consumer make_consumer(const Config& more = {}) {
    Config config{{"bootstrap.servers", "a:9092"}, {"auto.offset.reset", "earliest"}};
    for (const auto& [name, value] : more.properties()) config.set(name, value);
    ConsumerOptions options;
    options.runtime = Runtime(runtime);
    options.log.level = LogLevel::off;
    Consumer consumer(config, std::move(options));
    consumer.assign({kOrders0});
    return consumer;
  }
  static std::string poll_one(Consumer& consumer) {
    const Records records = consumer.poll(20s);
    return records.empty() ? "(nothing)" : std::string(records.begin()->value().value_or("null"));
  }

  runtime::VirtualEnv env;
  net::MemoryNetwork network{env};
  std::shared_ptr<ClientRuntime> runtime = ClientRuntime::make(env, network, "client");
  Broker a{env, network, "a"};
  Broker b{env, network, "b"};
};

TEST_F(FetcherTest, fetches_ahead_in_a_session_and_ends_it_on_close) {
  a.give(batch(0, "one"));
  a.give(batch(1, "two"));
  auto consumer = make_consumer();
  EXPECT_EQ(poll_one(consumer), "one");
  EXPECT_EQ(poll_one(consumer), "two");
  ASSERT_GE(a.requests.size(), 2U);
  EXPECT_EQ(a.requests[0].session_epoch, 0);
  EXPECT_EQ(a.requests[1].session_id, 77);
  EXPECT_EQ(a.requests[1].session_epoch, 1);
  EXPECT_EQ(a.requests[1].topics.at(0).partitions.at(0).fetch_offset, 1);
  consumer.close(1s);
  EXPECT_EQ(a.requests.back().session_id, 77);
  EXPECT_EQ(a.requests.back().session_epoch, -1);
}

TEST_F(FetcherTest, starts_a_new_session_when_the_broker_lost_the_old_one) {
  a.give(batch(0, "one"));
  a.answers.push_back([](FetchResponse& response, FetchResponse::PartitionData&) {
    response.responses.clear();
    response.error_code = static_cast<std::int16_t>(ErrorCode::fetch_session_id_not_found);
  });
  a.give(batch(1, "two"));
  auto consumer = make_consumer();
  EXPECT_EQ(poll_one(consumer), "one");
  EXPECT_EQ(poll_one(consumer), "two");
  EXPECT_EQ(a.requests.at(2).session_id, 0);
  EXPECT_EQ(a.requests.at(2).session_epoch, 0);
  EXPECT_EQ(a.requests.at(2).topics.size(), 1U);
}

TEST_F(FetcherTest, follows_a_leader_that_moved_once_it_has_validated_its_position) {
  a.give(batch(0, "one"));
  a.refuse(ErrorCode::not_leader_or_follower);
  b.give(batch(1, "two", 2));
  auto consumer = make_consumer();
  EXPECT_EQ(poll_one(consumer), "one");
  lead(2, 2);
  EXPECT_EQ(poll_one(consumer), "two");
  EXPECT_EQ(b.scripted.requests(ApiKey::offset_for_leader_epoch), 1);
  EXPECT_EQ(b.requests.front().topics.at(0).partitions.at(0).current_leader_epoch, 2);
}

TEST_F(FetcherTest, begins_as_soon_as_the_metadata_are_there) {
  a.give(batch(0, "one"));
  const auto began = env.clock().now();
  auto consumer = make_consumer({{"retry.backoff.ms", "10000"}, {"retry.backoff.max.ms", "10000"}});
  EXPECT_EQ(poll_one(consumer), "one");
  EXPECT_LT(env.clock().now() - began, 100ms);
}

TEST_F(FetcherTest, goes_at_once_to_the_leader_that_an_answer_names) {
  a.give(batch(0, "one"));
  a.answers.push_back([](FetchResponse&, FetchResponse::PartitionData& partition) {
    partition.error_code = static_cast<std::int16_t>(ErrorCode::not_leader_or_follower);
    partition.current_leader.leader_id = 2;
    partition.current_leader.leader_epoch = 2;
    partition.records = protocol::RecordsRef{};
  });
  b.give(batch(1, "two", 2));
  auto consumer = make_consumer({{"retry.backoff.ms", "10000"}, {"retry.backoff.max.ms", "10000"}});
  EXPECT_EQ(poll_one(consumer), "one");
  const auto began = env.clock().now();
  const int asked_for_metadata = a.scripted.requests(ApiKey::metadata) + b.scripted.requests(ApiKey::metadata);
  EXPECT_EQ(poll_one(consumer), "two");
  EXPECT_LT(env.clock().now() - began, 1s);
  EXPECT_EQ(a.scripted.requests(ApiKey::metadata) + b.scripted.requests(ApiKey::metadata), asked_for_metadata);
  EXPECT_EQ(b.scripted.requests(ApiKey::offset_for_leader_epoch), 1);
}

TEST_F(FetcherTest, a_topic_that_was_deleted_and_made_again_is_read_as_the_reset_policy_says) {
  give_and_make_topic_anew();
  auto consumer = make_consumer();
  EXPECT_EQ(poll_one(consumer), "of the old topic");
  EXPECT_EQ(poll_one(consumer), "of the new topic");
  EXPECT_EQ(consumer.position(kOrders0), 1);
}

TEST_F(FetcherTest, metadata_that_are_out_of_date_do_not_make_a_topic_another_one) {
  name_topic(2);
  a.give(batch(0, "one"));
  a.kept.push_back(batch(1, "two"));
  a.answers.push_back([this](FetchResponse&, FetchResponse::PartitionData& partition) {
    partition.records = protocol::RecordsRef{a.kept.at(1)};
    name_topic(1);  // by a broker that is behind
    a.scripted.hold_answer(300ms);
  });
  a.give(batch(2, "three"));
  auto consumer = make_consumer({{"metadata.max.age.ms", "100"}});
  EXPECT_EQ(poll_one(consumer), "one");
  EXPECT_EQ(poll_one(consumer), "two");
  EXPECT_EQ(poll_one(consumer), "three");
  EXPECT_GT(a.scripted.requests(ApiKey::metadata), 2);
  EXPECT_EQ(a.scripted.requests(ApiKey::list_offsets), 1);
}

TEST_F(FetcherTest, a_broker_that_reads_by_name_does_not_hide_that_a_topic_was_made_anew) {
  a.scripted.on(ApiKey::fetch, 4, 12,
                [this](std::int16_t version, Reader& in, Writer& out) { return a.fetch(version, in, out); });
  give_and_make_topic_anew();
  a.refuses.reset();
  auto consumer = make_consumer({{"metadata.max.age.ms", "100"}});
  EXPECT_EQ(poll_one(consumer), "of the old topic");
  EXPECT_EQ(poll_one(consumer), "of the new topic");
}

TEST_F(FetcherTest, without_a_policy_a_topic_that_was_made_again_is_an_error_until_the_user_seeks) {
  give_and_make_topic_anew();
  auto consumer = make_consumer({{"auto.offset.reset", "none"}});
  consumer.seek(kOrders0, 5);
  EXPECT_EQ(poll_one(consumer), "of the old topic");
  try {
    static_cast<void>(consumer.poll(20s));
    FAIL() << "it goes on as if nothing had happened";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::offset_out_of_range);
    EXPECT_NE(std::string(error.what()).find("deleted and made again while the position was 6"), std::string::npos)
        << error.what();
  }
  a.refuses.reset();
  consumer.seek(kOrders0, 0);
  EXPECT_EQ(poll_one(consumer), "of the new topic");
}

TEST_F(FetcherTest, goes_back_to_where_a_new_leaders_log_ends) {
  a.start_offset = 8;
  a.give(batch(8, "lost"));
  a.refuse(ErrorCode::fenced_leader_epoch);
  b.epoch_end_offset = 5;
  b.give(batch(5, "other history", 2));
  auto consumer = make_consumer();
  EXPECT_EQ(poll_one(consumer), "lost");
  lead(2, 2);
  EXPECT_EQ(poll_one(consumer), "other history");
  EXPECT_EQ(consumer.position(kOrders0), 6);
}

TEST_F(FetcherTest, tries_again_after_every_error_that_may_pass) {
  const ErrorCode errors[] = {ErrorCode::unknown_topic_or_partition, ErrorCode::not_leader_or_follower,
                              ErrorCode::unknown_leader_epoch,       ErrorCode::replica_not_available,
                              ErrorCode::kafka_storage_error,        ErrorCode::offset_not_available,
                              ErrorCode::unknown_server_error,       ErrorCode::leader_not_available};
  for (const ErrorCode error : errors) a.refuse(error);
  a.give(batch(0, "at last"));
  auto consumer = make_consumer();
  EXPECT_EQ(poll_one(consumer), "at last");
}

TEST_F(FetcherTest, an_error_that_no_retry_helps_is_reported_until_the_user_seeks) {
  a.refuse(ErrorCode::topic_authorization_failed);
  a.give(batch(0, "now allowed"));
  auto consumer = make_consumer();
  for (int i = 0; i < 2; ++i) {
    try {
      consumer.poll(5s);
      FAIL() << "the topic may not be read";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), make_error_code(ErrorCode::topic_authorization_failed));
      EXPECT_NE(error.context().find("orders-0"), std::string::npos);
    }
  }
  EXPECT_NE(consumer.explain().find("seek to go on"), std::string::npos);
  consumer.seek(kOrders0, 0);
  EXPECT_EQ(poll_one(consumer), "now allowed");
}

TEST_F(FetcherTest, a_corrupt_batch_is_reported_until_the_user_seeks_past_it) {
  Bytes bad = batch(0, "bad");
  bad.back() ^= std::byte{0xff};
  const Bytes good = batch(1, "good");
  bad.insert(bad.end(), good.begin(), good.end());
  a.give(bad);
  auto consumer = make_consumer({{"request.timeout.ms", "1000"}});
  for (int i = 0; i < 3; ++i) {
    try {
      consumer.poll(5s);
      FAIL() << "the batch is corrupt";
    } catch (const Error& error) {
      EXPECT_NE(error.context().find("orders-0 at offset 0"), std::string::npos) << error.context();
    }
  }
  ASSERT_TRUE(consumer.poll_failure());
  EXPECT_EQ(*consumer.poll_failure(), (PollFailure{kOrders0, 0, 1, make_error_code(ErrorCode::corrupt_message)}));
  consumer.pause({kOrders0});
  EXPECT_TRUE(consumer.poll(1ms).empty()) << "a paused partition holds nothing up";
  EXPECT_FALSE(consumer.poll_failure());
  consumer.resume({kOrders0});
  a.give(good);  // once the fetch ahead has been given up
  consumer.seek(kOrders0, 1);
  EXPECT_EQ(poll_one(consumer), "good");
}

TEST_F(FetcherTest, a_corrupt_batch_is_left_out_where_that_is_the_policy) {
  Bytes bad = batch(0, "bad");
  bad.back() ^= std::byte{0xff};
  const Bytes good = batch(1, "good");
  bad.insert(bad.end(), good.begin(), good.end());
  a.give(bad);
  auto consumer = make_consumer({{"on.corrupt.batch", "skip"}});
  EXPECT_EQ(poll_one(consumer), "good");
  EXPECT_EQ(consumer.position(kOrders0), 2);
}

TEST_F(FetcherTest, a_broker_that_never_answers_is_given_up_after_the_request_timeout) {
  auto consumer = make_consumer({{"request.timeout.ms", "1000"}});
  EXPECT_TRUE(consumer.poll(5s).empty());
  EXPECT_GE(a.requests.size(), 2U);
  EXPECT_NE(consumer.explain().find("broker 1 (a:9092)"), std::string::npos) << consumer.explain();
}

TEST_F(FetcherTest, closing_is_bounded_while_the_broker_is_silent) {
  auto consumer = make_consumer();
  EXPECT_TRUE(consumer.poll(1s).empty());
  a.scripted.stop();
  const auto began = env.clock().now();
  consumer.close(2s);
  EXPECT_LE(env.clock().now() - began, 2s);
}

}  // namespace
}  // namespace barnabas::client
