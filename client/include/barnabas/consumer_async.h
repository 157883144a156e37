#pragma once

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/use_awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "barnabas/consumer.h"
#include "barnabas/handler_async.h"

namespace barnabas {
namespace client {

/// What the templates below call; implemented in client/consumer.
BARNABAS_API asio::any_io_executor executor_of(ConsumerImpl& consumer);
BARNABAS_API void start_poll(ConsumerImpl& consumer, std::chrono::milliseconds timeout,
                             Handler<std::error_code, Records> done);
BARNABAS_API void start_commit(ConsumerImpl& consumer, std::optional<Offsets> offsets, Handler<std::error_code> done);
/// Poll goes on at this offset, where the partition is still assigned.
BARNABAS_API void give_back(ConsumerImpl& consumer, const TopicPartition& partition, std::int64_t offset) noexcept;

}  // namespace client

inline namespace v0 {

template <typename CompletionToken>
auto Consumer::async_poll(std::chrono::milliseconds timeout, CompletionToken&& token) {
  return initiate<std::error_code, Records>(std::forward<CompletionToken>(token), client::executor_of(*impl_),
                                            [impl = impl_, timeout](Handler<std::error_code, Records> done) {
                                              client::start_poll(*impl, timeout, std::move(done));
                                            });
}

template <typename CompletionToken>
auto Consumer::async_commit(CompletionToken&& token) {
  return initiate<std::error_code>(
      std::forward<CompletionToken>(token), client::executor_of(*impl_),
      [impl = impl_](Handler<std::error_code> done) { client::start_commit(*impl, std::nullopt, std::move(done)); });
}

template <typename CompletionToken>
auto Consumer::async_commit(Offsets offsets, CompletionToken&& token) {
  return initiate<std::error_code>(std::forward<CompletionToken>(token), client::executor_of(*impl_),
                                   [impl = impl_, offsets = std::move(offsets)](Handler<std::error_code> done) mutable {
                                     client::start_commit(*impl, std::move(offsets), std::move(done));
                                   });
}

/// A consumer's records one after the other, for coroutines on any executor:
///
///   auto records = consumer.records();
///   while (const barnabas::RecordView* record = co_await records.next()) charge(*record);
///
/// It polls when all records of the last poll have been taken, and not before: who takes none gets no more, and what
/// was taken before a poll counts as worked on (enable.auto.commit, rebalance listeners).
/// When it is destroyed, what it has polled and nobody took is given back: the consumer's positions return to it. So
/// end it before close() and before commits of the positions; while it lives, commit offsets of your own.
/// Threads: one call at a time, and none of Consumer::poll meanwhile.  Cost: allocates nothing per record.
class RecordStream {
 public:
  explicit RecordStream(std::shared_ptr<client::ConsumerImpl> consumer) : consumer_(std::move(consumer)) {}
  RecordStream(const RecordStream&) = delete;
  RecordStream& operator=(const RecordStream&) = delete;
  ~RecordStream();

  /// The next record, which lives until the next call; waits until there is one. nullptr: the consumer is closed.
  /// Errors: thrown, as those of async_poll are with asio::use_awaitable; the next call tries again.
  asio::awaitable<const RecordView*> next();

 private:
  asio::awaitable<bool> fill();

  static constexpr std::chrono::hours kLongPoll{1};

  std::shared_ptr<client::ConsumerImpl> consumer_;
  Records batch_;
  Records::Iterator at_;  // the record that was taken last
  std::size_t left_ = 0;  // behind it
};

inline RecordStream Consumer::records() {
  return RecordStream(impl_);
}

inline asio::awaitable<const RecordView*> RecordStream::next() {
  if (left_ > 0) {
    ++at_;
  } else {
    const bool has_more = co_await fill();
    if (!has_more) co_return nullptr;
  }
  --left_;
  co_return &*at_;
}

inline asio::awaitable<bool> RecordStream::fill() {
  at_ = {};
  batch_ = Records();  // its memory makes room for what comes
  try {
    while (batch_.empty()) {
      auto start = [consumer = consumer_](Handler<std::error_code, Records> done) {
        client::start_poll(*consumer, kLongPoll, std::move(done));
      };
      auto polled = initiate<std::error_code, Records>(asio::use_awaitable, client::executor_of(*consumer_), start);
      batch_ = co_await std::move(polled);
    }
  } catch (const std::system_error& error) {
    if (error.code() != Errc::closed) throw;
    co_return false;
  }
  at_ = batch_.begin();
  left_ = batch_.size();
  co_return true;
}

inline RecordStream::~RecordStream() {
  std::map<TopicPartition, std::int64_t> first;  // of those that nobody took
  for (; left_ > 0; --left_) {
    ++at_;
    first.emplace(TopicPartition{at_->topic(), at_->partition()}, at_->offset());
  }
  for (const auto& [partition, offset] : first) client::give_back(*consumer_, partition, offset);
}

/// A rebalance listener whose functions are coroutines: `co_await consumer.async_commit(asio::use_awaitable)` before
/// partitions go. Any of them may be left out.
struct CoroutineListener {
  using Partitions = RebalanceListener::Partitions;
  std::function<asio::awaitable<void>(Partitions)> on_assigned{};
  std::function<asio::awaitable<void>(Partitions)> on_revoked{};
  std::function<asio::awaitable<void>(Partitions)> on_lost{};  ///< Without it, on_revoked.
};

/// `consumer.subscribe({"orders"}, coroutine_listener(executor, {...}))`. They run on `executor`; close() elsewhere.
inline RebalanceListener coroutine_listener(asio::any_io_executor executor, CoroutineListener listener) {
  RebalanceListener made;
  made.start = [executor = std::move(executor), listener = std::move(listener)](
                   RebalanceListener::Event event, RebalanceListener::Partitions partitions,
                   std::function<void(std::exception_ptr)> done) {
    const bool lost = event == RebalanceListener::Event::lost && listener.on_lost;
    const auto& function = event == RebalanceListener::Event::assigned ? listener.on_assigned
                           : lost                                      ? listener.on_lost
                                                                       : listener.on_revoked;
    if (!function) return done(nullptr);
    asio::co_spawn(executor, function(std::move(partitions)), std::move(done));
  };
  return made;
}

}  // namespace v0
}  // namespace barnabas
