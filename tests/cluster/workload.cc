#include "tests/cluster/workload.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <utility>

namespace barnabas::cluster {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kMostPartitions = 64;
constexpr std::size_t kMostProblems = 20;
constexpr std::int64_t kMostUnanswered = 400;  // of a partition: more would have to be waited for after each mishap
constexpr seconds kPatience{90};
constexpr seconds kSlow{8};

Config::Properties joined(Config::Properties properties, const Config::Properties& more) {
  for (const auto& [name, value] : more) properties.insert_or_assign(name, value);
  return properties;
}

std::int64_t number_of(const RecordView& record) {
  return std::stoll(std::string(record.value().value_or("-1")));
}

}  // namespace

Workload::Workload(Options options) : options_(std::move(options)), partitions_(options_.partitions) {
  written_.resize(kMostPartitions);
  for (const Config::Properties& more : options_.readers) {
    auto reader = std::make_unique<Reader>();
    reader->partitions.resize(kMostPartitions);
    reader->seeks = more.count("auto.offset.reset") != 0 && more.at("auto.offset.reset") == "none";
    reader->consumer =
        std::make_unique<Consumer>(Config(joined(joined(options_.common, {{"auto.offset.reset", "earliest"}}), more)));
    readers_.push_back(std::move(reader));
  }
  producer_ = std::make_unique<Producer>(
      Config(joined(joined(options_.common, {{"acks", "all"}, {"enable.idempotence", "true"}}), options_.producer)));
  for (auto& reader : readers_) reader->thread = std::thread([this, &at = *reader] { read(at); });
  producing_ = std::thread([this] { produce(); });
}

Workload::~Workload() {
  stop_ = true;
  stop_reading_ = true;
  if (producing_.joinable()) producing_.join();
  for (auto& reader : readers_) {
    if (reader->thread.joinable()) reader->thread.join();
  }
}

void Workload::problem(std::string text) {
  const std::lock_guard lock(mutex_);
  if (problems_.size() < kMostProblems) problems_.push_back(options_.name + ": " + std::move(text));
}

std::vector<std::string> Workload::problems() const {
  const std::lock_guard lock(mutex_);
  return problems_;
}

std::int64_t Workload::acknowledged() const {
  const std::lock_guard lock(mutex_);
  std::int64_t sum = 0;
  for (const Written& written : written_) sum += static_cast<std::int64_t>(written.offsets.size());
  return sum;
}

std::vector<TopicPartition> Workload::all_partitions() const {
  std::vector<TopicPartition> all;
  for (std::int32_t partition = 0; partition < partitions_; ++partition) all.push_back({options_.topic, partition});
  return all;
}

// ---- writing

void Workload::produce() {
  while (!stop_) {
    for (std::int32_t partition = 0; partition < partitions_; ++partition) {
      std::int64_t number = 0;
      {
        const std::lock_guard lock(mutex_);
        Written& written = written_[static_cast<std::size_t>(partition)];
        if (written.sent - written.answered >= kMostUnanswered) continue;
        number = written.sent++;
      }
      const std::string value = fmt::format("{:<100}", number);
      try {
        producer_->send({.topic = options_.topic, .partition = partition, .value = value},
                        [this, number](const Delivery& delivery) { on_delivery(delivery, number); });
      } catch (const Error& error) {
        Delivery refused;
        refused.error = error.code();
        refused.context = error.what();
        refused.partition = partition;
        on_delivery(refused, number);
      }
    }
    std::this_thread::sleep_for(milliseconds(2));
  }
}

void Workload::on_delivery(const Delivery& delivery, std::int64_t number) {
  std::unique_lock lock(mutex_);
  Written& written = written_[static_cast<std::size_t>(delivery.partition)];
  ++written.answered;
  if (!delivery.ok()) {
    lock.unlock();
    note_failure(written, delivery, number);
    return;
  }
  const bool is_first = written.offsets.emplace(number, delivery.offset).second;
  lock.unlock();
  if (!is_first) problem(fmt::format("record {} of partition {} is reported twice", number, delivery.partition));
}

