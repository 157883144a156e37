#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "barnabas/parallel_consumer.h"
#include "client/parallel/parallel_work.h"
#include "common/runtime/env.h"

namespace barnabas::client {

/// Behind barnabas::ParallelConsumer: who calls run() polls, commits and pauses; workers process.
class ParallelConsumerImpl {
 public:
  ParallelConsumerImpl(Config config, std::vector<std::string> topics, ParallelConsumer::Process process,
                       ParallelOptions options);
  ~ParallelConsumerImpl();

  void run();
  void stop() noexcept;

 private:
  void poll_and_process();
  void poll_once();
  void schedule(std::vector<ParallelWork::LaneRef> lanes);
  void run_lane(const ParallelWork::LaneRef& lane);
  bool process_one(const ParallelWork::LaneRef& lane, const RecordView& record) noexcept;
  FailureAction action_for(const RecordView& record, std::exception_ptr why, int attempts);
  void fail(std::exception_ptr why) noexcept;
  RebalanceListener listener();
  void hand_over(const std::vector<TopicPartition>& partitions);
  void commit_finished();
  void commit_finished_and_wait();
  void finish();
  bool wait_until(const std::function<bool()>& done);

  runtime::Env& env_;
  const std::vector<std::string> topics_;
  const ParallelConsumer::Process process_;
  const ParallelOptions options_;
  const std::unique_ptr<runtime::Signal> changed_;  // a lane was put back, a run ended
  ParallelWork work_;
  Consumer consumer_;
  runtime::MonotonicTime next_commit_{};
  std::atomic<bool> is_stopping_{false};
  std::atomic<std::uint64_t> turns_{0};  // that workers have ended; changed under changed_'s lock
  std::exception_ptr failure_;           // the first; under changed_'s lock
  bool is_running_ = false;              // the same
  std::unique_ptr<runtime::WorkerPool> workers_;
};

}  // namespace barnabas::client
