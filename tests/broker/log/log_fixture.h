#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "broker/log/partition_log.h"
#include "common/record/batch_builder.h"
#include "common/record/batch_view.h"
#include "common/runtime/memory_files.h"

namespace barnabas::log {

/// A clock that the test sets; the rest is the system's, over the files given.
class LogTestEnv final : public runtime::Env {
 public:
  explicit LogTestEnv(runtime::Files& files) : files_(files) {}

  void set_wall_ms(std::int64_t now_ms) { clock_.now_ms = now_ms; }
  runtime::Clock& clock() noexcept override { return clock_; }
  runtime::Files& files() noexcept override { return files_; }
  runtime::Random& random() noexcept override { return system_.random(); }
  std::unique_ptr<runtime::Reactor> make_reactor(const std::string& name) override {
    return system_.make_reactor(name);
  }
  std::unique_ptr<runtime::WorkerPool> make_worker_pool(const std::string& name, std::size_t threads) override {
    return system_.make_worker_pool(name, threads);
  }
  std::unique_ptr<runtime::Alarm> make_alarm(asio::any_io_executor executor) override {
    return system_.make_alarm(std::move(executor));
  }
  std::unique_ptr<runtime::Signal> make_signal() override { return system_.make_signal(); }

 private:
  struct SetClock final : runtime::Clock {
    runtime::MonotonicTime now() const noexcept override { return runtime::system_env().clock().now(); }
    std::int64_t wall_ms() const noexcept override { return now_ms; }
    std::atomic<std::int64_t> now_ms{1'700'000'000'000};
  };
  runtime::Env& system_ = runtime::system_env();
  runtime::Files& files_;
  SetClock clock_;
};

struct BatchSpec {
  int records = 1;
  std::int64_t timestamp_ms = 1'700'000'000'000;
  std::int64_t timestamp_step_ms = 1;
  std::size_t value_bytes = 10;
  std::int64_t producer_id = record::kNoProducerId;
  std::int16_t producer_epoch = record::kNoProducerEpoch;
  std::int32_t base_sequence = record::kNoSequence;
  bool transactional = false;
  std::int64_t base_offset = 0;
  std::int32_t leader_epoch = record::kNoLeaderEpoch;
  record::CompressionType compression = record::CompressionType::none;
};

inline Bytes make_batch(const BatchSpec& spec) {
  record::BatchOptions options;
  options.base_offset = spec.base_offset;
  options.partition_leader_epoch = spec.leader_epoch;
  options.compression = spec.compression;
  options.producer_id = spec.producer_id;
  options.producer_epoch = spec.producer_epoch;
  options.base_sequence = spec.base_sequence;
  options.transactional = spec.transactional;
  record::BatchBuilder builder(options);
  const std::string value(spec.value_bytes, 'v');
  for (int i = 0; i < spec.records; ++i) {
    record::RecordInput record;
    const std::string key = "key-" + std::to_string(i);
    record.timestamp_ms = spec.timestamp_ms + i * spec.timestamp_step_ms;
    record.key = as_bytes(key);
    record.value = as_bytes(value);
    builder.append(record);
  }
  auto batch = builder.finish();
  EXPECT_TRUE(batch) << batch.error().message();
  return batch.value_or(Bytes{});
}

/// A log in memory, with what a test does to it.
class LogFixture : public ::testing::Test {
 protected:
  runtime::MemoryFiles files;
  LogTestEnv env{files};
  LogConfig config;
  std::unique_ptr<PartitionLog> log;

  OpenOptions options(bool clean = false) {
    OpenOptions result;
    result.directory = "/data/orders-0";
    result.topic_partition = "orders-0";
    result.config = config;
    result.clean_shutdown = clean;
    return result;
  }
  void open(bool clean = false) {
    auto opened = PartitionLog::open(env, options(clean));
    ASSERT_TRUE(opened) << opened.error().message();
    log = std::move(*opened);
  }
  void close_and_reopen() {
    const auto closed = log->close();
    ASSERT_TRUE(closed) << closed.error().message();
    log.reset();
    open(true);
  }
  AppendInfo append(const BatchSpec& spec = {}, std::int32_t leader_epoch = 0) {
    Bytes batch = make_batch(spec);
    const auto appended = log->append_as_leader(batch, leader_epoch);
    EXPECT_TRUE(appended) << appended.error().message;
    if (appended) log->set_high_watermark(log->log_end_offset());
    return appended.value_or(AppendInfo{});
  }
  protocol::ErrorCode append_error(const BatchSpec& spec) {
    Bytes batch = make_batch(spec);
    const auto appended = log->append_as_leader(batch, 0);
    return appended ? protocol::ErrorCode::none : appended.error().code;
  }
  /// Offsets of all batches from `offset` on, as a reader meets them.
  std::vector<std::int64_t> base_offsets(std::int64_t offset = 0) {
    std::vector<std::int64_t> bases;
    while (true) {
      const auto slice = log->read(offset, 1 << 20, true, ReadBound::log_end);
      if (!slice || slice->length == 0) return bases;
      const Bytes bytes = slice->bytes().value();
      record::BatchCursor cursor(bytes);
      while (const auto next = cursor.next().value()) {
        const auto header = record::read_batch_header(*next).value();
        bases.push_back(header.base_offset);
        offset = header.next_offset();
      }
    }
  }
  std::vector<std::string> file_names() {
    std::vector<std::string> names;
    const auto entries = files.list("/data/orders-0").value();
    for (const auto& entry : entries) names.push_back(entry.name);
    return names;
  }
  Bytes file(const std::string& name) { return files.read("/data/orders-0/" + name).value(); }
};

}  // namespace barnabas::log
