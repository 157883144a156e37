#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "tests/cluster/options.h"
#include "tests/cluster/real_cluster.h"
#include "tests/cluster/rounds.h"

// The client against three brokers of Apache Kafka, to which things happen as a seed says.
namespace barnabas::cluster {
namespace {

bool any_contains(const std::vector<std::string>& texts, const std::string& part) {
  return std::any_of(texts.begin(), texts.end(),
                     [&](const auto& text) { return text.find(part) != std::string::npos; });
}

std::unique_ptr<Workload> workload_on(KafkaCluster& cluster, const std::string& topic) {
  cluster.create_topic(topic, {{1, 2, 3}});
  cluster.wait_until_known(topic);
  Workload::Options options;
  options.name = topic;
  options.topic = topic;
  options.partitions = 1;
  options.common = {{"bootstrap.servers", cluster.bootstrap_servers()}};
  options.readers = {{}};
  auto workload = std::make_unique<Workload>(std::move(options));
  workload->wait_for_progress(10);
  return workload;
}

TEST_F(RealCluster, would_be_told_of_a_record_that_is_doubled) {
  const auto workload = workload_on(*cluster_, "doubled");
  Producer forger{Config{{"bootstrap.servers", cluster_->bootstrap_servers()}}};
  forger.send_sync({.topic = "doubled", .partition = 0, .value = "5"});
  workload->wait_for_progress(10);
  workload->finish();
  EXPECT_TRUE(any_contains(workload->problems(), "a reader gets record 5 at offset"));
  EXPECT_TRUE(any_contains(workload->problems(), "record 5 is stored twice"));
}

TEST_F(RealCluster, would_be_told_of_records_that_are_lost) {
  const auto workload = workload_on(*cluster_, "lost");
  cluster_->delete_topic("lost");
  cluster_->create_topic("lost", {{1, 2, 3}});
  workload->wait_for_progress(10);
  workload->finish();
  EXPECT_TRUE(any_contains(workload->problems(), "a reader gets offset 0 where"));
  EXPECT_TRUE(any_contains(workload->problems(), "record 5, acknowledged at offset 5, is lost"));
}

TEST_F(RealCluster, makes_a_topic_anew_again_and_again_and_each_is_written_and_read_from_its_first_record) {
  const auto workload = workload_on(*cluster_, "anew");
  for (int i = 0; i < 8; ++i) {
    cluster_->delete_topic("anew");
    cluster_->create_topic("anew", {{1 + i % 3, 1 + (i + 1) % 3, 1 + (i + 2) % 3}});
    workload->topic_was_made_anew();
    workload->wait_for_progress(50);
  }
  workload->finish();
  for (const std::string& problem : workload->problems()) ADD_FAILURE() << problem;
}

TEST_F(RealCluster, loses_doubles_and_reorders_nothing_whatever_happens_to_it) {
  const RoundOptions options = round_options();
  fmt::print("{} rounds of seed {}; again by --seed={} --rounds={}\n", options.rounds, options.seed, options.seed,
             options.rounds);
  std::fflush(stdout);
  Rounds rounds(*cluster_, options.seed);
  rounds.run(options.rounds);
  for (const std::string& problem : rounds.finish()) ADD_FAILURE() << problem;
}

}  // namespace
}  // namespace barnabas::cluster
