#include "tests/cluster/rounds.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

namespace barnabas::cluster {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t kRecordsAfterMishap = 50;  // of each partition
constexpr std::int32_t kMostPartitions = 8;
constexpr std::int32_t kPartitions = 3;
constexpr int kFourth = KafkaCluster::kBrokers + 1;
constexpr std::chrono::seconds kPause{
    6};  // longer than the request, session and lag timeouts, and hasty's delivery timeout

Config::Properties common(const KafkaCluster& cluster) {
  return {{"bootstrap.servers", cluster.bootstrap_servers()},
          {"metadata.recovery.strategy", "rebootstrap"},
          {"metadata.recovery.rebootstrap.trigger.ms", "5000"},
          {"request.timeout.ms", "1500"},
          {"socket.connection.setup.timeout.ms", "1000"},
          {"socket.connection.setup.timeout.max.ms", "2000"},
          {"reconnect.backoff.ms", "20"},
          {"reconnect.backoff.max.ms", "200"},
          {"retry.backoff.ms", "20"},
          {"retry.backoff.max.ms", "200"}};
}

std::vector<std::vector<std::int32_t>> spread(std::int32_t partitions) {
  std::vector<std::vector<std::int32_t>> replicas;
  for (std::int32_t p = 0; p < partitions; ++p) replicas.push_back({1 + p % 3, 1 + (p + 1) % 3, 1 + (p + 2) % 3});
  return replicas;
}

std::unique_ptr<Workload> workload(const KafkaCluster& cluster, const std::string& name, Config::Properties producer,
                                   std::vector<Config::Properties> readers, bool may_time_out) {
  producer.insert({{"batch.size", "1000"}, {"linger.ms", "1"}});
  Workload::Options options;
  options.name = name;
  options.topic = name;
  options.partitions = kPartitions;
  options.common = common(cluster);
  options.producer = std::move(producer);
  options.readers = std::move(readers);
  options.may_time_out = may_time_out;
  return std::make_unique<Workload>(std::move(options));
}

}  // namespace

Rounds::Rounds(KafkaCluster& cluster, std::uint64_t seed) : cluster_(cluster), random_(seed) {
  for (const char* topic : {"steady", "hasty", "mayfly"}) cluster_.create_topic(topic, spread(kPartitions));
  // With auto.offset.reset=none a reader fails where it would otherwise be quietly set to another offset.
  const Config::Properties strict{{"client.rack", "r2"}, {"auto.offset.reset", "none"}};
  steady_ = workload(cluster_, "steady", {}, {{}, strict}, false);
  hasty_ = workload(cluster_, "hasty", {{"delivery.timeout.ms", "2000"}, {"compression.type", "lz4"}}, {strict}, true);
  mayfly_ = workload(cluster_, "mayfly", {{"compression.type", "zstd"}}, {{}}, false);
  wait_for_progress(kRecordsAfterMishap);
}

int Rounds::below(int limit) {
  return static_cast<int>(random_() % static_cast<std::uint64_t>(limit));
}

void Rounds::wait_for_progress(std::int64_t records) {
  for (Workload* workload : {steady_.get(), hasty_.get(), mayfly_.get()}) workload->wait_for_progress(records);
}

void Rounds::run(int count) {
  for (int number = 1; number <= count; ++number) {
    if (deck_.empty()) {
      for (int i = 0; i < kMishaps; ++i) deck_.push_back(static_cast<Mishap>(i));
      std::shuffle(deck_.begin(), deck_.end(), random_);
    }
    const Mishap mishap = deck_.back();
    deck_.pop_back();
    const auto started = Clock::now();
    const std::string told = round(mishap);
    wait_for_progress(kRecordsAfterMishap);
    const std::chrono::duration<double> took = Clock::now() - started;
    fmt::print("round {}: {}; {:.1f} s; acknowledged {} + {} + {}, failed {}\n", number, told, took.count(),
               steady_->acknowledged(), hasty_->acknowledged(), mayfly_->acknowledged(), hasty_->failed());
    std::fflush(stdout);
  }
}

std::string Rounds::round(Mishap mishap) {
  switch (mishap) {
    case Mishap::leaders_move:
      return move_leaders();
    case Mishap::broker_killed:
      return kill_broker();
    case Mishap::broker_paused:
      return pause_broker();
    case Mishap::all_brokers_paused:
      return pause_all_brokers();
    case Mishap::two_brokers_fail:
      return fail_two_brokers();
    case Mishap::all_brokers_move:
      return move_all_brokers();
    case Mishap::broker_comes_or_goes:
      return add_or_remove_broker();
    case Mishap::topic_grows:
      return grow_topic();
    case Mishap::topic_made_anew:
      return make_topic_anew();
  }
  return {};
}

std::vector<std::int32_t> Rounds::some_replicas() {
  std::vector<std::int32_t> replicas{1, 2, 3};
  std::shuffle(replicas.begin(), replicas.end(), random_);
  return replicas;
}

