#include "barnabas/producer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>
#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include "barnabas/admin.h"
#include "barnabas/consumer.h"
#include "barnabas/embedded_broker.h"
#include "barnabas/producer_async.h"
#include "barnabas/runtime_async.h"
#include "client/producer/partition_hash.h"
#include "common/protocol/errors.h"

namespace barnabas {
namespace {

using namespace std::chrono_literals;
using protocol::ErrorCode;

class ProducerTest : public ::testing::Test {
 protected:
  Config config(Config::Properties more = {}) const {
    more.emplace("bootstrap.servers", broker.bootstrap_servers());
    return Config(std::move(more));
  }
  void make_topic(const std::string& name, std::int32_t partitions, std::map<std::string, std::string> configs = {}) {
    Admin admin(config());
    NewTopic topic;
    topic.name = name;
    topic.partitions = partitions;
    topic.configs = std::move(configs);
    const auto created = admin.create_topics({topic});
    ASSERT_FALSE(created.at(0).error) << created.at(0).error.context;
  }
  std::vector<OwnedRecord> read_all(const std::string& topic, std::int32_t partitions, std::size_t count) const {
    Consumer consumer(config());
    std::vector<TopicPartition> all;
    for (std::int32_t p = 0; p < partitions; ++p) all.push_back({topic, p});
    consumer.assign(all);
    consumer.seek_to_beginning(all);
    std::vector<OwnedRecord> records;
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (records.size() < count && std::chrono::steady_clock::now() < end) {
      const auto polled = consumer.poll(200ms);
      for (const RecordView& record : polled) records.emplace_back(record);
    }
    return records;
  }

