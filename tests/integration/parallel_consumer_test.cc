#include "barnabas/parallel_consumer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <future>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "common/runtime/process.h"
#include "tests/integration/cluster.h"

namespace barnabas::testing {
namespace {

using namespace std::chrono_literals;

std::string topic_with(const Cluster& cluster, std::int32_t partitions, int records, int keys) {
  std::string topic = cluster.make_topic(partitions);
  Producer producer{cluster.config({{"batch.size", "500"}})};
  for (int i = 0; i < records; ++i) {
    const std::string key = "key-" + std::to_string(i % keys);
    const std::string value = std::to_string(i);
    producer.send({.topic = topic, .key = key, .value = value});
  }
  producer.flush();
  return topic;
}

Config member(const Cluster& cluster, const std::string& group) {
  return cluster.config({{"group.id", group}, {"auto.offset.reset", "earliest"}});
}

/// What was processed, in the order of each key.
class Journal {
 public:
  std::size_t note(const RecordView& record) {
    const std::lock_guard lock(mutex_);
    by_key_[std::string(record.key().value_or(""))].push_back(std::stoi(std::string(*record.value())));
    return ++count_;
  }
  std::size_t count() const {
    const std::lock_guard lock(mutex_);
    return count_;
  }
  std::map<std::string, std::vector<int>> by_key() const {
    const std::lock_guard lock(mutex_);
    return by_key_;
  }

 private:
  mutable std::mutex mutex_;
  std::size_t count_ = 0;
  std::map<std::string, std::vector<int>> by_key_;
};

void wait_until(const std::function<bool()>& done) {
  const auto deadline = std::chrono::steady_clock::now() + 60s;
  while (!done()) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline);
    std::this_thread::sleep_for(5ms);
  }
}

TEST(ParallelConsumer, processes_each_record_once_and_those_of_a_key_in_order) {
  const Cluster cluster;
  constexpr int kRecords = 3000;
  const std::string topic = topic_with(cluster, 4, kRecords, 17);
  Journal journal;
  ParallelConsumer* self = nullptr;
  ParallelConsumer consumer(member(cluster, topic), {topic},
                            [&](const RecordView& record) {
                              if (journal.note(record) == kRecords) self->stop();
                            },
                            {.workers = 4, .max_unfinished = 100});
  self = &consumer;
  consumer.run();
  EXPECT_EQ(journal.count(), static_cast<std::size_t>(kRecords));
  for (const auto& [key, values] : journal.by_key()) {
    EXPECT_TRUE(std::is_sorted(values.begin(), values.end())) << key;
    EXPECT_EQ(std::set<int>(values.begin(), values.end()).size(), values.size()) << key;
  }
  Admin admin(cluster.config());
  std::int64_t committed = 0;
  for (const auto& [partition, offset] : admin.list_group_offsets(topic)) committed += offset.offset;
  EXPECT_EQ(committed, kRecords);
}

TEST(ParallelConsumer, works_on_other_keys_while_one_takes_long) {
  const Cluster cluster;
  const std::string topic = topic_with(cluster, 1, 200, 10);
  std::promise<void> others_done;
  std::atomic<int> others{0};
  Journal journal;
  ParallelConsumer* self = nullptr;
  ParallelConsumer consumer(member(cluster, topic), {topic},
                            [&](const RecordView& record) {
                              if (*record.value() == "0") {
                                EXPECT_EQ(others_done.get_future().wait_for(30s), std::future_status::ready);
                              } else if (*record.key() != "key-0" && ++others == 180) {
                                others_done.set_value();
                              }
                              if (journal.note(record) == 200) self->stop();
                            },
                            {.workers = 2});
  self = &consumer;
  consumer.run();
  EXPECT_EQ(journal.count(), 200u);
}

/// How many records of a partition were polled, and of those not processed yet: now, and at most.
class Backlog final : public ConsumerInterceptor {
 public:
  explicit Backlog(std::int32_t partition) : partition_(partition) {}
  void on_records(const Records& records) noexcept override {
    for (const RecordView& record : records) polled_ += record.partition() == partition_ ? 1 : 0;
    highest_ = std::max(highest_.load(), polled_ - processed_);  // one thread polls
  }
  void on_processed() { ++processed_; }
  int polled() const { return polled_; }
  int processed() const { return processed_; }
  int highest() const { return highest_; }

 private:
  const std::int32_t partition_;
  std::atomic<int> polled_{0};
  std::atomic<int> processed_{0};
  std::atomic<int> highest_{0};
};

