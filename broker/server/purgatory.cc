#include "broker/server/purgatory.h"

#include <algorithm>
#include <asio/post.hpp>
#include <utility>

namespace barnabas::broker {

struct Purgatory::Waiter {
  Waiter(asio::any_io_executor of_request, std::unique_ptr<runtime::Alarm> its_alarm)
      : executor(std::move(of_request)), alarm(std::move(its_alarm)) {}

  const asio::any_io_executor executor;
  const std::unique_ptr<runtime::Alarm> alarm;  // executor's thread only
  std::atomic<bool> moved{false};
};

std::unique_ptr<Purgatory::Watch> Purgatory::watch(RequestContext& context, std::vector<PartitionKey> keys) {
  return std::make_unique<Watch>(*this, context, std::move(keys));
}

void Purgatory::wake(const std::shared_ptr<Waiter>& waiter) {
  if (waiter->moved.exchange(true, std::memory_order_acq_rel)) return;
  asio::post(waiter->executor, [waiter] { waiter->alarm->wake(); });
}

void Purgatory::notify(const PartitionKey& key) {
  // A read-modify-write, so that it cannot pass the caller's own store (the new log end) as a plain load could.
  if (watching_.fetch_add(0, std::memory_order_seq_cst) == 0) return;
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.waiters.find(key);
  if (found == shard.waiters.end()) return;
  for (const std::shared_ptr<Waiter>& waiter : found->second) wake(waiter);
}

void Purgatory::shut_down() {
  shut_down_.store(true, std::memory_order_seq_cst);
  for (Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    for (const auto& [key, waiters] : shard.waiters) {
      for (const std::shared_ptr<Waiter>& waiter : waiters) wake(waiter);
    }
  }
}

Purgatory::Watch::Watch(Purgatory& purgatory, RequestContext& context, std::vector<PartitionKey> keys)
    : purgatory_(purgatory),
      context_(context),
      keys_(std::move(keys)),
      waiter_(std::make_shared<Waiter>(context.executor(), context.env().make_alarm(context.executor()))) {
  purgatory_.watching_.fetch_add(1, std::memory_order_seq_cst);
  for (const PartitionKey& key : keys_) {
    Shard& shard = purgatory_.shard_of(key);
    const std::lock_guard lock(shard.mutex);
    shard.waiters[key].push_back(waiter_);
  }
  context_.set_on_cancel([waiter = waiter_] { waiter->alarm->wake(); });
}

Purgatory::Watch::~Watch() {
  context_.set_on_cancel(nullptr);
  for (const PartitionKey& key : keys_) {
    Shard& shard = purgatory_.shard_of(key);
    const std::lock_guard lock(shard.mutex);
    const auto found = shard.waiters.find(key);
    if (found == shard.waiters.end()) continue;
    std::erase(found->second, waiter_);
    if (found->second.empty()) shard.waiters.erase(found);
  }
  purgatory_.watching_.fetch_sub(1, std::memory_order_seq_cst);
}

asio::awaitable<Purgatory::Outcome> Purgatory::Watch::wait(runtime::MonotonicTime deadline) {
  for (;;) {
    if (context_.is_cancelled() || purgatory_.shut_down_.load(std::memory_order_seq_cst)) co_return Outcome::cancelled;
    if (waiter_->moved.exchange(false, std::memory_order_acq_rel)) co_return Outcome::moved;
    const Result<void> rung = co_await waiter_->alarm->wait_until(deadline);
    if (rung) co_return Outcome::timed_out;
    if (rung.error().code == Errc::cancelled) co_return Outcome::cancelled;
  }
}

}  // namespace barnabas::broker
