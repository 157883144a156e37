#pragma once

#include <barnabas/barnabas.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace barnabas::cluster {

/// What a workload's reader finds, as it finds it.
struct ReadPartition {
  std::int64_t next_offset = 0;
  std::int64_t last_number = -1;
  int lives = 1;  ///< How many logs have been read from their beginning: one more with each topic that was made anew.
};

/// Numbered records, sent to each partition of a topic by an idempotent producer with acks=all, and read by consumers
/// all the while. Both write down what is promised and not kept; problems() tells. Threads: one for the producer and
/// one for each reader; the functions are called from one more.
class Workload {
 public:
  struct Options {
    std::string name;
    std::string topic;
    std::int32_t partitions = 3;
    Config::Properties common;  ///< For all of its clients.
    Config::Properties producer;
    std::vector<Config::Properties> readers;  ///< One consumer each.
    bool may_time_out = false;                ///< delivery.timeout.ms is short: records may fail by it.
  };
  explicit Workload(Options options);
  ~Workload();

  const Options& options() const { return options_; }
  /// Waits until of each partition so many more records have been acknowledged and all readers have read them.
  /// Throws, with what producer and consumers say they wait for.
  void wait_for_progress(std::int64_t records);
  /// The topic has more partitions now.
  void grow(std::int32_t partitions) { partitions_ = partitions; }
  /// The topic has been deleted and made again: what is sent from now on must be in the new one.
  void topic_was_made_anew();

  std::int64_t acknowledged() const;
  std::int64_t failed() const { return failed_; }
  ProducerMetrics producer_metrics() const { return producer_->metrics(); }
  std::string explain() const;

  /// Sends no more, waits for what is under way, and reads all partitions from their beginning once more: each record
  /// acknowledged is there, once, where its report says, and in order.
  void finish();
  std::vector<std::string> problems() const;

 private:
  struct Reader {
    std::unique_ptr<Consumer> consumer;
    bool seeks = false;                     ///< To the beginning, by itself: there is no reset policy.
    std::vector<ReadPartition> partitions;  // mutex_
    std::string explanation;                // mutex_
    std::thread thread;
  };
  struct Written {
    std::map<std::int64_t, std::int64_t> offsets;  ///< By number: those acknowledged. -1: the broker did not say where.
    std::int64_t sent = 0;
    std::int64_t answered = 0;
    std::int64_t first = 0;  ///< What was sent before is no promise any more: it went to a topic that is gone.
    bool timed_out = false;
  };

  void produce();
  void read(Reader& reader);
  void take(Reader& reader, const RecordView& record);
  void on_delivery(const Delivery& delivery, std::int64_t number);
  void note_failure(Written& written, const Delivery& delivery, std::int64_t number);
  void problem(std::string text);
  void judge();
  std::vector<TopicPartition> all_partitions() const;
  bool has_progress(const std::vector<std::int64_t>& wanted);
  std::vector<std::int64_t> last_numbers();

  Options options_;
  std::atomic<std::int32_t> partitions_;
  std::atomic<bool> stop_{false};
  std::atomic<bool> stop_reading_{false};
  std::atomic<std::int64_t> failed_{0};
  std::atomic<int> lives_{1};
  mutable std::mutex mutex_;
  std::vector<Written> written_;       // mutex_
  std::vector<std::string> problems_;  // mutex_
  std::vector<std::unique_ptr<Reader>> readers_;
  std::unique_ptr<Producer> producer_;
  std::thread producing_;
};

}  // namespace barnabas::cluster