  EmbeddedBroker broker;
};

TEST_F(ProducerTest, delivers_records_in_order_and_says_where) {
  make_topic("orders", 1);
  Producer producer(config());
  std::vector<std::int64_t> offsets;
  constexpr int kCount = 5000;
  for (int i = 0; i < kCount; ++i) {
    const std::string value = "value " + std::to_string(i);
    const std::array<Header, 2> headers{Header{"n", "1"}, Header{"none", nullptr}};
    producer.send({.topic = "orders", .key = std::to_string(i), .value = value, .headers = headers},
                  [&offsets](const Delivery& d) {
                    EXPECT_FALSE(d.error) << d.context;
                    EXPECT_EQ(d.topic, "orders");
                    offsets.push_back(d.offset);
                  });
  }
  producer.flush();
  ASSERT_EQ(offsets.size(), static_cast<std::size_t>(kCount));
  EXPECT_TRUE(std::is_sorted(offsets.begin(), offsets.end()));
  EXPECT_EQ(offsets.front(), 0);
  EXPECT_EQ(offsets.back(), kCount - 1);
  const auto records = read_all("orders", 1, kCount);
  ASSERT_EQ(records.size(), static_cast<std::size_t>(kCount));
  for (int i = 0; i < kCount; ++i) {
    const OwnedRecord& record = records[static_cast<std::size_t>(i)];
    EXPECT_EQ(record.key, std::to_string(i));
    EXPECT_EQ(record.value, "value " + std::to_string(i));
  }
  const ProducerMetrics metrics = producer.metrics();
  EXPECT_EQ(metrics.records_sent, static_cast<std::uint64_t>(kCount));
  EXPECT_EQ(metrics.records_delivered, static_cast<std::uint64_t>(kCount));
  EXPECT_EQ(metrics.records_failed, 0U);
  EXPECT_EQ(metrics.buffer_bytes, 0U);
  EXPECT_GT(metrics.batches_sent, 5U);
}

TEST_F(ProducerTest, send_sync_does_not_wait_for_linger) {
  make_topic("sync", 1);
  Producer producer(config({{"linger.ms", "1000"}, {"delivery.timeout.ms", "120000"}}));
  EXPECT_EQ(producer.send_sync({.topic = "sync", .value = "first"}).offset, 0);
  const auto started = std::chrono::steady_clock::now();
  for (int i = 1; i <= 10; ++i) EXPECT_EQ(producer.send_sync({.topic = "sync", .value = "x"}).offset, i);
  EXPECT_LT(std::chrono::steady_clock::now() - started, 900ms);  // ten lingers would be ten seconds
}

TEST_F(ProducerTest, every_compression_and_acks_is_stored_and_read_back) {
  for (const std::string codec : {"none", "gzip", "snappy", "lz4", "zstd"}) {
    for (const std::string acks : {"0", "1", "all"}) {
      SCOPED_TRACE(codec + " " + acks);
      const std::string topic = "t-" + codec + "-" + acks;
      make_topic(topic, 2);
      {
        Producer producer(config({{"compression.type", codec}, {"acks", acks}}));
        std::atomic<int> delivered{0};
        for (int i = 0; i < 1000; ++i) {
          producer.send({.topic = topic, .partition = i % 2, .value = "value value value value " + std::to_string(i)},
                        [&](const Delivery& d) { delivered += d.error ? 0 : 1; });
        }
        producer.flush();
        EXPECT_EQ(delivered, 1000);
      }
      EXPECT_EQ(read_all(topic, 2, 1000).size(), 1000U);
    }
  }
}

TEST_F(ProducerTest, chooses_partitions_as_its_settings_say) {
  make_topic("parts", 6);
  Producer keyed(config());
  for (const std::string key : {"a", "42", "some longer key"}) {
    const Delivery delivery = keyed.send_sync({.topic = "parts", .key = key, .value = "v"});
    EXPECT_EQ(delivery.partition, client::murmur2_partition(as_bytes(key), 6)) << key;
  }
  EXPECT_EQ(keyed.send_sync({.topic = "parts", .partition = 4, .key = "a", .value = "v"}).partition, 4);
  EXPECT_EQ(keyed.partitions_for("parts").size(), 6U);

  Producer round(config({{"partitioner.class", "RoundRobinPartitioner"}}));
  std::set<std::int32_t> seen;
  for (int i = 0; i < 6; ++i) seen.insert(round.send_sync({.topic = "parts", .value = "v"}).partition);
  EXPECT_EQ(seen.size(), 6U);

  Producer crc(config({{"partitioner.class", "consistent_random"}}));
  EXPECT_EQ(crc.send_sync({.topic = "parts", .key = "a", .value = "v"}).partition,
            client::crc32_partition(as_bytes("a"), 6));

  ProducerOptions options;
  options.partitioner = [](const PartitionChoice& choice) { return choice.value.text() == "bad" ? 99 : 5; };
  Producer own(config(), std::move(options));
  EXPECT_EQ(own.send_sync({.topic = "parts", .key = "a", .value = "v"}).partition, 5);
  EXPECT_THROW(own.send({.topic = "parts", .value = "bad"}), Error);
}

TEST_F(ProducerTest, what_cannot_be_sent_is_said_at_once_and_by_name) {
  make_topic("small", 1, {{"max.message.bytes", "2000"}});
  Producer producer(config({{"max.block.ms", "300"}, {"max.request.size", "10000"}}));
  const std::string large(20000, 'x');
  try {
    producer.send({.topic = "small", .value = large});
    ADD_FAILURE() << "a record above max.request.size was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::message_too_large);
    EXPECT_NE(std::string(error.what()).find("max.request.size"), std::string::npos) << error.what();
  }
  try {
    producer.send_sync({.topic = "small", .value = std::string(5000, 'x')});
    ADD_FAILURE() << "a record above max.message.bytes was stored";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::message_too_large);
    EXPECT_NE(std::string(error.what()).find("small-0"), std::string::npos) << error.what();
  }
  EXPECT_EQ(producer.send_sync({.topic = "small", .value = "fits"}).offset, 0)
      << "the sequence goes on after a failure";
  EXPECT_THROW(producer.send({.topic = "small", .partition = 3, .value = "v"}), Error);
  EXPECT_THROW(producer.send({.topic = "bad/name", .value = "v"}), Error);
  EXPECT_THROW(producer.send({.topic = "", .value = "v"}), Error);
  const Timestamp before_1970{std::chrono::milliseconds(-1)};
  EXPECT_THROW(producer.send({.topic = "small", .value = "v", .timestamp = before_1970}), Error);
}

TEST_F(ProducerTest, a_batch_too_large_for_the_topic_is_sent_in_halves) {
  make_topic("halves", 1, {{"max.message.bytes", "3000"}});
  Producer producer(config({{"linger.ms", "200"}}));
  std::atomic<int> delivered{0};
  std::vector<std::int64_t> offsets;
  for (int i = 0; i < 40; ++i) {
    producer.send({.topic = "halves", .value = std::string(300, static_cast<char>('a' + i % 26))},
                  [&](const Delivery& d) {
                    EXPECT_FALSE(d.error) << d.context;
                    offsets.push_back(d.offset);
                    ++delivered;
                  });
  }
  producer.flush();
  EXPECT_EQ(delivered, 40);
  EXPECT_TRUE(std::is_sorted(offsets.begin(), offsets.end()));
  const auto records = read_all("halves", 1, 40);
  ASSERT_EQ(records.size(), 40U);
  for (std::size_t i = 0; i < records.size(); ++i) {
    EXPECT_EQ(records[i].value, std::string(300, static_cast<char>('a' + i % 26)));
  }
}

TEST_F(ProducerTest, a_full_buffer_blocks_and_then_fails) {
  make_topic("full", 1);
  Producer producer(config({{"buffer.memory", "40000"}, {"batch.size", "10000"}, {"max.block.ms", "2000"}}));
  producer.send_sync({.topic = "full", .value = "first"});
  std::atomic<int> ended{0};
  for (int i = 0; i < 500; ++i) {
    producer.send({.topic = "full", .value = std::string(1000, 'x')}, [&ended](const Delivery&) { ++ended; });
  }
  producer.flush();
  EXPECT_EQ(ended, 500);
  EXPECT_LE(producer.metrics().buffer_bytes, 40000U);
  broker.stop();
  try {
    for (int i = 0; i < 100; ++i) producer.send({.topic = "full", .value = std::string(1000, 'x')});
    ADD_FAILURE() << "more than buffer.memory was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::timed_out);
    EXPECT_NE(std::string(error.what()).find("buffer.memory"), std::string::npos) << error.what();
  }
  EXPECT_GT(producer.metrics().blocked_sends, 0U);
}

TEST_F(ProducerTest, callbacks_count_against_buffer_memory) {
  constexpr std::size_t kLimit = 400'000;
  constexpr std::size_t kLeastBytes = 80;  // of a callback with such captures
  make_topic("counted", 1);
  Producer producer(config({{"buffer.memory", std::to_string(kLimit)}, {"max.block.ms", "300"}}));
  producer.send_sync({.topic = "counted", .value = "first"});
  broker.stop();
  std::size_t ended = 0;
  std::size_t taken = 0;
  try {
    for (; taken < kLimit; ++taken) {
      producer.send({.topic = "counted", .value = "x"},
                    [&ended, more = std::array<std::size_t, 4>{}](const Delivery&) { ended += 1 + more[0]; });
      ASSERT_LE(producer.metrics().buffer_bytes, kLimit);
    }
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::timed_out);
  }
  EXPECT_LE(taken * (kLeastBytes - 24), kLimit);
  EXPECT_GE(taken * kLeastBytes, kLimit / 2) << "half of it was of no use";
  producer.close(std::chrono::milliseconds(0));
  EXPECT_EQ(ended, taken);
  EXPECT_EQ(producer.metrics().buffer_bytes, 0U);
}