/// A failure is explained by delivery.timeout.ms: its own, or that of a record before it, after which nobody can tell
/// whether this one was stored.
void Workload::note_failure(Written& written, const Delivery& delivery, std::int64_t number) {
  ++failed_;
  const bool is_late =
      delivery.error == Errc::timed_out && delivery.context.find("delivery.timeout.ms") != std::string::npos;
  const bool follows = delivery.context.find("an earlier batch failed") != std::string::npos;
  if (options_.may_time_out && is_late) written.timed_out = true;
  if (options_.may_time_out && (is_late || (follows && written.timed_out))) return;
  problem(fmt::format("record {} of partition {} failed: {}; {}", number, delivery.partition, delivery.error.message(),
                      delivery.context));
}

void Workload::topic_was_made_anew() {
  const std::lock_guard lock(mutex_);
  ++lives_;
  for (Written& written : written_) {
    written.first = written.sent;
    written.offsets.clear();
  }
}

// ---- reading

void Workload::read(Reader& reader) {
  std::int32_t assigned = 0;
  while (!stop_reading_) {
    try {
      if (assigned != partitions_) {
        const std::vector<TopicPartition> all = all_partitions();
        reader.consumer->assign(all);
        for (std::size_t added = static_cast<std::size_t>(assigned); reader.seeks && added < all.size(); ++added) {
          reader.consumer->seek(all[added], 0);
        }
        assigned = static_cast<std::int32_t>(all.size());
      }
      const Records records = reader.consumer->poll(milliseconds(100));
      for (const RecordView& record : records) take(reader, record);
      if (!records.empty()) continue;
      std::string explanation = reader.consumer->explain();
      const std::lock_guard lock(mutex_);
      reader.explanation = std::move(explanation);
    } catch (const Error& error) {
      problem(fmt::format("a reader's poll failed: {}", error.what()));
      std::this_thread::sleep_for(milliseconds(100));
    }
  }
}

void Workload::take(Reader& reader, const RecordView& record) {
  std::unique_lock lock(mutex_);
  ReadPartition& at = reader.partitions[static_cast<std::size_t>(record.partition())];
  const std::int64_t number = number_of(record);
  const bool begins_anew = record.offset() == 0 && at.next_offset > 0 && at.lives < lives_;
  if (begins_anew) at = {0, -1, at.lives + 1};
  const ReadPartition before = std::exchange(at, {record.offset() + 1, number, at.lives});
  lock.unlock();
  if (record.offset() != before.next_offset) {
    problem(fmt::format("partition {}: a reader gets offset {} where {} is next", record.partition(), record.offset(),
                        before.next_offset));
  }
  if (number <= before.last_number) {
    problem(fmt::format("partition {}: a reader gets record {} at offset {} after record {}", record.partition(),
                        number, record.offset(), before.last_number));
  }
}

std::vector<std::int64_t> Workload::last_numbers() {
  const std::lock_guard lock(mutex_);
  std::vector<std::int64_t> last;
  for (std::int32_t partition = 0; partition < partitions_; ++partition) {
    const Written& written = written_[static_cast<std::size_t>(partition)];
    last.push_back(written.offsets.empty() ? written.first - 1 : written.offsets.rbegin()->first);
  }
  return last;
}

bool Workload::has_progress(const std::vector<std::int64_t>& wanted) {
  const std::vector<std::int64_t> last = last_numbers();
  const std::lock_guard lock(mutex_);
  for (std::size_t partition = 0; partition < wanted.size(); ++partition) {
    if (last[partition] < wanted[partition]) return false;
    for (const auto& reader : readers_) {
      if (reader->partitions[partition].last_number < wanted[partition]) return false;
    }
  }
  return true;
}

