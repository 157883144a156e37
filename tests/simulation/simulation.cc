#include "tests/simulation/simulation.h"

#include <barnabas/barnabas.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace barnabas::simulation {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr milliseconds kLongestPoll{20000};
constexpr milliseconds kJustBefore{20};
constexpr runtime::Duration kPatience = 180s;  // after the last fault, for what should happen soon

/// The application: one producer and one consumer on a World, used as their users do, in the main thread.
class Application : RunBase {
 public:
  Application(const Plan& plan, const Observer& observer)
      : RunBase(plan, observer, LogLevel::info), plan_(plan), dice_(plan.seed ^ 0x5eed) {}

  Outcome run() {
    world_.start_broker();
    {
      Admin admin(config("admin"), {.runtime = runtime("admin"), .log = log()});
      make_topic(admin, plan_);
    }
    Producer producer(config("producer", plan_.producer), {.runtime = runtime("producer"), .log = log()});
    Consumer follower = make_consumer("follower", plan_.consumer);
    world_.start_faults();
    work(producer, follower);
    wait_for_calm(follower);
    finish(producer);
    read_to_end(follower, "consumer", outcome_.history.followed);
    {
      Consumer auditor = make_consumer("auditor", {});
      read_to_end(auditor, "audit", outcome_.history.audited);
    }
    follower.close(5000ms);
    conclude();
    return std::move(outcome_);
  }

 private:
  Consumer make_consumer(const std::string& name, std::map<std::string, std::string> settings) {
    settings["auto.offset.reset"] = "earliest";
    Consumer consumer(config(name, settings), {.runtime = runtime(name), .log = log()});
    std::vector<TopicPartition> partitions;
    for (std::int32_t i = 0; i < plan_.partitions; ++i) partitions.push_back({kTopic, i});
    consumer.assign(partitions);
    return consumer;
  }

  /// Bursts of records, and polls between them.
  void work(Producer& producer, Consumer& follower) {
    const auto work_time = std::chrono::duration_cast<milliseconds>(plan_.length - 60s);
    const std::int64_t pause_ms = std::max<std::int64_t>(1, 2 * work_time.count() / std::max(1, plan_.bursts));
    for (int burst = 0; burst < plan_.bursts && world_.elapsed() < work_time; ++burst) {
      const std::int64_t count = dice_.between(1, plan_.records_in_burst);
      for (std::int64_t i = 0; i < count; ++i) send_one(producer);
      poll_for(follower, pause_before_burst(milliseconds(dice_.between(0, pause_ms))));
    }
  }

  /// Half of the bursts are on their way when a fault begins.
  milliseconds pause_before_burst(milliseconds drawn) {
    const runtime::Duration now = world_.elapsed();
    const auto next = std::find_if(plan_.faults.begin(), plan_.faults.end(),
                                   [&](const Fault& fault) { return fault.at > now + kJustBefore; });
    if (dice_.one_in(2) || next == plan_.faults.end()) return drawn;
    const auto before = milliseconds(dice_.between(0, kJustBefore.count()));
    return std::min(2 * drawn, std::chrono::floor<milliseconds>(next->at - now) - before);
  }

  void send_one(Producer& producer) {
    std::vector<Sent>& all = outcome_.history.sent;
    const std::size_t number = all.size();
    Sent sent;
    sent.partition = static_cast<std::int32_t>(dice_.between(0, plan_.partitions - 1));
    sent.value = fmt::format("{}:", number);
    sent.value.append(static_cast<std::size_t>(dice_.between(0, plan_.value_bytes)),
                      static_cast<char>('a' + number % 26));
    all.push_back(sent);
    try {
      producer.send({.topic = kTopic, .partition = sent.partition, .value = sent.value},
                    [this, number](const Delivery& delivery) { delivered(number, delivery); });
    } catch (const Error& error) {
      // Not taken: its callback must not come, and it must not be stored. The number is used again.
      note_now(fmt::format("send {} throws: {}", number, error.what()));
      if (all[number].callbacks > 0) problem(fmt::format("record {}: send threw and its callback came", number));
      all[number].value += " (not taken)";
      all[number].callbacks = 1;
      all[number].fate = Fate::failed;
    }
  }

