#include "tests/integration/cluster.h"

#include <barnabas/embedded_broker.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>

namespace barnabas::testing {

Cluster::Cluster() {
  if (const char* given = std::getenv("BARNABAS_TEST_BOOTSTRAP")) {
    bootstrap_ = given;
    return;
  }
  broker_ = std::make_unique<EmbeddedBroker>();
  bootstrap_ = broker_->bootstrap_servers();
}

Cluster::~Cluster() = default;

std::string unique_name(const std::string& prefix) {
  static std::atomic<int> count{0};
  const auto now = std::chrono::system_clock::now().time_since_epoch().count();
  return prefix + "-" + std::to_string(getpid()) + "-" + std::to_string(now % 1'000'000'000) + "-" +
         std::to_string(++count);
}

Config Cluster::config(Config::Properties more) const {
  more.emplace("bootstrap.servers", bootstrap_);
  return Config(std::move(more));
}

std::string Cluster::make_topic(std::int32_t partitions, std::map<std::string, std::string> configs) const {
  Admin admin{config()};
  std::string name = unique_name("topic");
  const auto created = admin.create_topics({{.name = name, .partitions = partitions, .configs = std::move(configs)}});
  if (created.at(0).error) throw Error(created[0].error.code, created[0].error.context);
  // Ours is usable at once; Apache Kafka answers before its partitions have leaders that know it.
  if (!broker_) {
    std::map<TopicPartition, OffsetSpec> ends;
    for (std::int32_t p = 0; p < partitions; ++p) ends[{name, p}] = OffsetSpec::latest();
    admin.list_offsets(ends);
  }
  return name;
}

std::vector<OwnedRecord> read_all(const Cluster& cluster, const std::string& topic, std::int32_t partitions,
                                  std::size_t count, Config::Properties more) {
  more.emplace("auto.offset.reset", "earliest");
  Consumer consumer{cluster.config(std::move(more))};
  std::vector<TopicPartition> assigned;
  for (std::int32_t p = 0; p < partitions; ++p) assigned.push_back({topic, p});
  consumer.assign(assigned);
  std::vector<OwnedRecord> all;
  while (all.size() < count) {
    const Records records = consumer.poll(std::chrono::seconds(10));
    if (records.empty()) break;
    for (const RecordView& record : records) all.emplace_back(record);
  }
  return all;
}

}  // namespace barnabas::testing
