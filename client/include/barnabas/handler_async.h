#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/associated_cancellation_slot.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/post.hpp>
#include <asio/prefer.hpp>
#include <cstddef>
#include <memory>
#include <new>
#include <tuple>
#include <type_traits>
#include <utility>

#include "barnabas/inline_function.h"

namespace barnabas {
inline namespace v0 {

/// A completion handler of any Asio token with its type erased, so that the work behind an async_ function is compiled
/// once and the templates stay thin. Stored inline up to kInlineBytes (coroutines, futures and small lambdas are); a
/// larger one goes to the heap. Call it once. The handler always runs on its own executor, never inside the call. While
/// it waits, that executor counts it as work. Threads: construct in the initiating function; call from any thread.
template <typename... Args>
class Handler {
 public:
  static constexpr std::size_t kInlineBytes = 192;

  Handler() noexcept = default;
  /// `fallback`: where it runs when it names no executor itself.
  template <typename AsioHandler>
  Handler(AsioHandler handler, const asio::any_io_executor& fallback) {
    using Stored = Model<AsioHandler>;
    if constexpr (sizeof(Stored) <= kInlineBytes && std::is_nothrow_move_constructible_v<Stored>) {
      ::new (static_cast<void*>(storage_)) Stored(std::move(handler), fallback);
      table_ = &kInlineTable<Stored>;
    } else {
      ::new (static_cast<void*>(storage_)) Stored*(new Stored(std::move(handler), fallback));
      table_ = &kHeapTable<Stored>;
    }
  }
  Handler(Handler&& other) noexcept { take(other); }
  Handler& operator=(Handler&& other) noexcept {
    if (this != &other) {
      reset();
      take(other);
    }
    return *this;
  }
  Handler(const Handler&) = delete;
  Handler& operator=(const Handler&) = delete;
  ~Handler() { reset(); }

  explicit operator bool() const noexcept { return table_ != nullptr; }

  /// Posts the completion. The Handler is empty afterwards.
  void operator()(Args... args) { std::exchange(table_, nullptr)->complete(storage_, std::move(args)...); }

  /// Runs `cancel` (in the thread that emits the signal) when the operation is cancelled through Asio's cancellation
  /// slot, until the handler itself runs: that may be after the call that completed it. `cancel` owns what it refers
  /// to, or clear_cancel() comes first.
  void on_cancel(InlineFunction<void(), 48> cancel) { table_->on_cancel(storage_, std::move(cancel)); }
  void clear_cancel() { table_->on_cancel(storage_, nullptr); }

 private:
  template <typename AsioHandler>
  struct Model {
    using Executor = asio::associated_executor_t<AsioHandler, asio::any_io_executor>;
    using Tracked = std::decay_t<
        typename asio::prefer_result<const Executor&, asio::execution::outstanding_work_t::tracked_t>::type>;

    Model(AsioHandler h, const asio::any_io_executor& fallback)
        : handler(std::move(h)),
          executor(asio::prefer(asio::get_associated_executor(handler, fallback),
                                asio::execution::outstanding_work.tracked)) {}

    void complete(Args&&... args) {
      Tracked target = std::move(executor);
      asio::post(target, [inner = std::move(handler), values = std::tuple<Args...>(std::move(args)...)]() mutable {
        // Here and not before: a cancellation slot belongs to the thread of its handler.
        if (auto slot = asio::get_associated_cancellation_slot(inner); slot.is_connected()) slot.clear();
        std::apply([&inner](Args&... a) { std::move(inner)(std::move(a)...); }, values);
      });
    }
    void on_cancel(InlineFunction<void(), 48> cancel) {
      auto slot = asio::get_associated_cancellation_slot(handler);
      if (!slot.is_connected()) return;
      if (!cancel) return slot.clear();
      slot.assign([action = std::move(cancel)](asio::cancellation_type type) mutable {
        if (type != asio::cancellation_type::none) action();
      });
    }

    AsioHandler handler;
    Tracked executor;
  };

  struct Table {
    void (*complete)(void*, Args&&...);  // leaves the storage destroyed
    void (*on_cancel)(void*, InlineFunction<void(), 48>);
    void (*move)(void* from, void* to) noexcept;  // leaves `from` destroyed
    void (*destroy)(void*) noexcept;
  };
  template <typename Stored>
  static constexpr Table kInlineTable{
      [](void* at, Args&&... args) {
        auto* stored = static_cast<Stored*>(at);
        stored->complete(std::move(args)...);
        stored->~Stored();
      },
      [](void* at, InlineFunction<void(), 48> cancel) { static_cast<Stored*>(at)->on_cancel(std::move(cancel)); },
      [](void* from, void* to) noexcept {
        ::new (to) Stored(std::move(*static_cast<Stored*>(from)));
        static_cast<Stored*>(from)->~Stored();
      },
      [](void* at) noexcept { static_cast<Stored*>(at)->~Stored(); }};
  template <typename Stored>
  static constexpr Table kHeapTable{
      [](void* at, Args&&... args) {
        std::unique_ptr<Stored> stored(*static_cast<Stored**>(at));
        stored->complete(std::move(args)...);
      },
      [](void* at, InlineFunction<void(), 48> cancel) { (*static_cast<Stored**>(at))->on_cancel(std::move(cancel)); },
      [](void* from, void* to) noexcept { ::new (to) Stored*(*static_cast<Stored**>(from)); },
      [](void* at) noexcept { delete *static_cast<Stored**>(at); }};

  void take(Handler& other) noexcept {
    if (other.table_ == nullptr) return;
    other.table_->move(other.storage_, storage_);
    table_ = std::exchange(other.table_, nullptr);
  }
  void reset() noexcept {
    if (table_ != nullptr) std::exchange(table_, nullptr)->destroy(storage_);
  }

  alignas(std::max_align_t) std::byte storage_[kInlineBytes];
  const Table* table_ = nullptr;
};

/// What Asio calls `token`'s handler for, wrapped once: `start(Handler<Args...>)` begins the operation.
template <typename... Args, typename CompletionToken, typename Start>
auto initiate(CompletionToken&& token, asio::any_io_executor fallback, Start start) {
  return asio::async_initiate<CompletionToken, void(Args...)>(
      [](auto&& handler, asio::any_io_executor executor, Start begin) {
        begin(Handler<Args...>(std::forward<decltype(handler)>(handler), executor));
      },
      token, std::move(fallback), std::move(start));
}

}  // namespace v0
}  // namespace barnabas