TEST_F(ProducerTest, tells_each_record_its_own_time) {
  make_topic("times", 1);
  Producer producer(config({}));
  std::vector<Timestamp> told;
  std::vector<Timestamp> given;
  for (int i = 0; i < 5; ++i) {
    // 1970, and ages later: a callback's time is kept by its distance from the first one's.
    given.emplace_back(std::chrono::milliseconds(i % 2 == 0 ? i : std::int64_t{1} << 55));
    producer.send({.topic = "times", .value = "x", .timestamp = given.back()},
                  [&told](const Delivery& delivery) { told.push_back(delivery.timestamp); });
  }
  producer.flush();
  EXPECT_EQ(told, given);
}

TEST_F(ProducerTest, completion_tokens_of_asio_work) {
  make_topic("async", 1);
  asio::io_context context;
  Producer producer(config(), {.runtime = Runtime::on(context.get_executor())});
  std::int64_t offset = -1;
  bool refused = false;
  const auto work = [](Producer& p, std::int64_t& where, bool& no) -> asio::awaitable<void> {
    const Record record{.topic = "async", .value = "v"};
    const Delivery delivery = co_await p.async_send(record, asio::use_awaitable);
    where = delivery.offset;
    const Record bad{.topic = "", .value = "v"};
    try {
      co_await p.async_send(bad, asio::use_awaitable);
    } catch (const std::system_error&) {
      no = true;
    }
    co_await p.async_flush(asio::use_awaitable);
  };
  asio::co_spawn(context, work(producer, offset, refused), [&context](std::exception_ptr thrown) {
    EXPECT_FALSE(thrown);
    context.stop();
  });
  context.run_for(20s);
  EXPECT_EQ(offset, 0);
  EXPECT_TRUE(refused);
  context.restart();
  std::thread runner([&context] { context.run_for(5s); });
  auto future = producer.async_send({.topic = "async", .value = "v"}, asio::use_future);
  EXPECT_EQ(future.get().offset, 1);
  producer.close(1s);
  context.stop();
  runner.join();
}

