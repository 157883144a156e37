#include "client/core/gate.h"

#include <asio/use_awaitable.hpp>
#include <utility>

namespace barnabas::client {

Gate::~Gate() {
  for (const Waiter& waiter : waiters_) timers_->cancel(waiter.timer);
  unlink();
}

void Gate::abandon() {
  const auto timers = timers_;
  unlink();
  Waiters dropped = std::move(waiters_);
  waiters_.clear();
  for (Waiter& waiter : dropped) {
    timers->cancel(waiter.timer);
    waiter.resume.clear_cancel();
  }
}

void Gate::open() {
  open_ = true;
  while (!waiters_.empty()) end(waiters_.begin(), GateResult::opened);
}

asio::awaitable<GateResult> Gate::wait(runtime::MonotonicTime deadline) {
  return initiate<GateResult>(asio::use_awaitable, executor_,
                              [this, deadline](Handler<GateResult> resume) { start(std::move(resume), deadline); });
}

void Gate::start(Handler<GateResult> resume, runtime::MonotonicTime deadline) {
  if (open_) return resume(GateResult::opened);
  const auto waiter = waiters_.insert(waiters_.end(), Waiter{std::move(resume), {}});
  link(*timers_);
  waiter->timer = timers_->add(deadline, [this, waiter] { end(waiter, GateResult::timed_out); });
  waiter->resume.on_cancel([this, waiter] { end(waiter, GateResult::cancelled); });
}

void Gate::end(Waiters::iterator waiter, GateResult result) {
  timers_->cancel(waiter->timer);
  Handler<GateResult> resume = std::move(waiter->resume);
  resume.clear_cancel();
  waiters_.erase(waiter);
  if (waiters_.empty()) unlink();
  resume(result);
}

}  // namespace barnabas::client
