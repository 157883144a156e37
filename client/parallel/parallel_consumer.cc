#include "barnabas/parallel_consumer.h"

#include <fmt/format.h>

#include <algorithm>
#include <asio/post.hpp>
#include <utility>

#include "client/core/client_runtime.h"
#include "client/parallel/parallel_consumer_impl.h"

namespace barnabas {
namespace client {
namespace {

// So long a poll waits at most: commits are due meanwhile.
constexpr std::chrono::milliseconds kPoll{100};
constexpr std::size_t kMaxWorkers = 1024;

[[noreturn]] void refuse(Errc code, std::string why) {
  throw Error(make_error_code(code), std::move(why));
}

ParallelOptions checked(ParallelOptions options) {
  if (options.workers < 1 || options.workers > kMaxWorkers) {
    refuse(Errc::invalid_argument, fmt::format("workers = {} is not in 1..{}", options.workers, kMaxWorkers));
  }
  if (options.max_unfinished < 1) refuse(Errc::invalid_argument, "max_unfinished = 0: nothing could be processed");
  if (!options.consumer.runtime) options.consumer.runtime = Runtime::make();
  return options;
}

/// What is finished is committed, and nothing else: the consumer's own commits would be of what was polled.
Config without_auto_commit(Config config) {
  constexpr const char* kAutoCommit = "enable.auto.commit";
  const auto& given = config.properties();
  if (!given.contains("group.id"))
    refuse(Errc::invalid_config, "group.id is not set: a ParallelConsumer is a member of a group");
  if (const auto set = given.find(kAutoCommit); set != given.end() && set->second != "false") {
    refuse(Errc::invalid_config, "enable.auto.commit=" + set->second +
                                     ": a ParallelConsumer commits what is processed by itself; leave it out");
  }
  config.set(kAutoCommit, "false");
  return config;
}

Offsets offsets_of(const std::map<TopicPartition, UnfinishedOffsets::Mark>& marks) {
  Offsets offsets;
  for (const auto& [partition, mark] : marks) offsets[partition] = {mark.offset, mark.leader_epoch, {}};
  return offsets;
}

}  // namespace

ParallelConsumerImpl::ParallelConsumerImpl(Config config, std::vector<std::string> topics,
                                           ParallelConsumer::Process process, ParallelOptions options)
    : env_((options = checked(std::move(options))).consumer.runtime.internals()->env()),
      topics_(std::move(topics)),
      process_(std::move(process)),
      options_(std::move(options)),
      changed_(env_.make_signal()),
      work_({.order = options_.order, .max_unfinished = options_.max_unfinished}),
      consumer_(without_auto_commit(std::move(config)), options_.consumer),
      workers_(env_.make_worker_pool("parallel", options_.workers)) {}

ParallelConsumerImpl::~ParallelConsumerImpl() {
  stop();
  changed_->wait_until(runtime::MonotonicTime::max(), [this] { return !is_running_; });
  workers_.reset();  // waits for what processes still
}

void ParallelConsumerImpl::stop() noexcept {
  is_stopping_ = true;
  consumer_.wakeup();
}

void ParallelConsumerImpl::run() {
  changed_->notify([this] { is_running_ = true; });
  try {
    poll_and_process();
  } catch (...) {
    fail(std::current_exception());
  }
  finish();
  std::exception_ptr failure;
  changed_->notify([&] {
    is_running_ = false;
    failure = failure_;
  });
  if (failure) std::rethrow_exception(failure);
}

void ParallelConsumerImpl::poll_and_process() {
  consumer_.subscribe(topics_, listener());
  next_commit_ = env_.clock().now() + options_.commit_interval;
  while (!is_stopping_) {
    poll_once();
    const ParallelWork::Pressure pressure = work_.pressure();
    if (!pressure.pause.empty()) consumer_.pause(pressure.pause);
    if (!pressure.resume.empty()) consumer_.resume(pressure.resume);
    if (env_.clock().now() >= next_commit_) commit_finished();
  }
}

void ParallelConsumerImpl::poll_once() {
  const std::uint64_t turns = turns_;
  try {
    Records records = consumer_.poll(kPoll);
    if (!records.empty()) schedule(work_.add(std::move(records)));
  } catch (const Error& error) {
    // Errc::woken_up: a partition can be resumed, or all is to end. Errc::buffer_full: what is processed gives its
    // memory back, and there is nothing to poll for until then.
    if (error.code() != Errc::woken_up && error.code() != Errc::buffer_full) throw;
    if (error.code() == Errc::buffer_full) {
      changed_->wait_until(env_.clock().now() + kPoll, [&] { return turns_ != turns || is_stopping_; });
    }
  }
}

void ParallelConsumerImpl::schedule(std::vector<ParallelWork::LaneRef> lanes) {
  for (ParallelWork::LaneRef& lane : lanes) {
    asio::post(workers_->executor(), [this, lane = std::move(lane)] { run_lane(lane); });
  }
}

void ParallelConsumerImpl::run_lane(const ParallelWork::LaneRef& lane) {
  std::vector<ParallelWork::Task> tasks = work_.take(lane);
  std::size_t finished = 0;
  while (finished < tasks.size() && !ParallelWork::is_stopped(lane) && process_one(lane, tasks[finished].record))
    ++finished;
  const ParallelWork::PutBack put = work_.put_back(lane, tasks, finished);
  tasks.clear();  // who is told next may wait for their memory
  if (put.is_ready) schedule({lane});
  if (put.is_relieved) consumer_.wakeup();
  changed_->notify([this] { ++turns_; });
}

/// Tried again only while it is this member's: else nobody would ever end that.
bool ParallelConsumerImpl::process_one(const ParallelWork::LaneRef& lane, const RecordView& record) noexcept {
  for (int attempts = 1;; ++attempts) {
    try {
      process_(record);
      return true;
    } catch (...) {
      const FailureAction action = action_for(record, std::current_exception(), attempts);
      if (action == FailureAction::skip) return true;
      if (action == FailureAction::stop || is_stopping_ || ParallelWork::is_stopped(lane)) return false;
    }
  }
}

/// The user's choice; what ends the run is kept.
FailureAction ParallelConsumerImpl::action_for(const RecordView& record, std::exception_ptr why, int attempts) {
  FailureAction action = FailureAction::stop;
  try {
    if (options_.on_failure) action = options_.on_failure(record, why, attempts);
  } catch (...) {
    why = std::current_exception();
  }
  if (action == FailureAction::stop) fail(std::move(why));
  return action;
}

void ParallelConsumerImpl::fail(std::exception_ptr why) noexcept {
  changed_->notify([&] {
    if (!failure_) failure_ = std::move(why);
  });
  stop();
}

RebalanceListener ParallelConsumerImpl::listener() {
  RebalanceListener listener;
  listener.on_revoked = [this](const std::vector<TopicPartition>& partitions) { hand_over(partitions); };
  listener.on_lost = [this](const std::vector<TopicPartition>& partitions) {
    work_.stop(partitions);
    work_.forget(partitions);
  };
  return listener;
}

void ParallelConsumerImpl::hand_over(const std::vector<TopicPartition>& partitions) {
  work_.stop(partitions);
  wait_until([&] { return !work_.is_running(partitions); });
  commit_finished_and_wait();
  work_.forget(partitions);
}

void ParallelConsumerImpl::commit_finished() {
  next_commit_ = env_.clock().now() + options_.commit_interval;
  auto marks = work_.take_marks();
  if (marks.empty()) return;
  const Offsets offsets = offsets_of(marks);
  consumer_.commit_async(offsets, [this, marks = std::move(marks)](const CommitResult& result) {
    if (!result.ok()) work_.give_back(marks);
  });
}

/// A commit that the group refuses leaves the records to whoever has the partition now; poll says what is fatal.
void ParallelConsumerImpl::commit_finished_and_wait() {
  const auto marks = work_.take_marks();
  if (marks.empty()) return;
  try {
    consumer_.commit_sync(offsets_of(marks));
  } catch (const Error&) {
    work_.give_back(marks);
  }
}

/// Lets what is under way end, commits it and leaves.
void ParallelConsumerImpl::finish() {
  work_.stop_all();
  wait_until([this] { return !work_.is_running(); });
  commit_finished_and_wait();
  try {
    consumer_.close();
  } catch (...) {
    fail(std::current_exception());
  }
}

bool ParallelConsumerImpl::wait_until(const std::function<bool()>& done) {
  return changed_->wait_until(env_.clock().now() + options_.drain_timeout, done);
}

}  // namespace client

inline namespace v0 {

ParallelConsumer::ParallelConsumer(Config config, std::vector<std::string> topics, Process process,
                                   ParallelOptions options)
    : impl_(std::make_unique<client::ParallelConsumerImpl>(std::move(config), std::move(topics), std::move(process),
                                                           std::move(options))) {}
ParallelConsumer::~ParallelConsumer() = default;
ParallelConsumer::ParallelConsumer(ParallelConsumer&&) noexcept = default;
ParallelConsumer& ParallelConsumer::operator=(ParallelConsumer&&) noexcept = default;

void ParallelConsumer::run() {
  impl_->run();
}

void ParallelConsumer::stop() noexcept {
  impl_->stop();
}

}  // namespace v0
}  // namespace barnabas
