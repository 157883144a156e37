#include "client/core/client_runtime.h"

#include <asio/execution/context.hpp>
#include <asio/execution_context.hpp>
#include <asio/post.hpp>
#include <asio/query.hpp>
#include <asio/strand.hpp>
#include <mutex>
#include <utility>
#include <vector>

#include "barnabas/runtime.h"
#include "barnabas/runtime_async.h"

namespace barnabas::client {
namespace {

/// Told by the user's execution context that it ends: clients that were not closed before are dropped with it.
/// Threads: add() from any; shutdown() when nothing runs any more.
class ContextEnd final : public asio::execution_context::service {
 public:
  using key_type = ContextEnd;
  static asio::execution_context::id id;

  explicit ContextEnd(asio::execution_context& context) : service(context) {}
  void add(const std::shared_ptr<Timers>& timers) {
    const std::lock_guard lock(mutex_);
    std::erase_if(timers_, [](const auto& weak) { return weak.expired(); });
    timers_.push_back(timers);
  }

 private:
  void shutdown() override {
    for (const auto& weak : std::exchange(timers_, {})) {
      if (const auto timers = weak.lock()) timers->abandon();
    }
  }

  std::mutex mutex_;
  std::vector<std::weak_ptr<Timers>> timers_;  // mutex_
};

asio::execution_context::id ContextEnd::id;

}  // namespace

std::shared_ptr<ClientRuntime> ClientRuntime::make(const std::string& thread_name) {
  return make(runtime::system_env(), net::tcp_network(), thread_name);
}

std::shared_ptr<ClientRuntime> ClientRuntime::make(runtime::Env& env, net::Network& network,
                                                   const std::string& thread_name) {
  auto reactor = env.make_reactor(thread_name);
  runtime::Reactor* const raw = reactor.get();
  const asio::any_io_executor executor = raw->executor();
  return std::make_shared<ClientRuntime>(env, network, std::move(reactor), executor,
                                         [raw] { return raw->is_current_thread(); });
}

std::shared_ptr<ClientRuntime> ClientRuntime::on(asio::any_io_executor executor, std::function<bool()> runs_here) {
  asio::execution_context& context = asio::query(executor, asio::execution::context);
  auto runtime = std::make_shared<ClientRuntime>(runtime::system_env(), net::tcp_network(), nullptr,
                                                 std::move(executor), std::move(runs_here));
  asio::use_service<ContextEnd>(context).add(runtime->timers());
  return runtime;
}

ClientRuntime::ClientRuntime(runtime::Env& env, net::Network& network, std::unique_ptr<runtime::Reactor> reactor,
                             asio::any_io_executor executor, std::function<bool()> runs_here)
    : env_(env),
      network_(network),
      reactor_(std::move(reactor)),
      executor_(std::move(executor)),
      runs_here_(std::move(runs_here)),
      timers_(std::make_shared<Timers>(env, executor_)) {}

ClientRuntime::~ClientRuntime() {
  // On the user's executor the alarm would keep run() from returning until its time has come.
  if (!reactor_) asio::post(executor_, [timers = timers_] { timers->stop(); });
}

std::shared_ptr<ClientRuntime> make_runtime_on(asio::any_io_executor executor, std::function<bool()> runs_here) {
  return ClientRuntime::on(std::move(executor), std::move(runs_here));
}

}  // namespace barnabas::client

namespace barnabas {
inline namespace v0 {

Runtime Runtime::make() {
  return Runtime(client::ClientRuntime::make("barnabas"));
}

}  // namespace v0
}  // namespace barnabas
