#include <barnabas/barnabas.h>
#include <gtest/gtest.h>

#include <asio/post.hpp>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "client/core/client_runtime.h"
#include "common/net/memory_network.h"
#include "common/runtime/virtual_env.h"

// A blocking call on the client's own reactor would wait for itself: each of them says so at once instead.
namespace barnabas::promises {
namespace {

using namespace std::chrono_literals;

class WouldDeadlock : public ::testing::Test {
 protected:
  struct Call {
    std::string name;
    std::function<void()> make;
  };

  template <typename Options>
  Options options() const {
    Options made;
    made.runtime = Runtime(runtime);
    made.log.level = LogLevel::off;
    return made;
  }
  /// Makes each call on the reactor, and wants Errc::would_deadlock in no time.
  void expect_refused(const std::vector<Call>& calls) {
    for (const Call& call : calls) {
      std::error_code code;
      bool is_done = false;
      const auto began = env.clock().now();
      asio::post(runtime->executor(), [&] {
        try {
          call.make();
        } catch (const Error& error) {
          code = error.code();
        }
        is_done = true;
      });
      env.run_until([&] { return is_done; }, began + 1h);
      EXPECT_TRUE(is_done) << call.name << " hangs";
      EXPECT_EQ(code, Errc::would_deadlock) << call.name << ": " << code.message();
      EXPECT_EQ(env.clock().now(), began) << call.name << " takes its time";
    }
  }

  runtime::VirtualEnv env{1};
  net::MemoryNetwork network{env};
  std::shared_ptr<client::ClientRuntime> runtime = client::ClientRuntime::make(env, network, "reactor");
  const Config config{{"bootstrap.servers", "nobody:9092"}};
};

TEST_F(WouldDeadlock, is_what_every_blocking_call_of_a_producer_says) {
  Producer producer(config, options<ProducerOptions>());
  const Record record{.topic = "t", .value = "v"};
  expect_refused({
      {"send, while the topic is unknown", [&] { producer.send(record); }},
      {"send_sync", [&] { producer.send_sync(record); }},
      {"flush", [&] { producer.flush(); }},
      {"flush within a time", [&] { producer.flush(1s); }},
      {"partitions_for", [&] { producer.partitions_for("t"); }},
      {"close", [&] { producer.close(); }},
  });
  EXPECT_EQ(producer.metrics().records_sent, 0U) << "a refused record is not taken";
}

TEST_F(WouldDeadlock, is_what_every_blocking_call_of_a_consumer_says) {
  Consumer consumer(config, options<ConsumerOptions>());
  const TopicPartition where{"t", 0};
  consumer.assign({where});
  expect_refused({
      {"poll", [&] { consumer.poll(1s); }},
      {"position", [&] { consumer.position(where); }},
      {"offsets_for_times",
       [&] {
         consumer.offsets_for_times({{where, Timestamp(0ms)}});
       }},
      {"beginning_offsets", [&] { consumer.beginning_offsets({where}); }},
      {"end_offsets", [&] { consumer.end_offsets({where}); }},
      {"partitions_for", [&] { consumer.partitions_for("t"); }},
      {"close", [&] { consumer.close(); }},
  });
}

TEST_F(WouldDeadlock, is_what_every_blocking_call_of_a_member_says) {
  const Config as_member{{"bootstrap.servers", "nobody:9092"}, {"group.id", "billing"}};
  Consumer consumer(as_member, options<ConsumerOptions>());
  const TopicPartition where{"t", 0};
  consumer.subscribe({"t"});
  expect_refused({
      {"poll", [&] { consumer.poll(1s); }},
      {"commit_sync",
       [&] {
         consumer.commit_sync({{where, OffsetAndMetadata{5}}});
       }},
      {"committed", [&] { consumer.committed({where}); }},
      {"unsubscribe", [&] { consumer.unsubscribe(); }},
      {"close", [&] { consumer.close(); }},
  });
  EXPECT_EQ(consumer.subscription(), std::vector<std::string>{"t"}) << "a refused unsubscribe changes nothing";
}

TEST_F(WouldDeadlock, is_what_every_blocking_call_of_an_admin_says) {
  Admin admin(config, options<AdminOptions>());
  expect_refused({
      {"create_topics", [&] { admin.create_topics({NewTopic{.name = "t"}}); }},
      {"delete_topics", [&] { admin.delete_topics({"t"}); }},
      {"list_topics", [&] { admin.list_topics(); }},
      {"describe_topics", [&] { admin.describe_topics({"t"}); }},
      {"describe_configs", [&] { admin.describe_configs({}); }},
      {"describe_cluster", [&] { admin.describe_cluster(); }},
      {"list_offsets", [&] { admin.list_offsets({}); }},
      {"api_versions", [&] { admin.api_versions(); }},
      {"list_groups", [&] { admin.list_groups(); }},
      {"describe_groups", [&] { admin.describe_groups({"g"}); }},
      {"delete_groups", [&] { admin.delete_groups({"g"}); }},
      {"list_group_offsets", [&] { admin.list_group_offsets("g"); }},
      {"alter_group_offsets", [&] { admin.alter_group_offsets("g", {}); }},
      {"delete_group_offsets", [&] { admin.delete_group_offsets("g", {}); }},
  });
}

TEST_F(WouldDeadlock, is_not_what_calls_say_that_do_not_block) {
  auto producer = std::make_unique<Producer>(config, options<ProducerOptions>());
  auto consumer = std::make_unique<Consumer>(config, options<ConsumerOptions>());
  auto admin = std::make_unique<Admin>(config, options<AdminOptions>());
  bool is_done = false;
  asio::post(runtime->executor(), [&] {
    consumer->assign({{"t", 0}});
    consumer->seek({"t", 0}, 5);
    EXPECT_EQ(consumer->position({"t", 0}), 5) << "known already";
    EXPECT_TRUE(consumer->poll(0ms).empty());
    EXPECT_FALSE(consumer->explain().empty());
    EXPECT_FALSE(producer->explain().empty());
    admin->close();
    producer.reset();
    consumer.reset();
    admin.reset();
    is_done = true;
  });
  const auto began = env.clock().now();
  EXPECT_TRUE(env.run_until([&] { return is_done; }, began + 1h));
  EXPECT_EQ(env.clock().now(), began) << "destructors on the reactor do not wait either";
  env.run_until([] { return false; }, began + 1min);  // what they left behind ends by itself
}

}  // namespace
}  // namespace barnabas::promises
