#include "tests/cluster/kafka_cluster.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "common/bytes/reader.h"
#include "common/bytes/writer.h"
#include "common/protocol/errors.h"
#include "common/protocol/headers.h"
#include "common/protocol/messages/alter_partition_reassignments.h"
#include "common/protocol/messages/create_partitions.h"
#include "common/protocol/messages/elect_leaders.h"
#include "common/protocol/messages/metadata.h"
#include "tests/support/child_process.h"
#include "tests/support/raw_socket.h"

namespace barnabas::cluster {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kPatience{90};

void check(std::int16_t error, const std::string& what) {
  if (error == 0) return;
  throw std::runtime_error(what + ": " + std::string(protocol::to_string(static_cast<protocol::ErrorCode>(error))));
}

void check(const ItemError& error, const std::string& what) {
  if (error) throw std::runtime_error(what + ": " + error.code.message() + ", " + error.context);
}

}  // namespace

bool KafkaCluster::is_installed() {
  const char* peers = std::getenv("PEERS_DIR");
  const char* home = std::getenv("HOME");
  const std::string root =
      peers != nullptr ? peers : std::string(home == nullptr ? "" : home) + "/.cache/barnabas-peers";
  return std::filesystem::exists(root + "/interop-1/kafka.done");
}

KafkaCluster::KafkaCluster(std::string script, std::string folder)
    : command_(std::move(script)), folder_(std::move(folder)) {
  run("start", 0);
  admin_ = std::make_unique<Admin>(Config{{"bootstrap.servers", bootstrap_servers()},
                                          {"metadata.recovery.strategy", "rebootstrap"},
                                          {"request.timeout.ms", "3000"},
                                          {"default.api.timeout.ms", "60000"}});
  wait_until("all brokers are there", [this] { return admin_->describe_cluster().brokers.size() >= kBrokers; });
}

KafkaCluster::~KafkaCluster() {
  admin_.reset();
  try {
    run("stop", 0);
  } catch (const std::exception& error) {
    fmt::print(stderr, "the cluster does not stop: {}\n", error.what());
  }
}

void KafkaCluster::run(const std::string& verb, int broker) {
  std::vector<std::string> command{"/usr/bin/env", "python3", command_};
  command.push_back(verb);
  command.push_back(folder_);
  if (broker != 0) command.push_back(std::to_string(broker));
  testing::ChildProcess script(std::move(command));
  if (script.wait() != 0) throw std::runtime_error(verb + ": " + script.output());
  std::istringstream lines(script.output());
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    int id = 0;
    std::string state;
    std::string first;
    std::string second;
    fields >> id >> state >> first >> second;
    ports_[id] = {first, second};
    if (state == "running") {
      running_.insert(id);
    } else {
      running_.erase(id);
    }
  }
}

std::string KafkaCluster::address_of(int broker) const {
  return "127.0.0.1:" + ports_.at(broker).front();
}

std::string KafkaCluster::bootstrap_servers() const {
  std::string servers;
  for (int broker = 1; broker <= kBrokers; ++broker) {
    for (const std::string& port : ports_.at(broker))
      servers += (servers.empty() ? "127.0.0.1:" : ",127.0.0.1:") + port;
  }
  return servers;
}

