// Tests code that uses Kafka against a real broker inside the test: it starts in milliseconds on a free port and leaves
// nothing behind.
#include <barnabas/barnabas.h>
#include <barnabas/embedded_broker.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace {

using namespace std::chrono_literals;

/// The code under test: counts the orders that a customer has placed.
int orders_of(const std::string& customer, barnabas::Consumer& consumer) {
  const barnabas::TopicPartition orders{"orders", 0};
  consumer.assign({orders});
  consumer.seek_to_beginning();
  const auto end = consumer.end_offsets({orders}).at(orders);
  int count = 0;
  while (consumer.position(orders) < end) {
    for (const auto& record : consumer.poll(100ms)) count += record.key() == customer ? 1 : 0;
  }
  return count;
}

TEST(Orders, are_counted_by_customer) {
  barnabas::EmbeddedBroker broker;
  barnabas::Producer producer{{{"bootstrap.servers", broker.bootstrap_servers()}}};
  for (const char* customer : {"ann", "ben", "ann"}) {
    producer.send_sync({.topic = "orders", .partition = 0, .key = customer, .value = "book"});
  }
  barnabas::Consumer consumer{{{"bootstrap.servers", broker.bootstrap_servers()}}};
  EXPECT_EQ(orders_of("ann", consumer), 2);
  EXPECT_EQ(orders_of("ben", consumer), 1);
  EXPECT_EQ(orders_of("eve", consumer), 0);
}

TEST(Orders, survive_a_restart_of_the_broker) {
  barnabas::EmbeddedBroker broker;
  barnabas::Producer producer{{{"bootstrap.servers", broker.bootstrap_servers()}}};
  producer.send_sync({.topic = "orders", .partition = 0, .key = "ann", .value = "book"});
  broker.stop();
  broker.start();
  barnabas::Consumer consumer{{{"bootstrap.servers", broker.bootstrap_servers()}}};
  EXPECT_EQ(orders_of("ann", consumer), 1);
}

}  // namespace
