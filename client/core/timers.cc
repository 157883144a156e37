#include "client/core/timers.h"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <utility>

namespace barnabas::client {

void Abandonable::link(Timers& timers) {
  if (linked_at_ != nullptr) return;
  next_ = std::exchange(timers.waiting_, this);
  linked_at_ = &timers.waiting_;
  if (next_ != nullptr) next_->linked_at_ = &next_;
}

void Abandonable::unlink() noexcept {
  if (linked_at_ == nullptr) return;
  *linked_at_ = next_;
  if (next_ != nullptr) next_->linked_at_ = linked_at_;
  linked_at_ = nullptr;
}

Timers::Timers(runtime::Env& env, asio::any_io_executor executor)
    : env_(env), executor_(std::move(executor)), alarm_(env.make_alarm(executor_)) {}

Timers::Id Timers::add(runtime::MonotonicTime deadline, Action action) {
  if (stopped_ || deadline == runtime::MonotonicTime::max()) return {};
  const Id id{deadline, ++last_number_};
  if (spare_.empty()) {
    pending_.emplace(id, std::move(action));
  } else {
    Pending::node_type node = std::move(spare_.back());
    spare_.pop_back();
    node.key() = id;
    node.mapped() = std::move(action);
    pending_.insert(std::move(node));
  }
  if (!running_) {
    running_ = true;
    armed_ = deadline;
    asio::co_spawn(executor_, run(shared_from_this()), asio::detached);
  } else if (deadline < armed_) {
    alarm_->wake();
  }
  return id;
}

void Timers::cancel(const Id& id) {
  if (id.number != 0) keep(pending_.extract(id));
}

void Timers::keep(Pending::node_type node) {
  constexpr std::size_t kMostSpare = 64;
  if (node.empty() || spare_.size() >= kMostSpare) return;
  node.mapped() = nullptr;
  spare_.push_back(std::move(node));
}

void Timers::end_if_idle() {
  if (running_ && pending_.empty()) alarm_->wake();
}

void Timers::stop() {
  stopped_ = true;
  pending_.clear();
  if (running_) alarm_->wake();
}

void Timers::abandon() {
  stopped_ = true;
  pending_.clear();
  while (waiting_ != nullptr) waiting_->abandon();
}

asio::awaitable<void> Timers::run(std::shared_ptr<Timers> self) {
  while (!self->pending_.empty()) {
    self->armed_ = self->pending_.begin()->first.deadline;
    const runtime::MonotonicTime until = self->armed_;
    const auto waited = co_await self->alarm_->wait_until(until);
    static_cast<void>(waited);  // due, woken up or cancelled: what is due says the clock
    self->run_due();
  }
  self->running_ = false;
}

void Timers::run_due() {
  const auto now = env_.clock().now();
  while (!pending_.empty() && pending_.begin()->first.deadline <= now) {
    auto due = pending_.extract(pending_.begin());
    due.mapped()();
    keep(std::move(due));
  }
}

}  // namespace barnabas::client
