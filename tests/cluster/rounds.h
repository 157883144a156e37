#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tests/cluster/kafka_cluster.h"
#include "tests/cluster/workload.h"

namespace barnabas::cluster {

/// What happens to a cluster in one round.
enum class Mishap {
  leaders_move,
  broker_killed,
  broker_paused,
  all_brokers_paused,
  two_brokers_fail,
  all_brokers_move,
  broker_comes_or_goes,
  topic_grows,
  topic_made_anew,
};
inline constexpr int kMishaps = 9;

/// Rounds drawn from a seed: three workloads run all the while, and after each mishap all of them must go on.
class Rounds {
 public:
  Rounds(KafkaCluster& cluster, std::uint64_t seed);
  /// Prints a line per round. Throws where something does not go on.
  void run(int count);
  /// Ends the workloads; what was promised and not kept.
  std::vector<std::string> finish();

 private:
  std::string round(Mishap mishap);
  std::string move_leaders();
  std::string kill_broker();
  std::string pause_broker();
  std::string pause_all_brokers();
  std::string fail_two_brokers();
  std::string move_all_brokers();
  std::string add_or_remove_broker();
  std::string grow_topic();
  std::string make_topic_anew();
  void spread_leaders();
  void wait_for_progress(std::int64_t records);
  int below(int limit);
  std::vector<std::int32_t> some_replicas();

  KafkaCluster& cluster_;
  std::mt19937_64 random_;
  std::vector<Mishap> deck_;  ///< Each mishap comes once before one comes again.
  std::int32_t steady_partitions_ = 3;
  std::unique_ptr<Workload> steady_;  ///< Fails nothing.
  std::unique_ptr<Workload> hasty_;   ///< Gives a record up after a time that is shorter than a broker's absence.
  std::unique_ptr<Workload> mayfly_;  ///< Its topic is deleted and made again.
};

}  // namespace barnabas::cluster