TEST(ParallelConsumer, polls_no_more_of_a_partition_whose_records_nobody_gets_to_until_half_of_them_are_done) {
  const Cluster cluster;
  constexpr int kMaxUnfinished = 20;
  constexpr int kPoll = 10;
  constexpr int kRecords = 300;
  constexpr int kOthers = 20;
  const std::string topic = cluster.make_topic(2);
  Producer producer{cluster.config()};
  for (int i = 0; i < kRecords; ++i) producer.send({.topic = topic, .partition = 0, .value = "x"});
  producer.flush();
  Config config = member(cluster, topic);
  config.set("max.poll.records", std::to_string(kPoll));
  const auto backlog = std::make_shared<Backlog>(0);
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  std::atomic<int> others{0};
  ParallelConsumer consumer(config, {topic},
                            [&](const RecordView& record) {
                              if (record.partition() == 1) {
                                ++others;
                                return;
                              }
                              released.wait();
                              backlog->on_processed();
                            },
                            {.workers = 2,
                             .order = ProcessingOrder::partition,
                             .max_unfinished = kMaxUnfinished,
                             .consumer = {.interceptors = {backlog}}});
  auto run = std::async(std::launch::async, [&] { consumer.run(); });
  wait_until([&] { return backlog->polled() > kMaxUnfinished; });
  for (int i = 1; i <= kOthers; ++i) {  // each is polled on its own: none of them may bring more of the other partition
    producer.send({.topic = topic, .partition = 1, .value = "x"});
    producer.flush();
    wait_until([&] { return others == i; });
  }
  EXPECT_LE(backlog->polled(), kMaxUnfinished + kPoll);
  release.set_value();
  wait_until([&] { return backlog->processed() == kRecords; });
  consumer.stop();
  run.get();
  EXPECT_EQ(backlog->polled(), kRecords);
  EXPECT_LE(backlog->highest(), kMaxUnfinished + kPoll);
}

TEST(ParallelConsumer, throws_what_processing_threw_and_leaves_the_record_to_the_next_run) {
  const Cluster cluster;
  const std::string topic = topic_with(cluster, 1, 50, 5);
  Journal journal;
  ParallelConsumer failing(member(cluster, topic), {topic},
                           [&](const RecordView& record) {
                             if (*record.value() == "20") throw std::runtime_error("no more");
                             journal.note(record);
                           },
                           {.workers = 3});
  EXPECT_THROW(failing.run(), std::runtime_error);
  ParallelConsumer* self = nullptr;
  std::set<int> seen;
  std::mutex mutex;
  ParallelConsumer healthy(member(cluster, topic), {topic}, [&](const RecordView& record) {
    const std::lock_guard lock(mutex);
    seen.insert(std::stoi(std::string(*record.value())));
    if (seen.contains(49) && seen.contains(20)) self->stop();
  });
  self = &healthy;
  healthy.run();
  EXPECT_TRUE(seen.contains(20));
  for (const auto& [key, values] : journal.by_key()) {
    for (const int value : values) EXPECT_NE(value, 20);
  }
}

TEST(ParallelConsumer, tries_again_or_skips_as_the_failure_handler_says) {
  const Cluster cluster;
  const std::string topic = topic_with(cluster, 1, 30, 3);
  std::atomic<int> attempts{0};
  Journal journal;
  ParallelConsumer* self = nullptr;
  ParallelConsumer consumer(member(cluster, topic), {topic},
                            [&](const RecordView& record) {
                              const bool last = *record.value() == "29";
                              if (*record.value() == "5" && ++attempts < 3) throw std::runtime_error("not yet");
                              if (*record.value() == "7") throw std::runtime_error("never");
                              journal.note(record);
                              if (last) self->stop();
                            },
                            {.workers = 1,
                             .order = ProcessingOrder::partition,
                             .on_failure = [](const RecordView& record, std::exception_ptr, int) {
                               return *record.value() == "5" ? FailureAction::retry : FailureAction::skip;
                             }});
  self = &consumer;
  consumer.run();
  EXPECT_EQ(attempts, 3);
  EXPECT_EQ(journal.count(), 29u);
  EXPECT_EQ(Admin(cluster.config()).list_group_offsets(topic).at({topic, 0}).offset, 30);
}

TEST(ParallelConsumer, refuses_settings_that_would_lose_records) {
  const Cluster cluster;
  const auto nothing = [](const RecordView&) {};
  EXPECT_THROW(ParallelConsumer(cluster.config(), {"t"}, nothing), Error);
  Config automatic = member(cluster, "g");
  automatic.set("enable.auto.commit", "true");
  EXPECT_THROW(ParallelConsumer(automatic, {"t"}, nothing), Error);
  EXPECT_THROW(ParallelConsumer(member(cluster, "g"), {"t"}, nothing, {.workers = 0}), Error);
  EXPECT_THROW(ParallelConsumer(member(cluster, "g"), {"t"}, nothing, {.max_unfinished = 0}), Error);
}

