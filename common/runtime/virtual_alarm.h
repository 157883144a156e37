#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/associated_cancellation_slot.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/cancellation_type.hpp>
#include <asio/execution_context.hpp>
#include <asio/post.hpp>
#include <asio/query.hpp>
#include <asio/use_awaitable.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>

namespace barnabas::runtime {

/// What an Asio timer is without its clock: a place where one coroutine waits until it is told to go on. It costs no
/// system call. A context that is destroyed drops the coroutines that wait in it.
/// Threads: its executor's only.
class VirtualWait : public std::enable_shared_from_this<VirtualWait> {
 public:
  explicit VirtualWait(asio::any_io_executor executor) : executor_(std::move(executor)) {}
  VirtualWait(const VirtualWait&) = delete;
  VirtualWait& operator=(const VirtualWait&) = delete;
  ~VirtualWait() = default;

  /// An Asio operation with the signature void(); ended by end(), or by Asio's cancellation.
  auto async_wait() {
    return asio::async_initiate<const asio::use_awaitable_t<>&, void()>(
        [self = shared_from_this()](auto handler) { self->begin(std::move(handler)); }, asio::use_awaitable);
  }
  void end() {
    if (!waiter_) return;
    service().waiting.erase(place_);
    const std::unique_ptr<Waiter> waiter = std::move(waiter_);
    waiter->go_on(executor_);
  }

 private:
  struct Waiter {
    virtual ~Waiter() = default;
    virtual void go_on(const asio::any_io_executor& executor) = 0;
  };
  template <typename Handler>
  struct WaiterOf final : Waiter {
    explicit WaiterOf(Handler the_handler) : handler(std::move(the_handler)) {}
    void go_on(const asio::any_io_executor& executor) override {
      const auto where = asio::get_associated_executor(handler, executor);
      asio::post(where, std::move(handler));
    }
    Handler handler;
  };
  /// All who wait in one context.
  struct Service final : asio::execution_context::service {
    explicit Service(asio::execution_context& context) : asio::execution_context::service(context) {}
    void shutdown() override {
      while (!waiting.empty()) {
        // The coroutine owns, in the end, what it waits in.
        const auto alive = waiting.begin()->second->shared_from_this();
        waiting.erase(waiting.begin());
        const std::unique_ptr<Waiter> dropped = std::move(alive->waiter_);
      }
    }
    static inline asio::execution_context::id id;
    std::map<std::uint64_t, VirtualWait*> waiting;  // by age: the order of their end must not hang on addresses
    std::uint64_t begun = 0;
  };

  Service& service() { return asio::use_service<Service>(asio::query(executor_, asio::execution::context)); }

  template <typename Handler>
  void begin(Handler handler) {
    const std::uint64_t number = ++waits_;
    auto slot = asio::get_associated_cancellation_slot(handler);
    waiter_ = std::make_unique<WaiterOf<Handler>>(std::move(handler));
    place_ = ++service().begun;
    service().waiting.emplace(place_, this);
    if (!slot.is_connected()) return;
    slot.assign([weak = weak_from_this(), number](asio::cancellation_type) {
      const auto self = weak.lock();
      if (self && self->waits_ == number) self->end();
    });
  }

  asio::any_io_executor executor_;
  std::unique_ptr<Waiter> waiter_;
  std::uint64_t place_ = 0;
  std::uint64_t waits_ = 0;
};

}  // namespace barnabas::runtime
