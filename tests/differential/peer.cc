#include "tests/differential/peer.h"

#include <chrono>
#include <thread>

#include "common/protocol/errors.h"
#include "common/protocol/messages/create_topics.h"
#include "common/protocol/messages/delete_topics.h"
#include "common/protocol/messages/init_producer_id.h"
#include "common/protocol/messages/list_offsets.h"
#include "common/protocol/messages/metadata.h"
#include "common/protocol/messages/produce.h"

namespace barnabas::differential {

using namespace protocol;

Bytes Peer::exchange(BytesView frame) {
  testing::RawSocket socket(port_);
  if (!socket.send(frame)) throw std::runtime_error(name_ + " has closed the connection");
  std::optional<Bytes> answer = socket.receive_frame();
  if (!answer) throw std::runtime_error(name_ + " does not answer");
  return std::move(*answer);
}

void Peer::make_topic(const std::string& topic, std::int32_t partitions, std::map<std::string, std::string> configs) {
  if (topic_ids_.count(topic) != 0) return;
  CreateTopicsRequest request;
  request.timeout_ms = 20'000;
  auto& wanted = request.topics.emplace_back();
  wanted.name = topic;
  wanted.num_partitions = partitions;
  wanted.replication_factor = 1;
  for (const auto& [name, value] : configs) {
    wanted.configs.emplace_back();
    wanted.configs.back().name = name;
    wanted.configs.back().value = value;
  }
  const auto made = ask<CreateTopicsRequest, CreateTopicsResponse>(request, 7);
  if (made.topics.at(0).error_code != 0) {
    throw std::runtime_error(name_ + " does not make " + topic + ": " + made.topics[0].error_message.value_or(""));
  }
  know_topic(topic, made.topics[0].topic_id);
  // Apache Kafka answers before its partitions have leaders that know it.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!takes_records(topic, partitions)) {
    if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error(name_ + ": " + topic + " has no leader");
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

bool Peer::takes_records(const std::string& topic, std::int32_t partitions) {
  MetadataRequest metadata;
  metadata.topics.emplace().emplace_back().name = topic;
  metadata.allow_auto_topic_creation = false;
  const auto known = ask<MetadataRequest, MetadataResponse>(metadata, 12);
  if (known.topics.at(0).error_code != 0) return false;
  for (const auto& partition : known.topics[0].partitions) {
    if (partition.error_code != 0 || partition.leader_id < 0) return false;
  }
  ListOffsetsRequest ends;
  ends.replica_id = -1;
  auto& asked = ends.topics.emplace_back();
  asked.name = topic;
  for (std::int32_t p = 0; p < partitions; ++p) {
    asked.partitions.emplace_back();
    asked.partitions.back().partition_index = p;
    asked.partitions.back().timestamp = -1;
  }
  const auto listed = ask<ListOffsetsRequest, ListOffsetsResponse>(ends, 7);
  for (const auto& partition : listed.topics.at(0).partitions) {
    if (partition.error_code != 0) return false;
  }
  return true;
}

void Peer::know_topic(const std::string& topic, const Uuid& id) {
  topic_ids_[topic] = id;
  names_[id.to_string()] = topic;
}

void Peer::warm_up() {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  const auto pause = [&] {
    if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error(name_ + " does not get ready");
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  };
  // Asked for an id before it has registered, Apache Kafka never gives any.
  MetadataRequest metadata;
  metadata.topics.emplace();
  while (ask<MetadataRequest, MetadataResponse>(metadata, 12).brokers.empty()) pause();
  make_topic("warm-up");
  InitProducerIdRequest request;
  request.transactional_id.reset();
  request.transaction_timeout_ms = 60'000;
  while (ask<InitProducerIdRequest, InitProducerIdResponse>(request, 4).error_code != 0) pause();
}

void Peer::delete_topic(const std::string& topic) {
  DeleteTopicsRequest request;
  request.timeout_ms = 20'000;
  request.topics.emplace_back().name = topic;
  const auto deleted = ask<DeleteTopicsRequest, DeleteTopicsResponse>(request, 6);
  if (deleted.responses.at(0).error_code != 0) throw std::runtime_error(name_ + " does not delete " + topic);
  topic_ids_.erase(topic);
}

void Peer::produce(const std::string& topic, std::int32_t partition, BytesView batches) {
  ProduceRequest request;
  request.acks = -1;
  request.timeout_ms = 20'000;
  auto& data = request.topic_data.emplace_back();
  data.name = topic;
  data.partition_data.emplace_back();
  data.partition_data.back().index = partition;
  data.partition_data.back().records = RecordsRef{batches};
  const auto done = ask<ProduceRequest, ProduceResponse>(request, 9);
  const auto& answer = done.responses.at(0).partition_responses.at(0);
  if (answer.error_code != 0) {
    throw std::runtime_error(name_ + " does not take records of " + topic + ": " +
                             std::string(to_string(error_of(answer.error_code))));
  }
}

Uuid Peer::topic_id(const std::string& topic) const {
  return topic_ids_.at(topic);
}

std::string Peer::masked_id(const std::string& id) const {
  if (id == Uuid::zero().to_string()) return id;
  const auto name = names_.find(id);
  return name == names_.end() ? "<an id>" : "<id of " + name->second + ">";
}

}  // namespace barnabas::differential
