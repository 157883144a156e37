#include "examples/demo/load.h"

#include <barnabas/barnabas.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <mutex>

#include "client/cli/progress.h"
#include "examples/demo/digest.h"
#include "examples/demo/interrupt.h"

namespace demo {
namespace {

using Clock = std::chrono::steady_clock;

/// What the broker answered for one item; written by the delivery callback, read when all have come.
struct Report {
  Clock::time_point sent;
  std::int64_t timestamp_ms = 0;
  std::int64_t offset = -1;
  std::int32_t partition = -1;
  std::uint32_t latency_us = 0;
};

class Loader {
 public:
  explicit Loader(const std::vector<Item>& items)
      : items_(items), reports_(items.size()), progress_("sending", items.size()) {}

  void run(barnabas::Producer& producer) {
    for (std::size_t i = 0; i < items_.size(); ++i) {
      throw_if_interrupted();
      send(producer, i);
      const std::lock_guard guard(mutex_);
      show();
    }
    while (!is_flushed(producer)) throw_if_interrupted();
  }

  Loaded result() const;

 private:
  /// Waits a moment for the answers that are still to come, and shows how many came.
  bool is_flushed(barnabas::Producer& producer) {
    bool done = true;
    try {
      producer.flush(std::chrono::milliseconds(100));
    } catch (const barnabas::Error& error) {
      if (error.code() != barnabas::Errc::timed_out) throw;
      done = false;
    }
    const std::lock_guard guard(mutex_);
    show();
    return done;
  }

  void send(barnabas::Producer& producer, std::size_t index) {
    const Item& item = items_[index];
    const std::array<barnabas::Header, 2> headers{{{"section", item.section}, {"architecture", item.architecture}}};
    barnabas::Record record{.topic = kTopic, .value = item.value};
    if (!item.key.empty()) {
      record.key = item.key;
      record.headers = headers;
    }
    sent_bytes_ += item.key.size() + item.value.size() + item.section.size() + item.architecture.size();
    reports_[index].sent = Clock::now();
    producer.send(record, [this, index](const barnabas::Delivery& delivery) { delivered(index, delivery); });
  }

  void delivered(std::size_t index, const barnabas::Delivery& delivery) {
    const std::lock_guard guard(mutex_);
    if (!delivery.ok()) {
      if (++failed_ == 1) first_failure_ = delivery.context + " (" + delivery.error.message() + ")";
      return;
    }
    ++acknowledged_;
    Report& report = reports_[index];
    report.partition = delivery.partition;
    report.offset = delivery.offset;
    report.timestamp_ms = delivery.timestamp.time_since_epoch().count();
    report.latency_us = static_cast<std::uint32_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - report.sent).count());
  }

  /// Needs mutex_.
  void show() {
    progress_.update(
        {.records = acknowledged_ + failed_, .bytes = sent_bytes_, .acknowledged = acknowledged_, .failed = failed_});
  }
  std::vector<PartitionSummary> summaries() const;

  const std::vector<Item>& items_;
  std::vector<Report> reports_;  // each written under mutex_ by one callback
  barnabas::cli::Progress progress_;
  std::uint64_t sent_bytes_ = 0;
  std::mutex mutex_;
  std::uint64_t acknowledged_ = 0;  // mutex_
  std::uint64_t failed_ = 0;        // mutex_
  std::string first_failure_;       // mutex_
};

/// The digest of each partition, from what was sent and where the broker said it went.
std::vector<PartitionSummary> Loader::summaries() const {
  std::vector<std::vector<std::size_t>> order(kPartitions);
  for (std::size_t i = 0; i < reports_.size(); ++i) {
    if (reports_[i].partition >= 0) order[static_cast<std::size_t>(reports_[i].partition)].push_back(i);
  }
  std::vector<PartitionSummary> out;
  for (auto& indices : order) {
    std::sort(indices.begin(), indices.end(), [&](auto a, auto b) { return reports_[a].offset < reports_[b].offset; });
    PartitionDigest sum;
    Digest digest;
    for (const std::size_t i : indices) {
      const Item& item = items_[i];
      const bool has_key = !item.key.empty();
      digest.add_number(reports_[i].offset);
      digest.add_bytes(has_key ? std::optional<std::string_view>(item.key) : std::nullopt);
      digest.add_bytes(item.value);
      digest.add_number(has_key ? 2 : 0);
      if (has_key) {
        for (const auto& [name, value] : {std::pair<std::string_view, std::string_view>{"section", item.section},
                                          {"architecture", item.architecture}}) {
          digest.add_bytes(name);
          digest.add_bytes(value);
        }
      }
      digest.add_number(reports_[i].timestamp_ms);
      sum.add(digest.finish());
    }
    out.push_back({sum.records(), sum.finish()});
  }
  return out;
}

double percentile_ms(std::vector<std::uint32_t>& latencies_us, double share) {
  if (latencies_us.empty()) return 0;
  const auto at =
      latencies_us.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(latencies_us.size() - 1));
  std::nth_element(latencies_us.begin(), at, latencies_us.end());
  return *at / 1000.0;
}

Loaded Loader::result() const {
  Loaded loaded;
  loaded.partitions = summaries();
  loaded.acknowledged = acknowledged_;
  loaded.failed = failed_;
  loaded.first_failure = first_failure_;
  std::vector<std::uint32_t> latencies_us;
  for (const Report& report : reports_) {
    if (report.partition >= 0) latencies_us.push_back(report.latency_us);
  }
  loaded.latency_p50_ms = percentile_ms(latencies_us, 0.50);
  loaded.latency_p99_ms = percentile_ms(latencies_us, 0.99);
  return loaded;
}

/// Kafka's usual megabyte, or what the longest line of the input needs.
std::size_t largest_request_bytes(const std::vector<Item>& items) {
  constexpr std::size_t kUsual = 1024 * 1024;
  constexpr std::size_t kAround = 16 * 1024;  // key, headers, and what the protocol adds
  std::size_t largest = 0;
  for (const Item& item : items) largest = std::max(largest, item.value.size());
  return std::max(kUsual, largest + kAround);
}

}  // namespace

Loaded load(const std::string& bootstrap_servers, const std::vector<Item>& items) {
  const std::string most_bytes = std::to_string(largest_request_bytes(items));
  barnabas::Admin admin{{{"bootstrap.servers", bootstrap_servers}}};
  const auto created = admin.create_topics(
      {{.name = kTopic, .partitions = kPartitions, .configs = {{"max.message.bytes", most_bytes}}}});
  if (created.at(0).error) throw std::runtime_error(created[0].error.context);

  Loader loader(items);  // before the producer: its callbacks come until it is gone
  barnabas::Producer producer{{{"bootstrap.servers", bootstrap_servers},
                               {"acks", "all"},
                               {"compression.type", "zstd"},
                               {"max.request.size", most_bytes},
                               {"batch.size", "131072"},
                               {"linger.ms", "20"}}};
  const auto started = Clock::now();
  loader.run(producer);
  const std::chrono::duration<double> took = Clock::now() - started;
  producer.close();
  Loaded loaded = loader.result();
  loaded.seconds = took.count();
  loaded.record_bytes = producer.metrics().record_bytes;
  loaded.batch_bytes = producer.metrics().batch_bytes;
  return loaded;
}

}  // namespace demo