TEST_F(ProducerTest, async_send_can_be_cancelled_while_it_waits) {
  asio::io_context context;
  std::optional<Producer> producer;
  producer.emplace(config({{"max.block.ms", "30000"}}),
                   ProducerOptions{.runtime = Runtime::on(context.get_executor())});
  broker.stop();
  asio::cancellation_signal cancel;
  std::error_code seen;
  const Record record{.topic = "never", .value = "v"};
  producer->async_send(record, asio::bind_cancellation_slot(cancel.slot(), [&](std::error_code error, const Delivery&) {
                         seen = error;
                         context.stop();
                       }));
  asio::post(context, [&cancel] { cancel.emit(asio::cancellation_type::terminal); });
  const auto started = std::chrono::steady_clock::now();
  context.run_for(20s);
  EXPECT_EQ(seen, Errc::cancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - started, 10s);
  producer.reset();
  context.restart();
  context.run_for(20s);  // what the producer left to do on the user's executor
}

TEST_F(ProducerTest, survives_a_broker_that_goes_away_and_comes_back) {
  make_topic("restart", 1);
  Producer producer(config({{"linger.ms", "0"}}));
  std::atomic<int> delivered{0};
  std::atomic<int> failed{0};
  const auto count = [&](const Delivery& d) { ++(d.error ? failed : delivered); };
  for (int i = 0; i < 300; ++i) {
    if (i == 100) broker.stop();
    if (i == 200) broker.start();
    producer.send({.topic = "restart", .value = std::to_string(i)}, count);
  }
  producer.flush();
  EXPECT_EQ(delivered, 300);
  EXPECT_EQ(failed, 0);
  const auto records = read_all("restart", 1, 300);
  ASSERT_EQ(records.size(), 300U);
  for (int i = 0; i < 300; ++i) EXPECT_EQ(records[static_cast<std::size_t>(i)].value, std::to_string(i));
}

TEST_F(ProducerTest, the_destructor_fails_what_is_unsent_and_calls_back) {
  make_topic("end", 1);
  std::atomic<int> ended{0};
  std::atomic<int> failed{0};
  std::string logged;
  {
    ProducerOptions options;
    options.log.write = [&logged](LogLevel, std::string_view, std::string_view line) {
      logged += std::string(line) + "\n";
    };
    Producer producer(config({{"linger.ms", "60000"}, {"delivery.timeout.ms", "100000"}}), std::move(options));
    for (int i = 0; i < 10; ++i) {
      producer.send({.topic = "end", .value = "v"}, [&](const Delivery& d) {
        ++ended;
        if (d.error == Errc::closed) ++failed;
      });
    }
  }
  EXPECT_EQ(ended, 10);
  EXPECT_EQ(failed, 10);
  EXPECT_NE(logged.find("10 records"), std::string::npos) << logged;
}