  void delivered(std::size_t number, const Delivery& delivery) {
    Sent& sent = outcome_.history.sent[number];
    ++sent.callbacks;
    sent.fate = delivery.ok() ? Fate::acknowledged : Fate::failed;
    sent.offset = delivery.ok() ? delivery.offset : -1;
    sent.error = delivery.context;
    note_now(delivery.ok() ? fmt::format("record {} is at {}-{}", number, sent.partition, sent.offset)
                           : fmt::format("record {} failed: {}", number, delivery.context));
  }

  void poll_for(Consumer& consumer, milliseconds time) {
    const runtime::Duration end = world_.elapsed() + time;
    do {
      const auto left = std::chrono::ceil<milliseconds>(end - world_.elapsed());
      poll_once(consumer, std::clamp(left, milliseconds(0), kLongestPoll), "consumer", outcome_.history.followed);
    } while (world_.elapsed() < end);
  }

  void poll_once(Consumer& consumer, milliseconds timeout, const char* who, std::map<std::int32_t, Log>& logs) {
    try {
      const Records records = consumer.poll(timeout);
      for (const RecordView& record : records) {
        logs[record.partition()].push_back({record.offset(), std::string(record.value().value_or("(null)"))});
        note_now(fmt::format("{} reads {}-{}", who, record.partition(), record.offset()));
      }
    } catch (const Error& error) {
      problem(fmt::format("{}: poll throws: {}", who, error.what()));
      world_.env().run_for(1s);
    }
  }

  void wait_for_calm(Consumer& follower) {
    const runtime::Duration limit = plan_.length + kPatience;
    while (!world_.is_calm() && world_.elapsed() < limit) poll_for(follower, 1000ms);
    if (!world_.is_calm()) problem("the broker does not come back");
    if (world_.elapsed() < plan_.length)
      poll_for(follower, std::chrono::ceil<milliseconds>(plan_.length - world_.elapsed()));
  }

  void finish(Producer& producer) {
    try {
      producer.flush(std::chrono::duration_cast<milliseconds>(kPatience));
    } catch (const Error& error) {
      problem(fmt::format("flush after the last fault: {}", error.what()));
    }
    try {
      producer.close(5000ms);
    } catch (const Error& error) {
      problem(fmt::format("close after the last fault: {}", error.what()));
    }
  }

  /// Up to the end that the broker tells.
  void read_to_end(Consumer& consumer, const char* who, std::map<std::int32_t, Log>& logs) {
    std::map<TopicPartition, std::int64_t> ends;
    try {
      ends = consumer.end_offsets(consumer.assignment());
    } catch (const Error& error) {
      problem(fmt::format("{}: the end offsets after the last fault: {}", who, error.what()));
      return;
    }
    const auto is_done = [&] {
      return std::all_of(ends.begin(), ends.end(), [&logs](const auto& end) {
        const Log& log = logs[end.first.partition];
        return end.second == 0 || (!log.empty() && log.back().offset + 1 >= end.second);
      });
    };
    const runtime::Duration limit = world_.elapsed() + kPatience;
    while (!is_done() && world_.elapsed() < limit) poll_once(consumer, 5000ms, who, logs);
    if (!is_done()) problem(fmt::format("the {} does not get to the end: {}", who, consumer.explain()));
  }

  void conclude() {
    static_cast<Verdict&>(outcome_) = verdict(check(outcome_.history, plan_.promises));
    for (const Sent& sent : outcome_.history.sent) {
      outcome_.acknowledged += sent.fate == Fate::acknowledged ? 1 : 0;
      outcome_.failed += sent.fate == Fate::failed ? 1 : 0;
    }
  }

  const Plan& plan_;
  Dice dice_;
  Outcome outcome_;
};

}  // namespace

Outcome run(const Plan& plan, const Observer& observer) {
  return Application(plan, observer).run();
}

}  // namespace barnabas::simulation
