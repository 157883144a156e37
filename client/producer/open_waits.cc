#include "client/producer/open_waits.h"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/co_spawn.hpp>
#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>
#include <system_error>

namespace barnabas::client {

asio::awaitable<Result<void>> OpenWaits::run(std::shared_ptr<OpenWaits> self, TopicPartition what,
                                             asio::awaitable<Result<void>> work) {
  Result<void> result = failure(Errc::closed, "the producer was closed");
  if (self->ended_) co_return result;
  const auto place = self->open_.emplace(self->open_.end(), std::move(what), self->runtime_->now());
  const asio::any_io_executor executor = self->runtime_->executor();
  auto token = asio::bind_cancellation_slot(place->cancel.slot(), asio::use_awaitable);
  try {
    const Result<void> ended = co_await asio::co_spawn(executor, std::move(work), token);
    if (ended || !self->ended_) result = ended;
  } catch (const std::system_error&) {  // Asio's way to end a coroutine that was cancelled between two waits
  }
  self->open_.erase(place);
  co_return result;
}

void OpenWaits::end_all() {
  asio::post(runtime_->executor(), [self = shared_from_this()] {
    self->ended_ = true;
    // A wait that ends goes on in a handler of its own: the list does not change under this loop.
    for (Wait& wait : self->open_) wait.cancel.emit(asio::cancellation_type::terminal);
  });
}

}  // namespace barnabas::client