TEST(ParallelConsumer, hands_a_partition_over_without_losing_or_overtaking_a_record) {
  const Cluster cluster;
  constexpr int kRecords = 4000;
  const std::string topic = topic_with(cluster, 4, kRecords, 40);
  Journal journal;
  const auto note = [&](const RecordView& record) { journal.note(record); };
  const ParallelOptions options{.workers = 2, .max_unfinished = 50, .commit_interval = 50ms};
  ParallelConsumer first(member(cluster, topic), {topic}, note, options);
  ParallelConsumer second(member(cluster, topic), {topic}, note, options);
  auto one = std::async(std::launch::async, [&] { first.run(); });
  wait_until([&] { return journal.count() > 500; });
  auto two = std::async(std::launch::async, [&] { second.run(); });
  wait_until([&] {
    std::set<int> all;
    for (const auto& [key, values] : journal.by_key()) all.insert(values.begin(), values.end());
    return all.size() == kRecords;
  });
  first.stop();
  second.stop();
  one.get();
  two.get();
  for (const auto& [key, values] : journal.by_key()) {
    int highest = -1;
    for (const int value : values) {  // what is processed again goes back; nothing may be left out
      EXPECT_LE(value, highest < 0 ? value : highest + 40) << key;
      highest = std::max(highest, value);
    }
  }
}

TEST(ParallelConsumer, tries_a_record_no_more_whose_partition_has_gone_to_another_member) {
  const Cluster cluster;
  const std::string topic = cluster.make_topic(2);
  Producer producer{cluster.config()};
  for (int i = 0; i < 2; ++i) producer.send({.topic = topic, .partition = i, .value = "x"});
  producer.flush();
  Config config = member(cluster, topic);
  config.set("heartbeat.interval.ms", "100");  // hears soon that another joins
  std::array<std::atomic<int>, 2> tries{};
  ParallelConsumer first(
      config, {topic},
      [&](const RecordView& record) {
        ++tries[static_cast<std::size_t>(record.partition())];
        throw std::runtime_error("never");
      },
      {.workers = 2, .drain_timeout = 2s, .on_failure = [](const RecordView&, std::exception_ptr, int) {
         std::this_thread::sleep_for(1ms);  // not to keep a core busy
         return FailureAction::retry;
       }});
  auto run = std::async(std::launch::async, [&] { first.run(); });
  wait_until([&] { return tries[0] > 0 && tries[1] > 0; });
  Consumer second{config};
  second.subscribe({topic});
  wait_until([&] {
    second.poll(1ms);
    return second.assignment().size() == 1;
  });
  const auto gone = static_cast<std::size_t>(second.assignment().front().partition);
  const int before = tries[gone];
  const int kept = tries[1 - gone];
  wait_until([&] { return tries[1 - gone] > kept + 20; });
  EXPECT_EQ(tries[gone], before);
  first.stop();
  run.get();
}

TEST(ParallelConsumer, rests_while_the_records_that_are_processed_hold_all_memory) {
  const Cluster cluster;
  const std::string topic = cluster.make_topic(1);
  Producer producer{cluster.config()};
  constexpr int kRecords = 40;  // four times what there is room for
  const std::string value(100'000, 'x');
  for (int i = 0; i < kRecords; ++i) producer.send({.topic = topic, .value = value});
  producer.flush();
  Config config = member(cluster, topic);
  config.set("buffer.memory", "1048576");
  config.set("max.partition.fetch.bytes", "250000");
  const auto backlog = std::make_shared<Backlog>(0);
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  ParallelConsumer consumer(config, {topic},
                            [&](const RecordView&) {
                              released.wait();
                              backlog->on_processed();
                            },
                            {.workers = 1, .consumer = {.interceptors = {backlog}}});
  auto run = std::async(std::launch::async, [&] { consumer.run(); });
  wait_until([&] { return backlog->polled() >= 4; });
  constexpr double kBusy_s = 0.1;
  const auto since = std::chrono::steady_clock::now();
  const double before = runtime::process_usage().cpu_seconds;
  const auto used = [&] { return runtime::process_usage().cpu_seconds - before; };
  wait_until([&] { return used() > kBusy_s || std::chrono::steady_clock::now() > since + 500ms; });
  EXPECT_LT(used(), kBusy_s);
  EXPECT_LT(backlog->polled(), kRecords);
  release.set_value();
  wait_until([&] { return backlog->processed() == kRecords; });
  consumer.stop();
  run.get();
}

}  // namespace
}  // namespace barnabas::testing
