#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace barnabas {
inline namespace v0 {

/// One partition of one topic.
struct TopicPartition {
  std::string topic;
  std::int32_t partition = 0;

  friend bool operator==(const TopicPartition&, const TopicPartition&) = default;
  friend std::strong_ordering operator<=>(const TopicPartition&, const TopicPartition&) = default;
  /// "orders-3", as Kafka writes it.
  std::string to_string() const { return topic + "-" + std::to_string(partition); }
};

/// A broker's address, as it advertises itself.
struct Node {
  std::int32_t id = -1;
  std::string host;
  std::uint16_t port = 0;
  std::optional<std::string> rack;

  friend bool operator==(const Node&, const Node&) = default;
};

/// What the cluster says of one partition. Broker ids; leader is -1 while there is none.
struct PartitionInfo {
  std::string topic;
  std::int32_t partition = 0;
  std::int32_t leader = -1;
  std::int32_t leader_epoch = -1;
  std::vector<std::int32_t> replicas;
  std::vector<std::int32_t> in_sync_replicas;
  std::vector<std::int32_t> offline_replicas;
};

}  // namespace v0
}  // namespace barnabas

template <>
struct std::hash<barnabas::TopicPartition> {
  std::size_t operator()(const barnabas::TopicPartition& p) const noexcept {
    return std::hash<std::string>{}(p.topic) * 31 + static_cast<std::size_t>(p.partition);
  }
};
