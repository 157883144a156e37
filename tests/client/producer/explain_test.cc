#include <gtest/gtest.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>

#include "barnabas/producer.h"
#include "barnabas/producer_async.h"
#include "client/core/client_runtime.h"
#include "common/protocol/errors.h"
#include "common/protocol/messages/init_producer_id.h"
#include "common/protocol/messages/produce.h"
#include "tests/client/core/scripted_broker.h"

// Every reason for which a record is still under way, brought about and named by Producer::explain().
namespace barnabas::client {
namespace {

using namespace std::chrono_literals;
using protocol::ApiKey;
using protocol::ErrorCode;

class ProducerExplain : public ::testing::Test {
 protected:
  /// What the n-th Produce request gets.
  struct Answer {
    ErrorCode error = ErrorCode::none;
    std::int32_t throttle_ms = 0;
    bool is_held = false;
  };

  ProducerExplain() {
    serve({1});
    broker.on(ApiKey::init_producer_id, 0, 5, [this](std::int16_t version, Reader&, Writer& out) {
      protocol::InitProducerIdResponse response;
      response.producer_id = 500;
      response.producer_epoch = 0;
      response.error_code = protocol::code_of(id_error);
      return !id_is_silent && response.encode(out, version).has_value();
    });
    broker.on(ApiKey::produce, 3, 12, [this](std::int16_t version, Reader& in, Writer& out) {
      const std::size_t number = requests++;
      const Answer answer = number < answers.size() ? answers[number] : Answer{};
      if (answer.is_held) broker.hold_answer(1h);
      return respond(*protocol::ProduceRequest::decode(in, version), answer).encode(out, version).has_value();
    });
  }

  static protocol::ProduceResponse respond(const protocol::ProduceRequest& request, const Answer& answer) {
    protocol::ProduceResponse response;
    response.throttle_time_ms = answer.throttle_ms;
    for (const auto& topic : request.topic_data) {
      auto& to = response.responses.emplace_back();
      to.name = topic.name;
      for (const auto& partition : topic.partition_data) {
        auto& one = to.partition_responses.emplace_back();
        one.index = partition.index;
        one.error_code = protocol::code_of(answer.error);
        one.base_offset = answer.error == ErrorCode::none ? 0 : -1;
      }
    }
    return response;
  }

  void serve(const std::vector<std::int32_t>& leaders) { broker.serve_metadata(cluster({"a"}, {{"orders", leaders}})); }
  Producer make_producer(Config::Properties more = {}) {
    more.emplace("bootstrap.servers", "a:9092");
    more.emplace("linger.ms", "0");
    ProducerOptions options;
    options.runtime = Runtime(runtime);
    options.log.level = LogLevel::off;
    return Producer(Config(std::move(more)), std::move(options));
  }
  /// Without blocking, and then as much time as it takes to get stuck.
  void send(Producer& producer, std::int32_t partition = 0, const std::string& value = "v",
            runtime::Duration wait = 50ms, const std::string& topic = "orders") {
    producer.async_send({.topic = topic, .partition = partition, .value = value},
                        [](std::error_code, const Delivery&) {});
    env.run_for(wait);
  }
  static void expect(const Producer& producer, std::string_view cause) {
    EXPECT_NE(producer.explain().find(cause), std::string::npos)
        << "wanted: " << cause << "\nsaid: " << producer.explain();
  }