void Workload::wait_for_progress(std::int64_t records) {
  std::vector<std::int64_t> wanted = last_numbers();
  for (std::int64_t& number : wanted) number += records;
  const auto started = Clock::now();
  bool told = false;
  while (!has_progress(wanted)) {
    const auto waited = Clock::now() - started;
    if (waited > kPatience) throw std::runtime_error(options_.name + " does not go on: " + explain());
    if (waited > kSlow && !std::exchange(told, true)) {
      fmt::print("{} takes its time: {}\n", options_.name, explain());
    }
    std::this_thread::sleep_for(milliseconds(20));
  }
}

std::string Workload::explain() const {
  std::string text = "the producer: " + producer_->explain();
  const std::lock_guard lock(mutex_);
  for (const auto& reader : readers_) text += "\na reader: " + reader->explanation;
  for (std::int32_t partition = 0; partition < partitions_; ++partition) {
    const Written& written = written_[static_cast<std::size_t>(partition)];
    text += fmt::format("\npartition {}: sent {}, answered {}, acknowledged {}; read to number", partition,
                        written.sent, written.answered, written.offsets.size());
    for (const auto& reader : readers_) {
      text += fmt::format(" {}", reader->partitions[static_cast<std::size_t>(partition)].last_number);
    }
  }
  return text;
}

// ---- the end

void Workload::finish() {
  stop_ = true;
  producing_.join();
  try {
    producer_->flush(kPatience);
  } catch (const Error& error) {
    problem(fmt::format("flush: {}; {}", error.what(), producer_->explain()));
  }
  {
    const std::lock_guard lock(mutex_);
    for (std::int32_t partition = 0; partition < partitions_; ++partition) {
      const Written& written = written_[static_cast<std::size_t>(partition)];
      if (written.answered == written.sent) continue;
      problems_.push_back(fmt::format("{}: partition {}: {} records sent, {} answered", options_.name, partition,
                                      written.sent, written.answered));
    }
  }
  wait_for_progress(0);
  stop_reading_ = true;
  for (auto& reader : readers_) reader->thread.join();
  judge();
}

void Workload::judge() {
  Consumer consumer{Config(joined(options_.common, {{"auto.offset.reset", "earliest"}}))};
  const std::vector<TopicPartition> partitions = all_partitions();
  consumer.assign(partitions);
  std::map<std::int32_t, std::map<std::int64_t, std::int64_t>> stored;  // by partition and number: the offset
  std::int64_t left = 0;
  for (const auto& [partition, end] : consumer.end_offsets(partitions)) left += end;
  std::map<std::int32_t, std::int64_t> last;
  while (left > 0) {
    const Records records = consumer.poll(seconds(20));
    if (records.empty()) return problem(fmt::format("{} records do not come: {}", left, consumer.explain()));
    for (const RecordView& record : records) {
      const std::int64_t number = number_of(record);
      const bool is_first = stored[record.partition()].emplace(number, record.offset()).second;
      if (!is_first) problem(fmt::format("partition {}: record {} is stored twice", record.partition(), number));
      const auto [before, is_new] = last.emplace(record.partition(), number);
      if (!is_new && before->second > number) {
        problem(fmt::format("partition {}: record {} is stored after {}", record.partition(), number, before->second));
      }
      before->second = number;
    }
    left -= static_cast<std::int64_t>(records.size());
  }
  for (const TopicPartition& where : partitions) {
    const Written& written = written_[static_cast<std::size_t>(where.partition)];
    for (const auto& [number, offset] : written.offsets) {
      if (number < written.first) continue;
      const auto found = stored[where.partition].find(number);
      if (found == stored[where.partition].end()) {
        problem(fmt::format("partition {}: record {}, acknowledged at offset {}, is lost", where.partition, number,
                            offset));
      } else if (offset >= 0 && found->second != offset) {
        problem(fmt::format("partition {}: record {}, acknowledged at offset {}, is at {}", where.partition, number,
                            offset, found->second));
      }
    }
  }
}

}  // namespace barnabas::cluster
