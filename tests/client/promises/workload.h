#pragma once

#include <barnabas/barnabas.h>

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/broker.h"
#include "client/core/client_runtime.h"
#include "common/runtime/virtual_env.h"
#include "tests/client/promises/breaking_network.h"

namespace barnabas::promises {

/// One record and what became of it.
struct Sent {
  std::string value;
  bool taken = false;
  int callbacks = 0;
  std::error_code error;
  std::string context;
};

/// Connects, makes and lists topics, produces, asks for offsets, fetches, shares in a group and closes, on a broker in
/// memory and in virtual time; the network breaks at one step. Every call is measured. What should not be goes to
/// problems().
/// Threads: one.
class Workload {
 public:
  /// `at`: the step, from 1 on.
  Workload(Break how, std::size_t at);
  ~Workload();

  void run();
  std::size_t steps() const { return network_.steps(); }
  const std::vector<std::string>& step_names() const { return network_.names(); }
  const std::vector<std::string>& problems() const { return problems_; }
  /// Of the calls: how many threw, and how many did not.
  int failed_calls() const { return failed_calls_; }
  int calls() const { return calls_; }

 private:
  using Milliseconds = std::chrono::milliseconds;

  void problem(const std::string& what);
  void expect(bool holds, const std::string& what) {
    if (!holds) problem(what);
  }
  /// A call that must have returned after `limit`, with a clear error where it throws.
  void call(const std::string& name, Milliseconds limit, const std::function<void()>& work);
  void start_broker();
  Config config(const std::string& name) const;
  template <typename Options>
  Options options() const {
    Options made;
    made.runtime = Runtime(runtime_);
    made.log.level = LogLevel::off;
    return made;
  }
  template <typename Client>
  void watch(const char* name, const Client& client);

  void administer(Admin& admin);
  void send(Producer& producer, const std::string& value, std::int32_t partition);
  void produce_and_close();
  void produce_and_destroy();
  void consume_and_close();
  void consume_and_destroy();
  void consume_in_group();
  void consume_in_group_and_destroy();
  void read(Consumer& consumer, Milliseconds longest_poll = Milliseconds(700));
  void check_callbacks();
  void check_nothing_is_left();
  void check_what_is_stored();
  std::optional<std::vector<std::string>> stored_values();

  struct Watched {
    std::string name;
    std::function<bool()> is_gone;
  };

  const Break how_;
  runtime::VirtualEnv env_{7};
  net::MemoryNetwork memory_{env_};
  BreakingNetwork network_;
  std::unique_ptr<broker::Broker> broker_;
  std::shared_ptr<client::ClientRuntime> runtime_;
  std::list<Sent> sent_;
  std::shared_ptr<int> token_ = std::make_shared<int>(0);  ///< Every callback holds it.
  std::vector<Watched> watched_;
  std::vector<std::string> problems_;
  int calls_ = 0;
  int failed_calls_ = 0;
};

}  // namespace barnabas::promises
