#include "client/consumer/group/poller_desk.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace barnabas::client {

void PollerDesk::update() {
  const bool needed = turn_ != Turn::none || !calls_.empty() || !failures_.empty() || fatal_.has_value();
  needed_.store(needed, std::memory_order_release);
}

void PollerDesk::want_turn(std::function<void()> granted) {
  const std::lock_guard lock(mutex_);
  turn_ = Turn::wanted;
  granted_ = std::move(granted);
  update();
}

void PollerDesk::end_turn() {
  const std::lock_guard lock(mutex_);
  turn_ = Turn::none;
  granted_ = nullptr;
  update();
}

void PollerDesk::put_call(Call call) {
  const std::lock_guard lock(mutex_);
  calls_.push_back(std::move(call));
  update();
}

void PollerDesk::report(Failure why) {
  const std::lock_guard lock(mutex_);
  failures_.push_back(std::move(why));
  update();
}

void PollerDesk::set_fatal(std::optional<Failure> why) {
  const std::lock_guard lock(mutex_);
  fatal_ = std::move(why);
  update();
}

void PollerDesk::drop_calls() {
  std::vector<Call> dropped;
  const std::lock_guard lock(mutex_);
  dropped.swap(calls_);
  update();
}

PollerDesk::Duty PollerDesk::take() {
  Duty duty;
  std::function<void()> granted;
  {
    const std::lock_guard lock(mutex_);
    duty.calls = std::exchange(calls_, {});
    if (fatal_) {
      duty.failure = fatal_;
    } else if (!failures_.empty()) {
      duty.failure = std::move(failures_.front());
      failures_.pop_front();
    }
    if (turn_ == Turn::wanted) {
      turn_ = Turn::granted;
      granted = std::exchange(granted_, nullptr);
    }
    duty.in_turn = turn_ == Turn::granted;
    update();
  }
  if (granted) granted();
  return duty;
}

std::vector<PollerDesk::Call> PollerDesk::take_calls() {
  const std::lock_guard lock(mutex_);
  auto calls = std::exchange(calls_, {});
  update();
  return calls;
}

std::vector<Failure> PollerDesk::take_failures(std::error_code kind) {
  const std::lock_guard lock(mutex_);
  const auto taken =
      std::stable_partition(failures_.begin(), failures_.end(), [&](const Failure& one) { return one.code != kind; });
  std::vector<Failure> failures(std::make_move_iterator(taken), std::make_move_iterator(failures_.end()));
  failures_.erase(taken, failures_.end());
  update();
  return failures;
}

}  // namespace barnabas::client
