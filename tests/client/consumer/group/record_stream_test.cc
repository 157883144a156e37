#include <gtest/gtest.h>

#include <asio/awaitable.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <exception>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include "barnabas/admin.h"
#include "barnabas/consumer_async.h"
#include "barnabas/embedded_broker.h"
#include "barnabas/producer.h"

// Coroutines that read record by record, on a broker in this process.
namespace barnabas {
namespace {

using namespace std::chrono_literals;

constexpr std::int32_t kPartitions = 3;
using Seen = std::map<std::int32_t, std::vector<std::int64_t>>;  // offsets by partition

class RecordStreamTest : public ::testing::Test {
 protected:
  RecordStreamTest() {
    Admin admin(config());
    EXPECT_FALSE(admin.create_topics({NewTopic{.name = "t", .partitions = kPartitions}}).at(0).error);
  }
  Config config(const Config& more = {}) const {
    Config made{{"bootstrap.servers", broker_.bootstrap_servers()}};
    for (const auto& [name, value] : more.properties()) made.set(name, value);
    return made;
  }
  Config member() const { return config({{"group.id", "g"}, {"auto.offset.reset", "earliest"}}); }

  void produce(int count) {
    Producer producer(config());
    for (int i = 0; i < count; ++i) producer.send({.topic = "t", .partition = i % kPartitions, .value = "x"});
    producer.close();
  }
  /// Runs it to its end, and throws what it threw.
  void run(asio::awaitable<void> work) {
    std::exception_ptr failed;
    std::optional<bool> ended;
    asio::co_spawn(io_, std::move(work), [&](std::exception_ptr error) {
      failed = error;
      ended = true;
    });
    io_.restart();
    io_.run_for(30s);
    ASSERT_TRUE(ended) << "it hangs";
    if (failed) std::rethrow_exception(failed);
  }

  EmbeddedBroker broker_;
  asio::io_context io_;
};

asio::awaitable<void> take(Consumer& consumer, int count, Seen& seen) {
  auto records = consumer.records();
  for (int i = 0; i < count; ++i) {
    const RecordView* record = co_await records.next();
    if (record == nullptr) co_return;
    seen[record->partition()].push_back(record->offset());
  }
}

void expect_offsets_of_each_from(const Seen& seen, int count) {
  int total = 0;
  for (const auto& [partition, offsets] : seen) {
    for (std::size_t i = 0; i < offsets.size(); ++i) EXPECT_EQ(offsets[i], static_cast<std::int64_t>(i));
    total += static_cast<int>(offsets.size());
  }
  EXPECT_EQ(total, count);
}

TEST_F(RecordStreamTest, gives_every_record_once_and_in_order) {
  produce(300);
  Consumer consumer(member().set("max.poll.records", "7"));
  consumer.subscribe({"t"});
  Seen seen;
  run(take(consumer, 300, seen));
  expect_offsets_of_each_from(seen, 300);
}

TEST_F(RecordStreamTest, gives_back_what_nobody_took) {
  produce(300);
  Seen seen;
  for (int i = 0; i < 10; ++i) {
    Consumer consumer(member());  // whose polls return up to 500
    consumer.subscribe({"t"});
    run(take(consumer, 20, seen));
    run(take(consumer, 10, seen));
    consumer.close();  // commits
  }
  expect_offsets_of_each_from(seen, 300);
}

TEST_F(RecordStreamTest, polls_only_when_all_has_been_taken) {
  produce(300);
  Consumer consumer(member());
  consumer.subscribe({"t"});
  Seen seen;
  run(take(consumer, 1, seen));
  EXPECT_EQ(consumer.metrics().polls, 1U);
}

asio::awaitable<void> read_to_the_end(Consumer& consumer, int& seen) {
  auto records = consumer.records();
  while (co_await records.next()) ++seen;
  const RecordView* again = co_await records.next();
  EXPECT_EQ(again, nullptr);
}
asio::awaitable<void> close_after(Consumer& consumer, const int& seen, int wanted) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  while (seen < wanted) {
    timer.expires_after(10ms);
    co_await timer.async_wait(asio::use_awaitable);
  }
  consumer.close();
}

TEST_F(RecordStreamTest, ends_when_the_consumer_is_closed) {
  produce(30);
  Consumer consumer(member());
  consumer.subscribe({"t"});
  int seen = 0;
  asio::co_spawn(io_, close_after(consumer, seen, 30), asio::detached);
  run(read_to_the_end(consumer, seen));
  EXPECT_EQ(seen, 30);
}

asio::awaitable<void> read_over_an_error(Consumer& consumer, std::set<std::error_code>& errors, int& seen) {
  auto records = consumer.records();
  for (;;) {
    try {
      const RecordView* record = co_await records.next();
      if (record == nullptr || ++seen == 30) co_return;
    } catch (const std::system_error& error) {
      errors.insert(error.code());
    }
  }
}

TEST_F(RecordStreamTest, throws_what_a_poll_fails_with_and_goes_on) {
  produce(30);
  Consumer consumer(member());
  consumer.subscribe({"t"});
  consumer.wakeup();
  std::set<std::error_code> errors;
  int seen = 0;
  run(read_over_an_error(consumer, errors, seen));
  EXPECT_EQ(seen, 30);
  EXPECT_EQ(errors, std::set<std::error_code>{make_error_code(Errc::woken_up)});
}

asio::awaitable<void> wait_for_ever(Consumer& consumer) {
  auto records = consumer.records();
  co_await records.next();
}

TEST_F(RecordStreamTest, can_be_cancelled_while_it_waits) {
  Consumer consumer(member());
  consumer.subscribe({"t"});
  asio::cancellation_signal signal;
  std::optional<std::exception_ptr> ended;
  asio::co_spawn(io_, wait_for_ever(consumer),
                 asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr error) { ended = error; }));
  io_.run_for(100ms);
  EXPECT_FALSE(ended);
  signal.emit(asio::cancellation_type::terminal);
  io_.run_for(10s);
  ASSERT_TRUE(ended && *ended);
  EXPECT_THROW(std::rethrow_exception(*ended), std::system_error);
}

}  // namespace
}  // namespace barnabas
