#include <gtest/gtest.h>

#include <deque>
#include <map>

#include "barnabas/producer.h"
#include "client/core/client_runtime.h"
#include "common/protocol/errors.h"
#include "common/protocol/messages/init_producer_id.h"
#include "common/protocol/messages/produce.h"
#include "common/record/batch_view.h"
#include "tests/client/core/scripted_broker.h"

namespace barnabas::client {
namespace {

using namespace std::chrono_literals;
using protocol::ApiKey;
using protocol::ErrorCode;

/// A producer against a broker that answers as the script says, in virtual time.
class SenderTest : public ::testing::Test {
 protected:
  /// One batch as the broker got it.
  struct Received {
    std::int64_t producer_id = 0;
    std::int16_t epoch = 0;
    std::int32_t base_sequence = 0;
    std::vector<std::string> values;
  };

  SenderTest() : network(env), broker(env, network, "b1", 9092) {
    broker.serve_metadata(cluster({"b1"}, {{"t", {1}}}));
    broker.on(ApiKey::init_producer_id, 0, 5, [this](std::int16_t version, Reader&, Writer& out) {
      protocol::InitProducerIdResponse response;
      response.producer_id = next_id++;
      response.producer_epoch = 0;
      return response.encode(out, version).has_value();
    });
    broker.on(ApiKey::produce, 3, 12,
              [this](std::int16_t version, Reader& in, Writer& out) { return on_produce(version, in, out); });
  }

  std::unique_ptr<Producer> make_producer(Config::Properties more = {}) {
    more.emplace("bootstrap.servers", "b1:9092");
    more.emplace("linger.ms", "0");
    more.emplace("batch.size", "0");  // a batch for each record
    ProducerOptions options;
    options.runtime = Runtime(ClientRuntime::make(env, network, "producer"));
    options.log.level = LogLevel::off;
    return std::make_unique<Producer>(Config(std::move(more)), std::move(options));
  }

  /// One that the broker knows already, and so does not send its first batch alone.
  std::unique_ptr<Producer> make_known_producer(Config::Properties more = {}) {
    auto producer = make_producer(std::move(more));
    send(*producer, "first");
    producer->flush();
    deliveries.clear();
    stored.clear();
    return producer;
  }

  /// The topic has this id from now on.
  void name_topic(std::uint64_t id) {
    auto metadata = cluster({"b1"}, {{"t", {1}}});
    metadata.topics.front().topic_id = Uuid(0, id);
    broker.serve_metadata(metadata);
  }

  /// Stores or refuses the batch, as `script` says for the n-th one; nullopt: no answer.
  bool on_produce(std::int16_t version, Reader& in, Writer& out) {
    const auto request = protocol::ProduceRequest::decode(in, version);
    if (!request) return false;
    protocol::ProduceResponse response;
    for (const auto& topic : request->topic_data) {
      protocol::ProduceResponse::TopicProduceResponse answer;
      answer.name = topic.name;
      for (const auto& partition : topic.partition_data) {
        const auto code = take(*partition.records);
        if (!code) return false;
        protocol::ProduceResponse::PartitionProduceResponse one;
        one.index = partition.index;
        one.error_code = static_cast<std::int16_t>(*code);
        one.base_offset = *code == ErrorCode::none ? next_offset++ : -1;
        one.log_start_offset = 0;
        answer.partition_responses.push_back(std::move(one));
      }
      response.responses.push_back(std::move(answer));
    }
    return response.encode(out, version).has_value();
  }

