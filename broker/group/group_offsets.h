#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "broker/group/classic_groups.h"
#include "broker/group/group_settings.h"
#include "broker/group/offset_store.h"
#include "broker/group/step.h"
#include "common/protocol/messages/offset_commit.h"
#include "common/protocol/messages/offset_delete.h"
#include "common/protocol/messages/offset_fetch.h"

namespace barnabas::group {

/// Who may write down, read and delete which offsets: a machine without I/O over the store.
/// Threads: its shard's.  Source: Kafka's OffsetMetadataManager.
class GroupOffsets {
 public:
  GroupOffsets(const GroupSettings& settings, ClassicGroups& groups) : settings_(settings), groups_(groups) {}

  /// Topics by name, and those alone that are there.
  void commit(Step& step, const Origin& origin, const protocol::OffsetCommitRequest& request,
              Reply<protocol::OffsetCommitResponse> reply);
  /// Topics by name; without topics, all there are. With `require_stable` an offset that a transaction may still
  /// change is UNSTABLE_OFFSET_COMMIT.
  protocol::OffsetFetchResponse::OffsetFetchResponseGroup fetch(
      const protocol::OffsetFetchRequest::OffsetFetchRequestGroup& request, bool require_stable) const;
  void remove(Step& step, const protocol::OffsetDeleteRequest& request, Reply<protocol::OffsetDeleteResponse> reply);
  /// Tombstones for all that the group has.
  void remove_all(Step& step, const std::string& group_id) const;
  /// Tombstones for what nobody needs any more: offsets beyond their time; true where the group has none left.
  bool expire(Step& step, const ClassicGroup& group) const;
  /// Tombstones for the offsets of topics that are gone.
  void on_topics_deleted(Step& step, const std::set<std::string, std::less<>>& topics) const;

  OffsetStore& store() noexcept { return store_; }
  const OffsetStore& store() const noexcept { return store_; }
  std::uint64_t commits() const noexcept { return commits_; }

 private:
  protocol::ErrorCode check_commit(Step& step, const Origin& origin, const protocol::OffsetCommitRequest& request);
  protocol::ErrorCode check_member(ClassicGroup& group, const protocol::OffsetCommitRequest& request) const;
  bool is_expired(const ClassicGroup& group, const CommittedOffset& offset, std::int64_t wall_ms) const;

  const GroupSettings& settings_;
  ClassicGroups& groups_;
  OffsetStore store_;
  std::uint64_t commits_ = 0;  // offsets, not requests
};

/// The answer to a commit of which no part was stored.
protocol::OffsetCommitResponse refuse_commit(const protocol::OffsetCommitRequest& request, protocol::ErrorCode error);

}  // namespace barnabas::group
