#pragma once

#include <barnabas/barnabas.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "broker/broker.h"
#include "client/core/client_runtime.h"
#include "common/net/memory_network.h"
#include "common/runtime/virtual_env.h"
#include "tests/client/nonsense/lies.h"
#include "tests/client/nonsense/lying_network.h"

namespace barnabas::nonsense {

/// A broker in memory and in virtual time, with a topic.
class World {
 public:
  static constexpr const char* kTopic = "t";
  static constexpr std::int32_t kPartitions = 4;
  static constexpr int kRecords = 40;

  explicit World(std::uint64_t seed);
  ~World();

  runtime::VirtualEnv& env() { return env_; }
  net::MemoryNetwork& network() { return memory_; }
  const std::vector<std::string>& problems() const { return problems_; }

 private:
  void fill_topic();

  runtime::VirtualEnv env_;
  net::MemoryNetwork memory_{env_};
  std::unique_ptr<broker::Broker> broker_;
  std::vector<std::string> problems_;
};

/// Members and an Admin of one group whose coordinator's answers are lies for a while: each call is measured, and each
/// error read. Then the answers are honest again, and the member has to find back: it owns all partitions, reads every
/// record and commits. What should not be goes to problems().
/// Threads: one.
class GroupLife {
 public:
  GroupLife(World& world, std::uint64_t seed);
  ~GroupLife();

  void run();
  const std::vector<std::string>& problems() const { return problems_; }
  /// What was lied about, in order.
  const std::string& lies() const { return lies_; }
  int lies_told() const { return lies_told_; }
  int failed_calls() const { return failed_calls_; }

 private:
  using Milliseconds = std::chrono::milliseconds;

  Bytes tell(protocol::ApiKey api, std::int16_t version, Bytes answer);
  void problem(const std::string& what) { problems_.push_back(what); }
  bool call(const std::string& name, Milliseconds limit, const std::function<void()>& work);
  Config config(const std::string& name) const;
  template <typename Options>
  Options options() const;
  std::unique_ptr<Consumer> member(const std::string& name);
  void use(Consumer& consumer);
  void administer();
  void find_back(Consumer& consumer);
  bool reads_everything(Consumer& consumer);
  void commit_all(Consumer& consumer);

  World& world_;
  simulation::Dice dice_;
  const std::string group_;
  const std::string strategy_;
  const std::int64_t one_lie_in_;
  int lies_left_;
  bool lying_ = true;
  bool static_ = false;
  LyingNetwork network_;
  std::shared_ptr<client::ClientRuntime> runtime_;
  std::string lies_;
  int lies_told_ = 0;
  int failed_calls_ = 0;
  std::vector<std::string> problems_;
};

}  // namespace barnabas::nonsense