  std::optional<ErrorCode> take(const protocol::RecordsRef& records) {
    const auto batch = record::BatchView::read(records.bytes);
    EXPECT_TRUE(batch && batch->ensure_valid());
    Received received{batch->header().producer_id, batch->header().producer_epoch, batch->header().base_sequence, {}};
    record::RecordReader reader = batch->reader(batch->records());
    for (record::RecordView record; *reader.next(record);) received.values.emplace_back(as_text(*record.value));
    std::optional<ErrorCode> code = ErrorCode::none;
    if (!script.empty()) {
      code = script.front();
      script.pop_front();
    }
    if (code == ErrorCode::none && checks_numbers && !is_next_number(batch->header())) {
      code = ErrorCode::out_of_order_sequence_number;
    }
    if (code == ErrorCode::none) stored.insert(stored.end(), received.values.begin(), received.values.end());
    seen.push_back(std::move(received));
    return code;
  }

  /// As a Kafka log does: one that knows nothing of the producer takes any number.
  bool is_next_number(const record::BatchHeader& header) {
    const bool goes_on = !last || (header.producer_epoch == last->producer_epoch &&
                                   header.base_sequence == last->base_sequence + last->record_count);
    const bool starts_anew = last && header.producer_epoch > last->producer_epoch && header.base_sequence == 0;
    if (goes_on || starts_anew) last = header;
    return goes_on || starts_anew;
  }

  void send(Producer& producer, const std::string& value) {
    producer.send({.topic = "t", .value = value}, [this](const Delivery& delivery) { deliveries.push_back(delivery); });
  }