std::string Rounds::move_leaders() {
  for (const char* topic : {"steady", "hasty"}) {
    for (std::int32_t partition = 0; partition < kPartitions; ++partition) {
      cluster_.move_partition(topic, partition, some_replicas());
    }
  }
  return "leaders moved";
}

/// So that each broker has something to lose.
void Rounds::spread_leaders() {
  for (const char* topic : {"steady", "hasty", "mayfly"}) {
    cluster_.wait_until_in_sync(topic);
    const auto partitions = cluster_.describe(topic).partitions;
    for (const PartitionInfo& info : partitions) cluster_.elect_preferred_leader(topic, info.partition);
  }
}

std::string Rounds::kill_broker() {
  const int broker = 1 + below(KafkaCluster::kBrokers);
  const bool go_on_without = below(2) == 0;
  cluster_.kill(broker);
  if (go_on_without) wait_for_progress(kRecordsAfterMishap);
  cluster_.start(broker);
  spread_leaders();
  return fmt::format("broker {} killed and restarted{}", broker, go_on_without ? " later" : " at once");
}

std::string Rounds::pause_broker() {
  const int broker = 1 + below(KafkaCluster::kBrokers);
  cluster_.pause(broker);
  std::this_thread::sleep_for(kPause);
  wait_for_progress(kRecordsAfterMishap);
  cluster_.resume(broker);
  wait_for_progress(kRecordsAfterMishap);
  spread_leaders();
  return fmt::format("broker {} paused", broker);
}

/// Connections stay, new ones are taken, and nobody answers.
std::string Rounds::pause_all_brokers() {
  for (int broker = 1; broker <= KafkaCluster::kBrokers; ++broker) cluster_.pause(broker);
  std::this_thread::sleep_for(kPause);
  for (int broker = 1; broker <= KafkaCluster::kBrokers; ++broker) cluster_.resume(broker);
  wait_for_progress(kRecordsAfterMishap);
  spread_leaders();
  return "all brokers paused";
}

/// One pauses and one is killed: what is left is fewer than min.insync.replicas.
std::string Rounds::fail_two_brokers() {
  const std::vector<std::int32_t> brokers = some_replicas();
  cluster_.pause(brokers[0]);
  cluster_.kill(brokers[1]);
  std::this_thread::sleep_for(kPause);
  cluster_.resume(brokers[0]);
  cluster_.start(brokers[1]);
  wait_for_progress(kRecordsAfterMishap);
  spread_leaders();
  return fmt::format("broker {} paused and broker {} killed", brokers[0], brokers[1]);
}

std::string Rounds::move_all_brokers() {
  const std::uint64_t before = steady_->producer_metrics().connections.rebootstraps;
  cluster_.move_all_brokers();
  wait_for_progress(kRecordsAfterMishap);
  const std::uint64_t after = steady_->producer_metrics().connections.rebootstraps;
  if (after == before)
    throw std::runtime_error("all brokers moved, and the producer did not ask the bootstrap servers");
  spread_leaders();
  return "all brokers killed and restarted on other ports";
}

std::string Rounds::add_or_remove_broker() {
  const bool comes = !cluster_.is_running(kFourth);
  if (comes) cluster_.start(kFourth);
  for (const char* topic : {"steady", "hasty"}) {
    for (std::int32_t partition = 0; partition < kPartitions; ++partition) {
      std::vector<std::int32_t> replicas = some_replicas();
      if (comes) replicas[static_cast<std::size_t>(below(2))] = kFourth;
      cluster_.move_partition(topic, partition, replicas);
    }
  }
  if (!comes) cluster_.stop(kFourth);
  return comes ? "a fourth broker added, and partitions moved to it"
               : "partitions moved away from the fourth broker, and it stopped";
}

std::string Rounds::grow_topic() {
  if (steady_partitions_ == kMostPartitions) return "nothing: the topic is large enough";
  cluster_.grow_topic("steady", ++steady_partitions_, some_replicas());
  steady_->grow(steady_partitions_);
  return fmt::format("topic grown to {} partitions", steady_partitions_);
}

std::string Rounds::make_topic_anew() {
  cluster_.delete_topic("mayfly");
  const bool at_once = below(2) == 0;
  if (!at_once) std::this_thread::sleep_for(std::chrono::milliseconds(500));
  cluster_.create_topic("mayfly", spread(kPartitions));
  mayfly_->topic_was_made_anew();
  return fmt::format("topic deleted and made again {}", at_once ? "at once" : "later");
}

std::vector<std::string> Rounds::finish() {
  std::vector<std::string> all;
  for (Workload* workload : {steady_.get(), hasty_.get(), mayfly_.get()}) {
    workload->finish();
    const auto problems = workload->problems();
    all.insert(all.end(), problems.begin(), problems.end());
  }
  return all;
}

}  // namespace barnabas::cluster
