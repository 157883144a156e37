#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <deque>
#include <map>
#include <thread>

#include "barnabas/admin.h"
#include "barnabas/consumer.h"
#include "barnabas/embedded_broker.h"
#include "barnabas/producer.h"
#include "client/producer/partition_hash.h"
#include "common/protocol/errors.h"

namespace barnabas {
namespace {

using namespace std::chrono_literals;
using protocol::ErrorCode;

/// What the callback said of each record of one call.
struct Told {
  struct Fate {
    int times = 0;
    std::error_code error;
    std::string topic;
    std::int32_t partition = -1;
    std::int64_t offset = -1;
    Timestamp timestamp{};
  };
  explicit Told(std::size_t records) : fates(records) {}

  BatchDeliveryCallback callback() {
    return [this](const BatchDelivery& d) {
      ++calls;
      EXPECT_GE(d.count, 1U);
      ASSERT_LE(d.first + d.count, fates.size());
      for (std::size_t i = 0; i < d.count; ++i) {
        Fate& fate = fates[d.first + i];
        ++fate.times;
        fate.error = d.error;
        fate.topic = d.topic;
        fate.partition = d.partition;
        fate.offset = d.base_offset < 0 ? -1 : d.base_offset + static_cast<std::int64_t>(i);
        fate.timestamp = d.timestamp;
      }
    };
  }
  /// How many of the first `taken` were told of once, the others never, with that error.
  std::size_t once(std::size_t taken, std::error_code error = {}) const {
    std::size_t count = 0;
    for (std::size_t i = 0; i < fates.size(); ++i) {
      EXPECT_EQ(fates[i].times, i < taken ? 1 : 0) << "record " << i;
      if (i < taken) {
        EXPECT_EQ(fates[i].error, error) << "record " << i;
      }
      count += fates[i].times == 1 && fates[i].error == error ? 1 : 0;
    }
    return count;
  }

  std::vector<Fate> fates;
  int calls = 0;
};

class SendBatch : public ::testing::Test {
 protected:
  Config config(Config::Properties more = {}) const {
    more.emplace("bootstrap.servers", broker.bootstrap_servers());
    return Config(std::move(more));
  }
  void make_topic(const std::string& name, std::int32_t partitions, std::map<std::string, std::string> configs = {}) {
    const auto created =
        Admin(config()).create_topics({{.name = name, .partitions = partitions, .configs = std::move(configs)}});
    ASSERT_FALSE(created.at(0).error) << created.at(0).error.context;
  }
  /// All that is stored, by topic, partition and offset.
  using Stored = std::map<std::tuple<std::string, std::int32_t, std::int64_t>, OwnedRecord>;
  Stored read_all(const std::map<std::string, std::int32_t>& topics, std::size_t count) const {
    Consumer consumer(config());
    std::vector<TopicPartition> all;
    for (const auto& [topic, partitions] : topics) {
      for (std::int32_t p = 0; p < partitions; ++p) all.push_back({topic, p});
    }
    consumer.assign(all);
    consumer.seek_to_beginning(all);
    Stored stored;
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (stored.size() < count && std::chrono::steady_clock::now() < end) {
      for (const RecordView& r : consumer.poll(200ms)) {
        stored.emplace(std::tuple(r.topic(), r.partition(), r.offset()), OwnedRecord(r));
      }
    }
    return stored;
  }
  /// Each record lies where the callback said, and those of one partition in the order of the call.
  static void expect_stored(const Stored& stored, const Told& told, std::span<const Record> records) {
    EXPECT_EQ(stored.size(), records.size());
    std::map<std::pair<std::string, std::int32_t>, std::int64_t> last;
    for (std::size_t i = 0; i < records.size(); ++i) {
      const Told::Fate& fate = told.fates[i];
      const auto found = stored.find({fate.topic, fate.partition, fate.offset});
      ASSERT_NE(found, stored.end()) << "record " << i;
      EXPECT_EQ(fate.topic, records[i].topic);
      EXPECT_EQ(found->second.value.value_or("(null)"),
                records[i].value.is_null() ? "(null)" : records[i].value.text());
      EXPECT_EQ(found->second.key.has_value(), !records[i].key.is_null());
      EXPECT_EQ(found->second.headers.size(), records[i].headers.size());
      const auto before = last.try_emplace({fate.topic, fate.partition}, -1).first;
      EXPECT_LT(before->second, fate.offset) << "record " << i << " was passed by an earlier one";
      before->second = fate.offset;
    }
  }
  /// Values of their own for `count` records like `model`.
  std::vector<Record> records_like(const Record& model, std::size_t count, std::size_t size = 100) {
    std::vector<Record> records(count, model);
    for (std::size_t i = 0; i < count; ++i) {
      records[i].value = texts_.emplace_back(std::to_string(i) + std::string(size, 'x'));
    }
    return records;
  }