  runtime::VirtualEnv env{7};
  net::MemoryNetwork network;
  ScriptedBroker broker;
  std::deque<std::optional<ErrorCode>> script;
  std::vector<Received> seen;
  std::vector<std::string> stored;
  std::vector<Delivery> deliveries;
  std::int64_t next_offset = 0;
  std::int64_t next_id = 500;
  int refused = 0;
  bool checks_numbers = false;
  std::optional<record::BatchHeader> last;
};

TEST_F(SenderTest, order_is_kept_when_an_early_batch_is_sent_again) {
  checks_numbers = true;
  const auto producer = make_known_producer();
  script = {ErrorCode::not_leader_or_follower};
  for (const char* value : {"a", "b", "c", "d"}) send(*producer, value);
  producer->flush();
  EXPECT_EQ(stored, (std::vector<std::string>{"a", "b", "c", "d"}));
  ASSERT_EQ(deliveries.size(), 4U);
  for (const Delivery& delivery : deliveries) EXPECT_FALSE(delivery.error) << delivery.context;
  EXPECT_EQ(seen.back().epoch, 0) << "no gap, no new epoch";
  EXPECT_GT(producer->metrics().retries, 0U);
}

TEST_F(SenderTest, goes_at_once_to_the_leader_that_an_answer_names) {
  ScriptedBroker other(env, network, "b2", 9092);
  const auto metadata = cluster({"b1", "b2"}, {{"t", {1}}});
  broker.serve_metadata(metadata);
  other.serve_metadata(metadata);
  other.on(ApiKey::produce, 3, 12,
           [this](std::int16_t version, Reader& in, Writer& out) { return on_produce(version, in, out); });
  broker.on(ApiKey::produce, 3, 12, [this](std::int16_t version, Reader& in, Writer& out) {
    const auto request = protocol::ProduceRequest::decode(in, version);
    ++refused;
    protocol::ProduceResponse response;
    auto& topic = response.responses.emplace_back();
    topic.name = request->topic_data.at(0).name;
    auto& partition = topic.partition_responses.emplace_back();
    partition.error_code = static_cast<std::int16_t>(ErrorCode::not_leader_or_follower);
    partition.current_leader.leader_id = 2;
    partition.current_leader.leader_epoch = 2;
    return response.encode(out, version).has_value();
  });
  const auto producer = make_producer({{"retry.backoff.ms", "10000"}, {"retry.backoff.max.ms", "10000"}});
  for (const char* value : {"a", "b", "c"}) send(*producer, value);
  const auto began = env.clock().now();
  producer->flush();
  EXPECT_LT(env.clock().now() - began, 1s);
  EXPECT_EQ(stored, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_GT(refused, 0);
  EXPECT_EQ(producer->metrics().connections.metadata_refreshes, 1U);
}

TEST_F(SenderTest, a_batch_is_sent_again_with_its_number_after_a_lost_answer) {
  script = {std::nullopt};
  const auto producer = make_producer({{"request.timeout.ms", "1000"}, {"delivery.timeout.ms", "20000"}});
  send(*producer, "a");
  producer->flush();
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0].base_sequence, seen[1].base_sequence);
  EXPECT_EQ(seen[0].producer_id, seen[1].producer_id);
  EXPECT_FALSE(deliveries.at(0).error) << deliveries.at(0).context;
}

TEST_F(SenderTest, nothing_passes_the_first_batch_of_a_partition) {
  checks_numbers = true;
  script = {ErrorCode::unknown_topic_or_partition};  // the broker learns of the topic just then
  const auto producer = make_producer();
  for (const char* value : {"a", "b", "c", "d"}) send(*producer, value);
  producer->flush();
  EXPECT_EQ(stored, (std::vector<std::string>{"a", "b", "c", "d"}));
}

TEST_F(SenderTest, nothing_passes_the_first_batch_of_a_topic_that_was_made_anew) {
  checks_numbers = true;
  name_topic(1);
  const auto producer = make_producer();
  send(*producer, "a");
  producer->flush();
  last.reset();
  name_topic(2);
  script = {ErrorCode::unknown_topic_id, ErrorCode::unknown_topic_id};
  send(*producer, "b");
  while (script.size() > 1) env.run_for(1ms);
  send(*producer, "c");
  send(*producer, "d");
  producer->flush();
  EXPECT_EQ(stored, (std::vector<std::string>{"a", "b", "c", "d"}));
  for (const Delivery& delivery : deliveries) EXPECT_FALSE(delivery.error) << delivery.context;
}

TEST_F(SenderTest, a_duplicate_counts_as_delivered_without_an_offset) {
  script = {ErrorCode::duplicate_sequence_number};
  const auto producer = make_producer();
  send(*producer, "a");
  producer->flush();
  EXPECT_FALSE(deliveries.at(0).error);
  EXPECT_EQ(deliveries.at(0).offset, -1);
}

TEST_F(SenderTest, an_unknown_producer_goes_on_under_a_new_epoch_from_0) {
  const auto producer = make_producer();
  send(*producer, "a");
  producer->flush();
  script = {ErrorCode::unknown_producer_id};
  send(*producer, "b");
  producer->flush();
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_EQ(seen[1].base_sequence, 1);
  EXPECT_EQ(seen[2].base_sequence, 0);
  EXPECT_EQ(seen[2].epoch, seen[1].epoch + 1);
  EXPECT_EQ(stored, (std::vector<std::string>{"a", "b"}));
}

TEST_F(SenderTest, what_follows_a_failed_batch_is_numbered_from_0_under_a_new_epoch) {
  script = {ErrorCode::topic_authorization_failed};
  const auto producer = make_producer({{"max.in.flight.requests.per.connection", "1"}});
  send(*producer, "a");
  send(*producer, "b");
  producer->flush();
  EXPECT_EQ(deliveries.at(0).error, ErrorCode::topic_authorization_failed);
  EXPECT_NE(deliveries.at(0).context.find("t-0"), std::string::npos) << deliveries.at(0).context;
  EXPECT_FALSE(deliveries.at(1).error) << deliveries.at(1).context;
  EXPECT_EQ(seen.back().base_sequence, 0);
  EXPECT_EQ(seen.back().epoch, 1);
}

/// The first batch ends unanswered, and so did the second one's first attempt: it may be stored.
class SenderInDoubtTest : public SenderTest {
 protected:
  std::unique_ptr<Producer> lose_first(ErrorCode answer_to_second) {
    auto producer = make_known_producer({{"request.timeout.ms", "1000"}, {"delivery.timeout.ms", "2050"}});
    script = {std::nullopt, std::nullopt, std::nullopt, answer_to_second};
    send(*producer, "a");
    env.run_for(500ms);
    send(*producer, "b");
    producer->flush();
    EXPECT_TRUE(deliveries.at(0).error);
    EXPECT_EQ(seen.back().values.front(), "b");
    EXPECT_EQ(seen.back().epoch, 0) << "under another number it might be stored twice";
    EXPECT_EQ(seen.back().base_sequence, 2);
    return producer;
  }
};

TEST_F(SenderInDoubtTest, what_follows_a_lost_batch_goes_again_under_its_old_number_where_it_may_be_stored) {
  const auto producer = lose_first(ErrorCode::duplicate_sequence_number);
  EXPECT_FALSE(deliveries.at(1).error) << deliveries.at(1).context;
  send(*producer, "c");
  producer->flush();
  EXPECT_EQ(seen.back().epoch, 1);
  EXPECT_EQ(seen.back().base_sequence, 0);
  EXPECT_EQ(stored, (std::vector<std::string>{"c"}));
}

TEST_F(SenderInDoubtTest, what_follows_a_lost_batch_fails_where_the_broker_cannot_say_whether_it_is_stored) {
  const auto producer = lose_first(ErrorCode::out_of_order_sequence_number);
  EXPECT_EQ(deliveries.at(1).error, ErrorCode::out_of_order_sequence_number);
  EXPECT_NE(deliveries.at(1).context.find("it may be stored; an earlier batch failed"), std::string::npos)
      << deliveries.at(1).context;
  send(*producer, "c");
  producer->flush();
  EXPECT_FALSE(deliveries.at(2).error) << deliveries.at(2).context;
  EXPECT_EQ(stored, (std::vector<std::string>{"c"}));
}

TEST_F(SenderTest, retries_end_with_the_last_cause) {
  script.assign(20, ErrorCode::not_enough_replicas);
  const auto producer = make_producer({{"retries", "3"}});
  send(*producer, "a");
  producer->flush();
  EXPECT_EQ(seen.size(), 4U);
  EXPECT_EQ(deliveries.at(0).error, ErrorCode::not_enough_replicas);
  EXPECT_NE(deliveries.at(0).context.find("4 attempts"), std::string::npos) << deliveries.at(0).context;
}

TEST_F(SenderTest, delivery_timeout_says_what_was_tried) {
  script.assign(1000, ErrorCode::not_leader_or_follower);
  const auto producer = make_producer({{"request.timeout.ms", "1000"}, {"delivery.timeout.ms", "3000"}});
  send(*producer, "a");
  const auto started = env.clock().now();
  producer->flush();
  EXPECT_LE(env.clock().now() - started, 5s);
  EXPECT_EQ(deliveries.at(0).error, Errc::timed_out);
  EXPECT_NE(deliveries.at(0).context.find("delivery.timeout.ms=3000"), std::string::npos) << deliveries.at(0).context;
  EXPECT_NE(deliveries.at(0).context.find("t-0"), std::string::npos);
  EXPECT_NE(deliveries.at(0).context.find(std::to_string(seen.size()) + " attempts"), std::string::npos)
      << deliveries.at(0).context;
  EXPECT_NE(deliveries.at(0).context.find("broker 1 (b1:9092)"), std::string::npos) << deliveries.at(0).context;
  EXPECT_NE(deliveries.at(0).context.find("NOT_LEADER_OR_FOLLOWER"), std::string::npos) << deliveries.at(0).context;
}

TEST_F(SenderTest, delivery_timeout_does_not_wait_for_the_request_timeout) {
  const auto producer = make_producer({{"request.timeout.ms", "2000"}, {"delivery.timeout.ms", "3000"}});
  send(*producer, "a");
  producer->flush();
  script = {ErrorCode::not_enough_replicas, std::nullopt};
  const auto started = env.clock().now();
  env.run_for(1500ms);
  script = {std::nullopt, std::nullopt, ErrorCode::none};
  send(*producer, "b");  // no answer for 2 s, then again none
  env.run_for(2900ms);
  EXPECT_EQ(deliveries.size(), 1U);
  env.run_for(200ms);
  ASSERT_EQ(deliveries.size(), 2U) << "the second request has 1 s left";
  EXPECT_LT(env.clock().now() - started, 5s);
  EXPECT_EQ(deliveries[1].error, Errc::timed_out);
  EXPECT_NE(deliveries[1].context.find("2 attempts"), std::string::npos) << deliveries[1].context;
  EXPECT_NE(deliveries[1].context.find("broker 1 (b1:9092)"), std::string::npos) << deliveries[1].context;
  send(*producer, "c");
  producer->flush();
  EXPECT_FALSE(deliveries.at(2).error) << deliveries.at(2).context;
  EXPECT_EQ(seen.back().epoch, 1) << "what became of b is not known";
  EXPECT_EQ(seen.back().base_sequence, 0);
}

TEST_F(SenderTest, a_broker_that_never_answers_is_named) {
  script.assign(10, std::nullopt);
  const auto producer =
      make_producer({{"request.timeout.ms", "3000"}, {"delivery.timeout.ms", "3000"}, {"linger.ms", "0"}});
  send(*producer, "a");
  producer->flush();
  EXPECT_EQ(deliveries.at(0).error, Errc::timed_out);
  EXPECT_NE(deliveries.at(0).context.find("1 attempts"), std::string::npos) << deliveries.at(0).context;
  EXPECT_NE(deliveries.at(0).context.find("broker 1 (b1:9092)"), std::string::npos) << deliveries.at(0).context;
}

TEST_F(SenderTest, waits_grow_between_attempts) {
  script.assign(6, ErrorCode::not_enough_replicas);
  const auto producer = make_producer({{"retry.backoff.ms", "100"}, {"retry.backoff.max.ms", "1000"}});
  const auto started = env.clock().now();
  send(*producer, "a");
  producer->flush();
  // 100, 200, 400, 800, 1000, 1000 ms, each 20 % more or less.
  EXPECT_GE(env.clock().now() - started, 2800ms);
  EXPECT_LE(env.clock().now() - started, 4500ms);
}

TEST_F(SenderTest, a_lost_connection_loses_and_doubles_nothing_in_the_answers) {
  const auto producer = make_producer();
  send(*producer, "a");
  producer->flush();
  broker.stop();
  send(*producer, "b");
  send(*producer, "c");
  env.run_for(500ms);
  EXPECT_EQ(deliveries.size(), 1U);
  broker.start();
  producer->flush();
  EXPECT_EQ(stored, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(deliveries.size(), 3U);
}

TEST_F(SenderTest, records_linger_for_company_and_flush_does_not) {
  const auto producer = make_producer({{"linger.ms", "50"}, {"batch.size", "16384"}});
  send(*producer, "first");
  producer->flush();
  const auto sent = seen.size();
  send(*producer, "a");
  env.run_for(20ms);
  send(*producer, "b");
  EXPECT_EQ(seen.size(), sent);
  env.run_for(100ms);
  ASSERT_EQ(seen.size(), sent + 1);
  EXPECT_EQ(seen.back().values, (std::vector<std::string>{"a", "b"}));
  const auto started = env.clock().now();
  send(*producer, "c");
  producer->flush();
  EXPECT_LT(env.clock().now() - started, 20ms);
}

TEST_F(SenderTest, each_of_many_partitions_lingers_goes_and_expires_in_its_own_time) {
  constexpr std::int32_t kPartitions = 40;
  broker.serve_metadata(cluster({"b1"}, {{"t", std::vector<std::int32_t>(kPartitions, 1)}}));
  const auto producer = make_producer({{"linger.ms", "1000"},
                                       {"batch.size", "16384"},
                                       {"acks", "1"},
                                       {"enable.idempotence", "false"},
                                       {"max.in.flight.requests.per.connection", "1"},
                                       {"max.request.size", "1000"},  // five batches
                                       {"request.timeout.ms", "3000"},
                                       {"delivery.timeout.ms", "4000"}});
  std::map<std::int32_t, runtime::Duration> took;
  std::map<std::int32_t, Delivery> told;
  const auto send_to_each = [&] {
    for (std::int32_t i = 0; i < kPartitions; ++i) {
      const auto sent = env.clock().now();
      producer->send({.topic = "t", .partition = i, .value = std::string(100, 'x')}, [&, i, sent](const Delivery& d) {
        took[i] = env.clock().now() - sent;
        told[i] = d;
      });
      env.run_for(10ms);
    }
  };
  send_to_each();
  EXPECT_TRUE(seen.empty());
  env.run_for(2s);
  ASSERT_EQ(told.size(), std::size_t{kPartitions});
  EXPECT_EQ(seen.size(), std::size_t{kPartitions});
  for (const auto& [partition, time] : took) {
    EXPECT_FALSE(told[partition].error) << told[partition].context;
    EXPECT_GE(time, 1000ms) << partition;
    EXPECT_LE(time, 1015ms) << partition;
  }
  told.clear();
  script.assign(100, std::nullopt);
  send_to_each();
  env.run_for(5s);
  ASSERT_EQ(told.size(), std::size_t{kPartitions});
  for (const auto& [partition, time] : took) {
    EXPECT_EQ(told[partition].error, Errc::timed_out) << partition;
    EXPECT_GE(time, 4000ms) << partition;
    EXPECT_LE(time, 4005ms) << partition;
  }
  EXPECT_EQ(producer->metrics().buffered_records, 0U);
}

TEST_F(SenderTest, flush_sends_what_lingers_in_any_partition_and_later_batches_linger_again) {
  constexpr std::int32_t kPartitions = 10;
  broker.serve_metadata(cluster({"b1"}, {{"t", std::vector<std::int32_t>(kPartitions, 1)}}));
  const auto producer = make_producer({{"linger.ms", "1000"}, {"batch.size", "16384"}});
  for (int round = 1; round <= 3; ++round) {
    const auto began = env.clock().now();
    for (std::int32_t i = 0; i < kPartitions; ++i) producer->send({.topic = "t", .partition = i, .value = "v"});
    env.run_for(500ms);
    EXPECT_EQ(stored.size(), std::size_t{kPartitions} * static_cast<std::size_t>(2 * round - 2)) << "still lingers";
    producer->flush();
    EXPECT_LT(env.clock().now() - began, 600ms);
    for (std::int32_t i = 0; i < kPartitions; ++i) producer->send({.topic = "t", .partition = i, .value = "w"});
    env.run_for(1100ms);
    EXPECT_EQ(stored.size(), std::size_t{kPartitions} * static_cast<std::size_t>(2 * round));
  }
}

TEST_F(SenderTest, records_without_a_key_reach_every_partition_also_those_after_the_ones_used_first) {
  constexpr std::int32_t kPartitions = 40;
  broker.serve_metadata(cluster({"b1"}, {{"t", std::vector<std::int32_t>(kPartitions, 1)}}));
  const auto producer = make_producer();
  std::map<std::int32_t, int> counts;
  for (int i = 0; i < 100 * kPartitions; ++i) {
    producer->send({.topic = "t", .value = "v"}, [&](const Delivery& delivery) { ++counts[delivery.partition]; });
    env.run_for(2ms);  // long enough for a look at the queues' lengths
  }
  producer->flush();
  ASSERT_EQ(counts.size(), std::size_t{kPartitions});
  for (const auto& [partition, count] : counts) EXPECT_NEAR(count, 100, 50) << partition;
}

}  // namespace
}  // namespace barnabas::client
