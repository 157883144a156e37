#include <chrono>
#include <string>
#include <vector>

#include "tests/cluster/real_cluster.h"

// One thing that a real cluster does, and what the client makes of it.
namespace barnabas::cluster {
namespace {

using namespace std::chrono_literals;

Config config(const KafkaCluster& cluster, const Config::Properties& more = {}) {
  Config config{{"bootstrap.servers", cluster.bootstrap_servers()}};
  for (const auto& [name, value] : more) config.set(name, value);
  return config;
}

void write(Producer& producer, const std::string& topic, const std::string& what, int count) {
  for (int i = 0; i < count; ++i) producer.send({.topic = topic, .partition = 0, .value = what + std::to_string(i)});
  producer.flush();
}

/// What the next polls bring, until there are so many.
std::vector<std::string> read(Consumer& consumer, std::size_t count) {
  std::vector<std::string> values;
  const auto deadline = std::chrono::steady_clock::now() + 60s;
  while (values.size() < count && std::chrono::steady_clock::now() < deadline) {
    for (const RecordView& record : consumer.poll(500ms)) values.emplace_back(record.value().value_or(""));
  }
  EXPECT_EQ(values.size(), count) << consumer.explain();
  return values;
}

TEST_F(RealCluster, names_a_leader_that_moved_and_the_client_goes_there_without_asking_for_metadata) {
  cluster_->create_topic("hints", {{1, 2, 3}});
  cluster_->wait_until_known("hints");
  // After an answer with metadata, none is asked for again for a minute: what goes on without them has the hint.
  const Config::Properties patient{
      {"retry.backoff.ms", "60000"}, {"retry.backoff.max.ms", "60000"}, {"request.timeout.ms", "60000"}};
  Producer producer{config(*cluster_, patient).set("enable.idempotence", "false")};  // which must ask for an id first
  Consumer consumer{config(*cluster_, patient).set("auto.offset.reset", "earliest").set("fetch.max.wait.ms", "10")};
  consumer.assign({{"hints", 0}});
  producer.send_sync({.topic = "hints", .partition = 0, .value = "before"});
  read(consumer, 1);
  const auto producers = producer.metrics().connections.metadata_refreshes;
  const auto consumers = consumer.metrics().connections.metadata_refreshes;
  const auto began = std::chrono::steady_clock::now();
  for (const std::vector<std::int32_t>& replicas : {std::vector{2, 1, 3}, std::vector{3, 1, 2}}) {
    // It reads on when the new leader knows that it leads: told otherwise, it would come back a minute later.
    consumer.pause({{"hints", 0}});
    cluster_->move_partition("hints", 0, replicas);
    producer.send_sync({.topic = "hints", .partition = 0, .value = "after"});
    consumer.resume({{"hints", 0}});
    EXPECT_EQ(read(consumer, 1), std::vector<std::string>{"after"});
  }
  EXPECT_EQ(producer.metrics().connections.metadata_refreshes, producers);
  EXPECT_EQ(consumer.metrics().connections.metadata_refreshes, consumers);
  EXPECT_EQ(producer.metrics().retries, 2U);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 40s);
}

TEST_F(RealCluster, lets_a_consumer_read_from_the_follower_in_its_rack) {
  cluster_->create_topic("near", {{1, 2, 3}});
  cluster_->wait_until_known("near");
  Producer producer{config(*cluster_)};
  Consumer consumer{config(*cluster_, {{"auto.offset.reset", "earliest"}, {"client.rack", "r3"}})};
  consumer.assign({{"near", 0}});
  write(producer, "near", "", 20);
  read(consumer, 20);
  EXPECT_TRUE(consumer.poll(2s).empty());
  EXPECT_NE(consumer.explain().find("at broker 3, which is nearer than the leader"), std::string::npos)
      << consumer.explain();
  const auto epoch = cluster_->describe("near").partitions.at(0).leader_epoch;
  cluster_->kill(3);
  write(producer, "near", "", 20);
  read(consumer, 20);
  EXPECT_EQ(cluster_->describe("near").partitions.at(0).leader_epoch, epoch) << "the leader is still the same";
  EXPECT_EQ(consumer.explain().find("nearer"), std::string::npos) << consumer.explain();
  cluster_->start(3);
  cluster_->wait_until_in_sync("near");
}

TEST_F(RealCluster, loses_records_in_an_unclean_election_and_the_consumer_goes_back_to_where_the_log_ends) {
  cluster_->create_topic("torn", {{1, 2}}, {{"min.insync.replicas", "1"}, {"unclean.leader.election.enable", "true"}});
  Producer producer{config(*cluster_, {{"acks", "1"}, {"enable.idempotence", "false"}})};
  Consumer goes_back{config(*cluster_, {{"auto.offset.reset", "earliest"}})};
  Consumer fails{config(*cluster_, {{"auto.offset.reset", "none"}})};
  for (Consumer* consumer : {&goes_back, &fails}) {
    consumer->assign({{"torn", 0}});
    consumer->seek({"torn", 0}, 0);
  }
  write(producer, "torn", "kept ", 50);
  // What can be read is on both: acks=1 alone says nothing of the follower, which is in sync before it has fetched.
  for (Consumer* consumer : {&goes_back, &fails}) EXPECT_EQ(read(*consumer, 50).back(), "kept 49");
  cluster_->kill(2);
  cluster_->wait_until("broker 1 is alone", [] {
    return cluster_->describe("torn").partitions.at(0).in_sync_replicas == std::vector<std::int32_t>{1};
  });
  write(producer, "torn", "lost ", 50);
  for (Consumer* consumer : {&goes_back, &fails}) EXPECT_EQ(read(*consumer, 50).back(), "lost 49");
  cluster_->kill(1);
  cluster_->start(2);
  cluster_->wait_until("broker 2 leads", [] { return cluster_->describe("torn").partitions.at(0).leader == 2; });
  // The log gets longer than the position was: only the leader's epochs tell that it is another one.
  write(producer, "torn", "new ", 80);
  const auto read_again = read(goes_back, 80);
  EXPECT_EQ(read_again.front(), "new 0");
  EXPECT_EQ(read_again.back(), "new 79");
  try {
    for (int i = 0; i < 60; ++i) EXPECT_TRUE(fails.poll(500ms).empty());
    FAIL() << "it does not say that records are gone: " << fails.explain();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), kafka_error(1)) << error.what();  // OFFSET_OUT_OF_RANGE
    EXPECT_NE(std::string(error.what()).find("truncated at 50 while the position was 100"), std::string::npos)
        << error.what();
  }
  cluster_->start(1);
  cluster_->wait_until_in_sync("torn");
}

}  // namespace
}  // namespace barnabas::cluster
