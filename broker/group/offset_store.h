#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "broker/group/group_records.h"

namespace barnabas::group {

/// A position that a group has written down.
struct CommittedOffset {
  std::int64_t record_offset = -1;  ///< Of the record that says so.
  std::int64_t offset = -1;
  std::int32_t leader_epoch = -1;
  std::string metadata;
  std::int64_t commit_time_ms = -1;
  std::int64_t expire_time_ms = -1;  ///< -1: by offsets.retention.minutes.
};

/// The offsets of all groups of one coordinator partition, and those of transactions that are still open. Changes by
/// replay only.
/// Threads: its shard's.  Source: the state of Kafka's OffsetMetadataManager.
class OffsetStore {
 public:
  using Partitions = std::map<std::int32_t, CommittedOffset>;
  using Topics = std::map<std::string, Partitions, std::less<>>;

  /// nullptr where there is none.
  const Topics* topics_of(const std::string& group) const;
  const CommittedOffset* find(const std::string& group, std::string_view topic, std::int32_t partition) const;
  /// Whether a transaction that is still open has written one.
  bool has_pending(const std::string& group, std::string_view topic, std::int32_t partition) const;
  bool has_open_transactions(const std::string& group) const { return open_transactions_.count(group) != 0; }
  /// Offsets of open transactions, as (topic, partition).
  std::set<std::pair<std::string, std::int32_t>> pending_of(const std::string& group) const;
  const std::unordered_map<std::string, Topics>& all() const noexcept { return offsets_; }
  std::size_t size() const noexcept { return count_; }

  /// `producer_id` is that of the batch: -1 outside of transactions.
  void replay(std::int64_t record_offset, std::int64_t producer_id, OffsetRecord record);
  /// A commit makes the transaction's offsets count, unless something newer was written meanwhile.
  void end_transaction(std::int64_t producer_id, bool is_commit);

 private:
  using Groups = std::unordered_map<std::string, Topics>;
  static void erase(Groups& groups, const OffsetRecord& record);
  void erase_pending(const OffsetRecord& record);
  void put(const std::string& group, const std::string& topic, std::int32_t partition, CommittedOffset offset);

  Groups offsets_;
  std::size_t count_ = 0;
  std::map<std::int64_t, Groups> pending_;                                     // by producer id
  std::unordered_map<std::string, std::set<std::int64_t>> open_transactions_;  // by group
};

}  // namespace barnabas::group
