#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "barnabas/topic_partition.h"

namespace barnabas {
inline namespace v0 {

/// What a group commits of a partition: the next offset to be read, the leader epoch of the record before it (-1: not
/// known), and a text of the caller's.
struct OffsetAndMetadata {
  std::int64_t offset = -1;
  std::int32_t leader_epoch = -1;
  std::string metadata{};

  friend bool operator==(const OffsetAndMetadata&, const OffsetAndMetadata&) = default;
};
using Offsets = std::map<TopicPartition, OffsetAndMetadata>;

}  // namespace v0
}  // namespace barnabas