TEST_F(ProducerTest, the_destructor_calls_back_for_batches_that_are_being_compressed) {
  make_topic("squeezed", 1);
  std::string value(20'000, ' ');
  for (std::size_t i = 0; i < value.size(); ++i) value[i] = static_cast<char>('a' + i * i % 23);
  for (int round = 0; round < 20; ++round) {
    int ended = 0;
    int taken = 0;
    {
      ProducerOptions options;
      options.log.level = LogLevel::off;
      Producer producer(config({{"compression.type", "gzip"}, {"compression.gzip.level", "9"}, {"linger.ms", "0"}}),
                        std::move(options));
      producer.partitions_for("squeezed");
      for (; taken < 20; ++taken) {
        producer.send({.topic = "squeezed", .value = value}, [&ended](const Delivery&) { ++ended; });
      }
    }
    EXPECT_EQ(ended, taken) << "round " << round;
  }
}

TEST_F(ProducerTest, close_ends_sends_that_wait_at_once) {
  make_topic("known", 1);
  ProducerOptions options;
  options.log.level = LogLevel::off;
  Producer producer(config({{"max.block.ms", "60000"}, {"buffer.memory", "40000"}, {"batch.size", "40000"}}),
                    std::move(options));
  producer.send_sync({.topic = "known", .value = "v"});
  broker.stop();
  producer.send({.topic = "known", .value = "never answered: what close() waits for"});
  std::atomic<int> closed{0};
  std::vector<std::thread> waiting;
  for (const std::string topic : {"never seen", "known"}) {  // one waits for metadata, one for room
    waiting.emplace_back([&producer, &closed, topic] {
      try {
        producer.send({.topic = topic, .value = std::string(39'900, 'x')});
      } catch (const Error& error) {
        closed += error.code() == Errc::closed ? 1 : 0;
      }
    });
  }
  waiting.emplace_back([&producer, &closed] {
    try {
      producer.partitions_for("never seen");
    } catch (const Error& error) {
      closed += error.code() == Errc::closed ? 1 : 0;
    }
  });
  const auto give_up = std::chrono::steady_clock::now() + 20s;
  while (producer.metrics().blocked_sends < 2 && std::chrono::steady_clock::now() < give_up) std::this_thread::yield();
  std::atomic<bool> close_ended{false};
  std::thread closer([&producer, &close_ended] {
    producer.close(15s);
    close_ended = true;
  });
  for (std::thread& thread : waiting) thread.join();
  EXPECT_FALSE(close_ended) << "they were to end before the 15 s of close()";
  EXPECT_EQ(closed, 3);
  broker.start();
  closer.join();
}

TEST_F(ProducerTest, a_close_that_would_deadlock_closes_nothing) {
  make_topic("open", 1);
  Producer producer(config());
  std::error_code seen;
  producer.send({.topic = "open", .value = "v"}, [&](const Delivery&) {
    try {
      producer.close();
    } catch (const Error& error) {
      seen = error.code();
    }
  });
  producer.flush();
  EXPECT_EQ(seen, Errc::would_deadlock);
  EXPECT_EQ(producer.send_sync({.topic = "open", .value = "v"}).offset, 1);
}

TEST_F(ProducerTest, tells_the_users_metrics_sink_by_itself_and_at_the_end) {
  make_topic("measured", 1);
  std::mutex mutex;
  std::vector<ProducerMetrics> seen;
  std::string client;
  {
    ProducerOptions options;
    options.metrics.interval = 10ms;
    options.metrics.write = [&](std::string_view id, const ProducerMetrics& metrics) {
      const std::lock_guard lock(mutex);
      client = id;
      seen.push_back(metrics);
    };
    Producer producer(config({{"client.id", "measured producer"}}), std::move(options));
    for (int i = 0; i < 3; ++i) producer.send_sync({.topic = "measured", .value = "v"});
    const auto give_up = std::chrono::steady_clock::now() + 20s;
    for (std::size_t count = 0; count < 3 && std::chrono::steady_clock::now() < give_up;) {
      std::this_thread::yield();
      const std::lock_guard lock(mutex);
      count = seen.size();
    }
  }
  ASSERT_GE(seen.size(), 4U);
  EXPECT_EQ(client, "measured producer");
  EXPECT_EQ(seen.back().records_delivered, 3U);
  EXPECT_EQ(seen.back().connections.connections_open, 0U);
}

TEST_F(ProducerTest, close_delivers_first_and_takes_no_more) {
  make_topic("close", 1);
  Producer producer(config({{"linger.ms", "60000"}, {"delivery.timeout.ms", "100000"}}));
  std::atomic<int> delivered{0};
  for (int i = 0; i < 10; ++i) {
    producer.send({.topic = "close", .value = "v"}, [&](const Delivery& d) { delivered += d.error ? 0 : 1; });
  }
  producer.close(10s);
  EXPECT_EQ(delivered, 10);
  try {
    producer.send({.topic = "close", .value = "v"});
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::closed);
  }
  producer.close(1s);
}

TEST_F(ProducerTest, a_blocking_call_in_a_callback_fails_instead_of_hanging) {
  make_topic("deadlock", 1);
  Producer producer(config());
  std::error_code seen;
  producer.send({.topic = "deadlock", .value = "v"}, [&](const Delivery&) {
    try {
      producer.flush();
    } catch (const Error& error) {
      seen = error.code();
    }
  });
  producer.flush();
  EXPECT_EQ(seen, Errc::would_deadlock);
}

TEST_F(ProducerTest, interceptors_see_every_record_and_its_delivery) {
  struct Counting final : ProducerInterceptor {
    void on_send(Record& record) noexcept override {
      record.value = "changed";
      ++sent;
    }
    void on_delivery(const Delivery& delivery) noexcept override { ++(delivery.error ? refused : delivered); }
    int sent = 0;
    int delivered = 0;
    int refused = 0;
  };
  make_topic("seen", 1);
  const auto interceptor = std::make_shared<Counting>();
  {
    ProducerOptions options;
    options.interceptors = {interceptor};
    Producer producer(config(), std::move(options));
    for (int i = 0; i < 3; ++i) producer.send({.topic = "seen", .value = "v"});
    EXPECT_THROW(producer.send({.topic = "seen", .partition = -1, .value = "v"}), Error);
    producer.flush();
  }
  EXPECT_EQ(interceptor->sent, 4);
  EXPECT_EQ(interceptor->delivered, 3);
  EXPECT_EQ(interceptor->refused, 1) << "of a record that is not taken they hear too";
  EXPECT_EQ(read_all("seen", 1, 3).at(2).value, "changed");
}

TEST_F(ProducerTest, many_producers_share_one_thread) {
  make_topic("shared", 2);
  const Runtime runtime = Runtime::make();
  std::atomic<int> delivered{0};
  std::vector<std::unique_ptr<Producer>> producers;
  for (int p = 0; p < 20; ++p) {
    ProducerOptions options;
    options.runtime = runtime;
    producers.push_back(std::make_unique<Producer>(config(), std::move(options)));
  }
  for (int i = 0; i < 200; ++i) {
    producers[static_cast<std::size_t>(i % 20)]->send({.topic = "shared", .value = std::to_string(i)},
                                                      [&](const Delivery& d) { delivered += d.error ? 0 : 1; });
  }
  for (const auto& producer : producers) producer->flush();
  EXPECT_EQ(delivered, 200);
}

TEST_F(ProducerTest, many_threads_share_one_producer) {
  make_topic("threads", 3);
  Producer producer(config({{"compression.type", "lz4"}}));
  std::atomic<int> delivered{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&producer, &delivered] {
      for (int i = 0; i < 2000; ++i) {
        producer.send({.topic = "threads", .value = "some value that is longer than a few bytes"},
                      [&delivered](const Delivery& d) { delivered += d.error ? 0 : 1; });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  producer.flush();
  EXPECT_EQ(delivered, 8000);
  EXPECT_EQ(read_all("threads", 3, 8000).size(), 8000U);
}

}  // namespace
}  // namespace barnabas