void KafkaCluster::wait_until(const std::string& what, const std::function<bool()>& is_true) {
  const auto started = Clock::now();
  while (!is_true()) {
    if (Clock::now() - started > kPatience) throw std::runtime_error("this does not come true: " + what);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

template <typename Response, typename Request>
std::optional<Response> KafkaCluster::ask_broker(int broker, const Request& request) {
  constexpr std::int16_t kVersion = Request::kMaxVersion;
  constexpr bool kFlexible = kVersion >= Request::kFirstFlexibleVersion;
  Writer frame;
  protocol::RequestHeader header;
  header.request_api_key = static_cast<std::int16_t>(Request::kApiKey);
  header.request_api_version = kVersion;
  header.client_id = "cluster";
  if (!header.encode(frame, kFlexible ? 2 : 1) || !request.encode(frame, kVersion)) return std::nullopt;
  testing::RawSocket socket(static_cast<std::uint16_t>(std::stoi(ports_.at(broker).front())), std::chrono::seconds(5));
  if (!socket.send_frame(frame.view())) return std::nullopt;
  const auto answer = socket.receive_frame();
  if (!answer) return std::nullopt;
  Reader in(*answer);
  if (!protocol::ResponseHeader::decode(in, kFlexible ? 1 : 0)) return std::nullopt;
  auto response = Response::decode(in, kVersion);
  return response ? std::optional<Response>(std::move(*response)) : std::nullopt;
}

template <typename Response, typename Request>
Response KafkaCluster::ask(const Request& request) {
  for (int attempt = 0; attempt < 3 * kBrokers; ++attempt) {
    const int broker = 1 + attempt % kBrokers;
    if (!is_running(broker)) continue;
    auto response = ask_broker<Response>(broker, request);
    if (response) return std::move(*response);
  }
  throw std::runtime_error(fmt::format("no broker answers {}", Request::kName));
}

TopicDescription KafkaCluster::describe(const std::string& topic) {
  TopicDescription description = admin_->describe_topics({topic}).at(0);
  check(description.error, "describe " + topic);
  return description;
}

void KafkaCluster::create_topic(const std::string& topic, const std::vector<std::vector<std::int32_t>>& replicas,
                                std::map<std::string, std::string> configs) {
  NewTopic wanted;
  wanted.name = topic;
  configs.emplace("min.insync.replicas", "2");
  wanted.configs = std::move(configs);
  for (const auto& brokers : replicas)
    wanted.assignments.emplace(static_cast<std::int32_t>(wanted.assignments.size()), brokers);
  check(admin_->create_topics({wanted}).at(0).error, "create " + topic);
}

void KafkaCluster::delete_topic(const std::string& topic) {
  check(admin_->delete_topics({topic}).at(0).error, "delete " + topic);
}

void KafkaCluster::grow_topic(const std::string& topic, std::int32_t partitions,
                              const std::vector<std::int32_t>& replicas) {
  protocol::CreatePartitionsRequest request;
  auto& entry = request.topics.emplace_back();
  entry.name = topic;
  entry.count = partitions;
  entry.assignments->push_back({replicas, {}});
  request.timeout_ms = 10000;
  const auto response = ask<protocol::CreatePartitionsResponse>(request);
  check(response.results.at(0).error_code, "grow " + topic);
}

void KafkaCluster::move_partition(const std::string& topic, std::int32_t partition,
                                  const std::vector<std::int32_t>& replicas) {
  protocol::AlterPartitionReassignmentsRequest request;
  auto& entry = request.topics.emplace_back();
  entry.name = topic;
  entry.partitions.push_back({.partition_index = partition, .replicas = replicas, .unknown_tagged_fields = {}});
  const auto response = ask<protocol::AlterPartitionReassignmentsResponse>(request);
  check(response.error_code, "move " + topic);
  check(response.responses.at(0).partitions.at(0).error_code, "move " + topic);
  wait_until(fmt::format("{}-{} is moved", topic, partition), [&] {
    const PartitionInfo info = describe(topic).partitions.at(static_cast<std::size_t>(partition));
    return info.replicas == replicas && info.in_sync_replicas.size() == replicas.size();
  });
  elect_preferred_leader(topic, partition);
}

void KafkaCluster::elect_preferred_leader(const std::string& topic, std::int32_t partition) {
  protocol::ElectLeadersRequest request;
  request.topic_partitions->push_back({topic, {partition}, {}});
  request.timeout_ms = 10000;
  wait_until(fmt::format("the preferred leader of {}-{} leads", topic, partition), [&] {
    const PartitionInfo info = describe(topic).partitions.at(static_cast<std::size_t>(partition));
    if (info.leader == info.replicas.at(0)) return true;
    ask<protocol::ElectLeadersResponse>(request);
    return false;
  });
}

void KafkaCluster::wait_until_known(const std::string& topic) {
  protocol::MetadataRequest request;
  request.topics.emplace().emplace_back().name = topic;
  wait_until(topic + " is known to all brokers", [&] {
    return std::all_of(running_.begin(), running_.end(), [&](int broker) {
      const auto response = ask_broker<protocol::MetadataResponse>(broker, request);
      if (!response || response->topics.size() != 1 || response->topics[0].error_code != 0) return false;
      const auto& partitions = response->topics[0].partitions;
      return std::all_of(partitions.begin(), partitions.end(), [](const auto& one) { return one.leader_id >= 0; });
    });
  });
}

void KafkaCluster::wait_until_in_sync(const std::string& topic) {
  wait_until(topic + " is in sync", [&] {
    for (const PartitionInfo& info : describe(topic).partitions) {
      if (info.leader < 0 || info.in_sync_replicas.size() != info.replicas.size()) return false;
    }
    return true;
  });
}

}  // namespace barnabas::cluster
