#pragma once

#include <barnabas/barnabas.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace barnabas::cluster {

/// A cluster of Apache Kafka that cluster.py runs: brokers 1 to 3, each a rack of its own ("r1"), and room for a
/// fourth. Threads: one. Errors: what does not work out is thrown as std::runtime_error.
class KafkaCluster {
 public:
  static constexpr int kBrokers = 3;

  /// Starts it; `folder` is emptied first.
  KafkaCluster(std::string script, std::string folder);
  ~KafkaCluster();
  KafkaCluster(const KafkaCluster&) = delete;
  KafkaCluster& operator=(const KafkaCluster&) = delete;

  /// Whether Apache Kafka is on this machine. Exits where BARNABAS_REQUIRE_PEERS=1 and it is not.
  static bool is_installed();

  /// Both ports of every broker that may ever be: the one in use and the one it may move to.
  std::string bootstrap_servers() const;
  std::string address_of(int broker) const;

  void kill(int broker) { run("kill", broker); }
  void pause(int broker) { run("pause", broker); }
  void resume(int broker) { run("resume", broker); }
  void stop(int broker) { run("stop", broker); }
  /// Starts one that is not running. `elsewhere`: on its other port.
  void start(int broker) { run("broker", broker); }
  /// Kills all brokers and starts those that ran on their other ports.
  void move_all_brokers() { run("move", 0); }
  bool is_running(int broker) const { return running_.count(broker) != 0; }

  Admin& admin() { return *admin_; }
  TopicDescription describe(const std::string& topic);
  /// Each partition has these replicas; the first leads. `configs` beside min.insync.replicas=2.
  void create_topic(const std::string& topic, const std::vector<std::vector<std::int32_t>>& replicas,
                    std::map<std::string, std::string> configs = {});
  void delete_topic(const std::string& topic);
  /// By one partition with these replicas; there are `partitions` then.
  void grow_topic(const std::string& topic, std::int32_t partitions, const std::vector<std::int32_t>& replicas);
  /// Moves a partition to these replicas, and waits until it is there and the first of them leads.
  void move_partition(const std::string& topic, std::int32_t partition, const std::vector<std::int32_t>& replicas);
  /// Makes the first replica the leader, where it is not.
  void elect_preferred_leader(const std::string& topic, std::int32_t partition);
  /// Waits until every partition has all its replicas in sync.
  void wait_until_in_sync(const std::string& topic);
  /// Waits until every broker that runs names a leader of each partition.
  void wait_until_known(const std::string& topic);
  /// Waits until it is, 90 seconds at most.
  void wait_until(const std::string& what, const std::function<bool()>& is_true);

 private:
  void run(const std::string& verb, int broker);
  /// Says it to any broker that answers; the controller gets it from there.
  template <typename Response, typename Request>
  Response ask(const Request& request);
  template <typename Response, typename Request>
  std::optional<Response> ask_broker(int broker, const Request& request);

  std::string command_;
  std::string folder_;
  std::map<int, std::vector<std::string>> ports_;  // the one in use first
  std::set<int> running_;
  std::unique_ptr<Admin> admin_;
};

}  // namespace barnabas::cluster