  EmbeddedBroker broker;

 private:
  std::deque<std::string> texts_;
};

TEST_F(SendBatch, tells_of_each_record_once_and_of_many_at_a_time) {
  make_topic("many", 4);
  Producer producer(config());
  const auto records = records_like({.topic = "many"}, 20'000);
  Told told(records.size());
  producer.send_batch(records, told.callback());
  producer.flush();
  EXPECT_EQ(told.once(records.size()), records.size());
  EXPECT_LT(told.calls, 1000) << "a call for each batch or so";
  expect_stored(read_all({{"many", 4}}, records.size()), told, records);
  EXPECT_EQ(producer.metrics().records_sent, records.size());
  EXPECT_EQ(producer.metrics().records_delivered, records.size());
  EXPECT_EQ(producer.metrics().buffer_bytes, 0U);
}

TEST_F(SendBatch, records_of_all_kinds_go_where_send_would_put_them) {
  make_topic("a", 3);
  make_topic("b", 5);
  for (const std::string codec : {"none", "lz4"}) {
    Producer producer(config({{"compression.type", codec}, {"batch.size", "4000"}}));
    auto records = records_like({.topic = "a"}, 6000);
    const std::array<Header, 2> headers{Header{"n", "1"}, Header{"none", nullptr}};
    const std::array<std::string, 3> keys{"one", "two", "three"};
    for (std::size_t i = 0; i < records.size(); ++i) {
      if (i / 7 % 2 == 1) records[i].topic = "b";
      if (i / 11 % 3 == 1) records[i].partition = static_cast<std::int32_t>(i / 11 % 2);
      if (i / 13 % 3 == 1) records[i].key = keys[i % 3];
      if (i % 5 == 0) records[i].headers = headers;
      if (i % 101 == 0) records[i].value = nullptr;
    }
    Told told(records.size());
    const std::int64_t before = static_cast<std::int64_t>(producer.partitions_for("a").size());
    EXPECT_EQ(before, 3);
    producer.send_batch(records, told.callback());
    producer.flush();
    EXPECT_EQ(told.once(records.size()), records.size());
    for (std::size_t i = 0; i < records.size(); ++i) {
      const std::int32_t count = records[i].topic == "a" ? 3 : 5;
      if (records[i].partition) {
        EXPECT_EQ(told.fates[i].partition, *records[i].partition);
      } else if (!records[i].key.is_null()) {
        EXPECT_EQ(told.fates[i].partition, client::murmur2_partition(records[i].key.bytes(), count));
      }
    }
    expect_stored(read_all({{"a", 3}, {"b", 5}}, records.size()), told, records);
    for (const std::string topic : {"a", "b"}) {
      Admin(config()).delete_topics({topic});
      make_topic(topic, topic == "a" ? 3 : 5);
    }
  }
}

TEST_F(SendBatch, asks_the_users_partitioner_for_each_record) {
  make_topic("own", 4);
  ProducerOptions options;
  options.partitioner = [](const PartitionChoice& choice) {
    return static_cast<std::int32_t>(choice.value.size() % 5);
  };
  Producer producer(config(), std::move(options));
  const std::array<std::string, 4> values{"", "x", "xx", "xxx"};
  std::vector<Record> records;
  for (const std::string& value : values) records.push_back({.topic = "own", .value = value});
  Told told(5);
  producer.send_batch(records, told.callback());
  producer.flush();
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(told.fates[i].partition, static_cast<std::int32_t>(i));
  records.push_back({.topic = "own", .value = "xxxx"});  // partition 4, which there is not
  try {
    producer.send_batch(records);
    ADD_FAILURE() << "a partition that there is not was taken";
  } catch (const SendBatchError& error) {
    EXPECT_EQ(error.taken(), 4U);
  }
}

TEST_F(SendBatch, an_invalid_record_ends_the_call_and_spares_those_before_it) {
  make_topic("valid", 1);
  Producer producer(config({{"max.request.size", "10000"}}));
  const std::string large(20'000, 'x');
  const Timestamp before_1970{std::chrono::milliseconds(-1)};
  const std::array<std::pair<Record, std::error_code>, 5> odd{{
      {{.topic = "", .value = "v"}, make_error_code(ErrorCode::invalid_topic_exception)},
      {{.topic = "valid", .value = large}, make_error_code(ErrorCode::message_too_large)},
      {{.topic = "valid", .partition = -3, .value = "v"}, make_error_code(Errc::invalid_argument)},
      {{.topic = "valid", .value = "v", .timestamp = before_1970}, make_error_code(Errc::invalid_argument)},
      {{.topic = "bad/name", .value = "v"}, make_error_code(ErrorCode::invalid_topic_exception)},
  }};
  std::int64_t expected = 0;
  for (const auto& [record, code] : odd) {
    for (const std::size_t place : {std::size_t{0}, std::size_t{3}, std::size_t{99}}) {
      auto records = records_like({.topic = "valid"}, 100);
      records[place] = record;
      Told told(records.size());
      try {
        producer.send_batch(records, told.callback());
        ADD_FAILURE() << "taken: " << code.message();
      } catch (const SendBatchError& error) {
        EXPECT_EQ(error.code(), code) << error.what();
        EXPECT_EQ(error.taken(), place);
        EXPECT_NE(error.context().find("record " + std::to_string(place) + " of 100"), std::string::npos)
            << error.what();
      }
      producer.flush();
      EXPECT_EQ(told.once(place), place);
      expected += static_cast<std::int64_t>(place);
    }
  }
  EXPECT_EQ(producer.send_sync({.topic = "valid", .value = "last"}).offset, expected);
}

TEST_F(SendBatch, waits_for_room_in_the_middle_of_a_call) {
  make_topic("room", 2);
  Producer producer(config({{"buffer.memory", "40000"}, {"batch.size", "10000"}, {"max.block.ms", "500"}}));
  auto records = records_like({.topic = "room"}, 2000);
  Told first(records.size());
  producer.send_batch(records, first.callback());
  EXPECT_GT(producer.metrics().blocked_sends, 0U);
  producer.flush();
  EXPECT_EQ(first.once(records.size()), records.size());
  broker.stop();
  Told second(records.size());
  std::size_t taken = 0;
  try {
    producer.send_batch(records, second.callback());
    ADD_FAILURE() << "more than buffer.memory was taken";
  } catch (const SendBatchError& error) {
    EXPECT_EQ(error.code(), Errc::timed_out);
    EXPECT_NE(error.context().find("buffer.memory"), std::string::npos) << error.what();
    taken = error.taken();
  }
  EXPECT_GT(taken, 100U);
  EXPECT_LT(taken, 400U);
  broker.start();
  producer.flush();
  EXPECT_EQ(second.once(taken), taken);
  EXPECT_EQ(read_all({{"room", 2}}, records.size() + taken).size(), records.size() + taken);
}

TEST_F(SendBatch, close_ends_a_call_that_waits) {
  make_topic("closed", 1);
  ProducerOptions options;
  options.log.level = LogLevel::off;
  Producer producer(config({{"buffer.memory", "40000"}, {"batch.size", "10000"}, {"max.block.ms", "60000"}}),
                    std::move(options));
  producer.send_sync({.topic = "closed", .value = "first"});
  broker.stop();
  const auto records = records_like({.topic = "closed"}, 2000);
  Told told(records.size());
  std::atomic<std::size_t> taken{0};
  const std::uint64_t blocked_before = producer.metrics().blocked_sends;
  std::thread sending([&] {
    try {
      producer.send_batch(records, told.callback());
      ADD_FAILURE() << "the call was to wait for room";
    } catch (const SendBatchError& error) {
      EXPECT_EQ(error.code(), Errc::closed) << error.what();
      taken = error.taken();
    }
  });
  const auto give_up = std::chrono::steady_clock::now() + 20s;
  while (producer.metrics().blocked_sends == blocked_before && std::chrono::steady_clock::now() < give_up) {
    std::this_thread::yield();
  }
  producer.close(0ms);
  sending.join();
  EXPECT_GT(taken, 100U);
  EXPECT_EQ(told.once(taken, make_error_code(Errc::closed)), taken);
  EXPECT_THROW(producer.send_batch(records), SendBatchError);
  producer.send_batch({});
}

TEST_F(SendBatch, a_batch_too_large_for_the_topic_is_told_of_in_parts) {
  make_topic("halves", 1, {{"max.message.bytes", "3000"}});
  Producer producer(config({{"linger.ms", "200"}}));
  const auto records = records_like({.topic = "halves"}, 45, 300);
  Told told(records.size());
  producer.send({.topic = "halves", .value = "ahead of them"});
  producer.send_batch(records, told.callback());
  producer.flush();
  EXPECT_EQ(told.once(records.size()), records.size());
  EXPECT_GT(told.calls, 2);
  for (std::size_t i = 0; i < records.size(); ++i) EXPECT_EQ(told.fates[i].offset, static_cast<std::int64_t>(i) + 1);
}

TEST_F(SendBatch, keeps_its_place_among_single_sends) {
  make_topic("mixed", 1);
  Producer producer(config({{"batch.size", "2000"}}));
  std::vector<std::int64_t> offsets;  // the reactor's; read after flush()
  std::deque<std::string> texts;
  for (int round = 0; round < 200; ++round) {
    producer.send({.topic = "mixed", .value = "single"},
                  [&offsets](const Delivery& d) { offsets.push_back(d.offset); });
    const auto records = records_like({.topic = "mixed"}, static_cast<std::size_t>(round % 40));
    producer.send_batch(records, [&offsets](const BatchDelivery& d) {
      for (std::size_t i = 0; i < d.count; ++i) offsets.push_back(d.base_offset + static_cast<std::int64_t>(i));
    });
    producer.send({.topic = "mixed", .value = "without a callback"});
  }
  producer.flush();
  EXPECT_EQ(offsets.size(), 200U + 5 * (39 * 40 / 2));
  EXPECT_TRUE(std::is_sorted(offsets.begin(), offsets.end()));
  EXPECT_EQ(std::adjacent_find(offsets.begin(), offsets.end()), offsets.end());
}

TEST_F(SendBatch, time_stamps_are_the_records_own_or_that_of_the_call) {
  make_topic("dated", 1);
  make_topic("stamped", 1, {{"message.timestamp.type", "LogAppendTime"}});
  Producer producer(config());
  for (const std::string topic : {"dated", "stamped"}) {
    auto records = records_like({.topic = topic}, 50);
    for (std::size_t i = 0; i < 50; i += 2) records[i].timestamp = Timestamp(std::chrono::milliseconds(1000 + i));
    Told told(records.size());
    const auto now = [] { return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()); };
    const Timestamp before = now();
    producer.send_batch(records, told.callback());
    const Timestamp after = now();
    producer.flush();
    EXPECT_EQ(told.once(50), 50U);
    const auto stored = read_all({{topic, 1}}, 50);
    ASSERT_EQ(stored.size(), 50U);
    for (std::size_t i = 0; i < 50; ++i) {
      const Timestamp seen = stored.at({topic, 0, static_cast<std::int64_t>(i)}).timestamp;
      if (topic == "stamped") {
        EXPECT_EQ(told.fates[i].timestamp, seen);
      } else if (i % 2 == 0) {
        EXPECT_EQ(seen, *records[i].timestamp);
      } else {
        EXPECT_EQ(told.fates[i].timestamp, seen);
        EXPECT_TRUE(before <= seen && seen <= after);
      }
    }
  }
}

TEST_F(SendBatch, interceptors_see_every_record_and_its_delivery) {
  make_topic("seen", 2);
  struct Counting : ProducerInterceptor {
    void on_send(Record& record) noexcept override {
      ++sent;
      value = std::string(record.value.text()) + "!";
      record.value = value;
    }
    void on_delivery(const Delivery& delivery) noexcept override { ++(delivery.ok() ? delivered : refused); }
    std::string value;
    int sent = 0;
    std::atomic<int> delivered{0};
    std::atomic<int> refused{0};
  };
  const auto interceptor = std::make_shared<Counting>();
  ProducerOptions options;
  options.interceptors = {interceptor};
  Producer producer(config(), std::move(options));
  auto records = records_like({.topic = "seen"}, 500);
  Told told(records.size());
  producer.send_batch(records, told.callback());
  records[7].topic = "";
  EXPECT_THROW(producer.send_batch(records), SendBatchError);
  producer.flush();
  EXPECT_EQ(told.once(records.size()), records.size());
  EXPECT_EQ(interceptor->sent, 508);
  EXPECT_EQ(interceptor->delivered, 507);
  EXPECT_EQ(interceptor->refused, 1);
  for (const auto& [place, record] : read_all({{"seen", 2}}, 507)) EXPECT_EQ(record.value.value_or("").back(), '!');
}

TEST_F(SendBatch, without_answers_offsets_are_unknown) {
  make_topic("blind", 1);
  Producer producer(config({{"acks", "0"}}));
  const auto records = records_like({.topic = "blind"}, 300);
  Told told(records.size());
  producer.send_batch(records, told.callback());
  producer.send_batch(records);
  producer.flush();
  EXPECT_EQ(told.once(records.size()), records.size());
  for (const auto& fate : told.fates) EXPECT_EQ(fate.offset, -1);
  EXPECT_EQ(read_all({{"blind", 1}}, 600).size(), 600U);
}

TEST_F(SendBatch, many_threads_share_one_producer) {
  make_topic("shared", 4);
  Producer producer(config({{"batch.size", "3000"}, {"buffer.memory", "100000"}}));
  constexpr std::size_t kThreads = 4;
  constexpr std::size_t kCalls = 40;
  const auto records = records_like({.topic = "shared"}, 100);
  std::deque<Told> told(kThreads * kCalls, Told(records.size()));
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t c = 0; c < kCalls; ++c) {
        producer.send_batch(records, told[t * kCalls + c].callback());
        producer.send(records[c]);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  producer.flush();
  for (const Told& call : told) EXPECT_EQ(call.once(records.size()), records.size());
  EXPECT_EQ(producer.metrics().records_delivered, kThreads * kCalls * (records.size() + 1));
}

}  // namespace
}  // namespace barnabas
