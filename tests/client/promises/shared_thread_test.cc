#include <barnabas/barnabas.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <iterator>
#include <vector>

#include "barnabas/embedded_broker.h"

// Any number of clients share one thread.
namespace barnabas::promises {
namespace {

using namespace std::chrono_literals;

constexpr int kPairs = 100;  // of a producer and a consumer

std::ptrdiff_t threads_of_this_process() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/task"), std::filesystem::directory_iterator());
}

TEST(SharedThread, serves_200_clients_that_all_move_records) {
  EmbeddedBroker broker;
  Config config{{"bootstrap.servers", broker.bootstrap_servers()}};
  {
    Admin admin(config);
    NewTopic topic;
    topic.name = "shared";
    topic.partitions = kPairs;
    ASSERT_FALSE(admin.create_topics({topic}).at(0).error);
  }
  config.set("auto.offset.reset", "earliest");
  const auto before = threads_of_this_process();
  {
    const Runtime runtime = Runtime::make();
    std::vector<Producer> producers;
    std::vector<Consumer> consumers;
    std::atomic<int> delivered{0};
    Config sending{{"bootstrap.servers", broker.bootstrap_servers()}};
    for (int i = 0; i < kPairs; ++i) {
      producers.emplace_back(sending, ProducerOptions{.runtime = runtime});
      consumers.emplace_back(config, ConsumerOptions{.runtime = runtime});
      consumers.back().assign({{"shared", i}});
    }
    for (int i = 0; i < kPairs; ++i) {
      const std::string value = "of pair " + std::to_string(i);
      producers[static_cast<std::size_t>(i)].send(
          {.topic = "shared", .partition = i, .value = value},
          [&delivered](const Delivery& delivery) { delivered += delivery.ok() ? 1 : 0; });
    }
    for (Producer& producer : producers) producer.flush(30s);
    EXPECT_EQ(delivered, kPairs);
    for (int i = 0; i < kPairs; ++i) {
      Records records;
      for (int tries = 0; tries < 30 && records.empty(); ++tries)
        records = consumers[static_cast<std::size_t>(i)].poll(1s);
      ASSERT_EQ(records.size(), 1U) << consumers[static_cast<std::size_t>(i)].explain();
      EXPECT_EQ((*records.begin()).value(), "of pair " + std::to_string(i));
    }
    EXPECT_EQ(threads_of_this_process(), before + 1) << "200 clients have one thread between them";
  }
  EXPECT_EQ(threads_of_this_process(), before) << "it ended with the last of them";
}

}  // namespace
}  // namespace barnabas::promises