  runtime::VirtualEnv env{7};
  net::MemoryNetwork network{env};
  ScriptedBroker broker{env, network, "a", 9092};
  std::shared_ptr<ClientRuntime> runtime = ClientRuntime::make(env, network, "client");
  std::vector<Answer> answers;
  std::size_t requests = 0;
  ErrorCode id_error = ErrorCode::none;
  bool id_is_silent = false;
};

TEST_F(ProducerExplain, a_producer_that_has_nothing_to_do_or_is_closed) {
  auto producer = make_producer();
  expect(producer, "no records are under way");
  send(producer);
  EXPECT_EQ(producer.metrics().records_delivered, 1U);
  expect(producer, "no records are under way");
  producer.close(1s);
  expect(producer, "the producer is closed");
}

asio::awaitable<void> explain_after(runtime::Env* env, runtime::Duration pause, const Producer* producer,
                                    std::string* text) {
  co_await env->sleep_for(pause);
  *text = producer->explain();
}

TEST_F(ProducerExplain, a_close_that_waits) {
  answers = {{.is_held = true}};
  auto producer = make_producer();
  send(producer);
  std::string text;
  asio::co_spawn(env.executor(), explain_after(&env, 1s, &producer, &text), asio::detached);
  producer.close(2s);
  EXPECT_NE(text.find("the producer is being closed"), std::string::npos) << text;
  EXPECT_NE(text.find("orders-0: broker 1 (a:9092) has not answered a request sent "), std::string::npos) << text;
  expect(producer, "the producer is closed");
}

TEST_F(ProducerExplain, a_cluster_that_does_not_answer) {
  broker.stop();
  auto producer = make_producer();
  send(producer, 0, "v", 1s);
  expect(producer, "ms for topic orders: no broker of the cluster has answered yet");
  expect(producer, "bootstrap server a:9092");
  expect(producer, "nobody answers");
}

TEST_F(ProducerExplain, a_topic_that_is_not_there) {
  auto producer = make_producer();
  send(producer, 0, "v", 1s, "other");
  expect(producer, "ms for topic other: the topic is not known to the cluster");
}

TEST_F(ProducerExplain, a_partition_that_is_not_there) {
  auto producer = make_producer();
  send(producer, 3, "v", 1s);
  expect(producer, "ms for topic orders: the topic has 1 partitions only");
}

TEST_F(ProducerExplain, a_partition_without_a_leader) {
  serve({-1});
  auto producer = make_producer();
  send(producer, 0, "v", 1s);
  expect(producer, "orders-0: 1 batches wait, the oldest for 1.0 s: the partition has no leader");
}

TEST_F(ProducerExplain, a_batch_that_lingers) {
  auto producer = make_producer({{"linger.ms", "1000"}});
  send(producer, 0, "v", 400ms);
  expect(producer, "orders-0: 1 batches wait, the oldest for 0.4 s: lingers for 600 ms more (linger.ms=1000)");
}

TEST_F(ProducerExplain, a_producer_id_that_does_not_come) {
  id_is_silent = true;
  auto producer = make_producer();
  send(producer, 0, "v", 1s);
  expect(producer, "waits for a producer id (enable.idempotence=true)");
}

TEST_F(ProducerExplain, a_producer_id_that_is_refused) {
  id_error = ErrorCode::coordinator_load_in_progress;
  auto producer = make_producer();
  send(producer, 0, "v", 1s);
  expect(producer, "waits for a producer id (enable.idempotence=true); the last error: InitProducerId");
  expect(producer, "COORDINATOR_LOAD_IN_PROGRESS");
}

TEST_F(ProducerExplain, a_broker_that_does_not_answer) {
  answers = {{.is_held = true}};
  auto producer = make_producer();
  send(producer, 0, "v", 2s);
  expect(producer, "orders-0: broker 1 (a:9092) has not answered a request sent ");
}

TEST_F(ProducerExplain, as_many_requests_as_may_be_under_way) {
  serve({1, 1});
  answers = {{.is_held = true}};
  auto producer = make_producer({{"max.in.flight.requests.per.connection", "1"}});
  send(producer, 0);
  send(producer, 1);
  expect(producer, "orders-0: broker 1 (a:9092) has not answered a request sent ");
  expect(producer, "orders-1: 1 batches wait, the oldest for ");
  expect(producer, "broker 1 (a:9092) has not answered 1 requests (max.in.flight.requests.per.connection=1)");
}

TEST_F(ProducerExplain, a_back_off_after_an_error) {
  answers.assign(100, {.error = ErrorCode::not_enough_replicas});
  auto producer = make_producer({{"retry.backoff.ms", "1000"}});
  send(producer, 0, "v", 100ms);
  expect(producer, " ms before attempt 2; the last error, of attempt 1: orders-0: broker 1 (a:9092)");
  expect(producer, "NOT_ENOUGH_REPLICAS");
}

TEST_F(ProducerExplain, a_batch_that_is_sent_again_alone) {
  answers = {{}, {.error = ErrorCode::not_leader_or_follower}, {.is_held = true}};
  auto producer = make_producer({{"batch.size", "0"}});
  send(producer, 0, "warm up");
  network.set_delay(5ms, 5ms);  // so that both are under way at once
  send(producer, 0, "first", 0ms);
  send(producer, 0, "second", 0ms);
  env.run_for(1s);
  expect(producer, "is sent again alone, after the answers under way");
  expect(producer, "has not answered a request sent ");
  expect(producer, "NOT_LEADER_OR_FOLLOWER");
}

TEST_F(ProducerExplain, a_broker_that_cannot_be_reached) {
  auto producer = make_producer({{"metadata.recovery.strategy", "none"}});
  send(producer);
  broker.stop();
  env.run_for(10ms);
  send(producer, 0, "v", 3s);
  expect(producer, "orders-0: 1 batches wait, the oldest for 3.0 s: broker 1 (a:9092) cannot be reached since ");
  expect(producer, "nobody answers");
}

TEST_F(ProducerExplain, a_cluster_that_is_looked_for_again) {
  auto producer = make_producer();
  send(producer);
  broker.stop();
  env.run_for(10ms);
  send(producer, 0, "v", 3s);
  expect(producer, "broker 1 could not be reached, and the bootstrap servers are asked again: ");
  expect(producer, "bootstrap server a:9092");
}

TEST_F(ProducerExplain, a_broker_that_throttles) {
  answers = {{.throttle_ms = 5000}};
  auto producer = make_producer();
  send(producer);
  send(producer, 0, "v", 1s);
  expect(producer, "broker 1 (a:9092) throttles this client for ");
}

TEST_F(ProducerExplain, a_buffer_that_is_full) {
  answers = {{.is_held = true}};
  auto producer = make_producer({{"buffer.memory", "32768"}, {"batch.size", "16384"}});
  for (int i = 0; i < 4; ++i) send(producer, 0, std::string(10000, 'x'));
  expect(producer, "sends wait for room: ");
  expect(producer, "bytes of buffer.memory=32768 are in use");
}

TEST_F(ProducerExplain, numbers_that_must_start_again) {
  serve({-1});
  answers = {{.is_held = true}};
  auto producer = make_producer({{"delivery.timeout.ms", "3000"}, {"request.timeout.ms", "2500"}});
  send(producer, 0, "late", 2s);
  serve({1});
  env.run_for(1s);  // sent, and out of time before its answer
  EXPECT_EQ(producer.metrics().records_failed, 1U);
  send(producer, 0, "next", 100ms);
  expect(producer, "orders-0: 1 batches wait, the oldest for 0.1 s: waits for what is under way before its numbers");
}

}  // namespace
}  // namespace barnabas::client
