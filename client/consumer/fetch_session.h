#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "barnabas/consumer.h"
#include "common/bytes/uuid.h"
#include "common/protocol/errors.h"
#include "common/protocol/messages/fetch.h"

namespace barnabas::client {

/// What one partition asks of its leader.
struct PartitionFetch {
  Uuid topic_id;  ///< Zero when the broker told none.
  std::int64_t fetch_offset = 0;
  std::int32_t max_bytes = 0;
  std::int32_t current_leader_epoch = -1;
  std::int32_t last_fetched_epoch = -1;

  bool operator==(const PartitionFetch&) const = default;
};

/// The client's side of a fetch session (KIP-227) with one broker, as a machine without I/O: want() and forget() say
/// what changed, build() says what to send, on_response() and on_failure() take what came of it. In a session only what
/// changed goes over the wire, and only that costs something here. Threads: the owner's only (the reactor's).  Source:
/// Kafka's FetchSessionHandler.
class FetchSession {
 public:
  using Wanted = std::map<TopicPartition, PartitionFetch>;
  /// A partition as it was asked for; `generation` is the owner's.
  struct Asked {
    PartitionFetch fetch;
    std::uint64_t generation = 0;
  };

  FetchSession() = default;
  FetchSession(FetchSession&&) = default;
  FetchSession& operator=(FetchSession&&) = default;

  /// The broker shall fetch this partition from the next build() on, and so until forget().  Cost: O(1).
  void want(const TopicPartition& where, const PartitionFetch& fetch, std::uint64_t generation = 0);
  /// ... and this one no more.  Cost: O(1).
  void forget(const TopicPartition& where);
  /// Fills session id, epoch, topics and forgotten topics so that the broker then fetches exactly what is wanted.
  /// Topic ids are used when every partition has one; else uses_topic_ids() is false and the version must be below 13.
  /// Cost: in a session, what was wanted or forgotten since the last time; else all.
  void build(protocol::FetchRequest& request);
  /// The same for `wanted` and nothing else.
  void build(const Wanted& wanted, protocol::FetchRequest& request);

  /// Whether the request built last must be sent with version 13 or above (true) or below (false).
  bool uses_topic_ids() const noexcept { return uses_topic_ids_; }

  /// Takes the top-level outcome; false when the partitions of the response must not be used (the session broke, or the
  /// response does not fit the request): fetch again, no data was lost.
  bool on_response(const protocol::FetchResponse& response, std::int16_t version);

  /// No response came: the broker's session, if there is one, is replaced at the next build().
  void on_failure() noexcept;

  /// A request that ends the session on the broker; false when there is none to end.
  bool build_close(protocol::FetchRequest& request) noexcept;

  /// The topic's name for a response of version 13 or above; empty when the session does not know the id.
  const std::string& name_of(const Uuid& topic_id) const noexcept;
  /// How a partition was asked for; null where it is not part of the session. Good until the next want() or forget().
  const Asked* find(std::string_view topic, std::int32_t partition) const noexcept;
  /// How many partitions are part of it.
  std::size_t size() const noexcept { return active_; }
  void for_each(const std::function<void(const TopicPartition&, const Asked&)>& visit) const;

  std::int32_t session_id() const noexcept { return session_id_; }
  std::int32_t next_epoch() const noexcept { return next_epoch_; }

 private:
  struct Entry {
    Asked asked;
    bool is_active = false;     // not forgotten; those that are stay for when they are wanted again
    bool is_changed = false;    // in changed_
    bool is_forgotten = false;  // in forgotten_
    bool is_told = false;       // the broker has it, and is not to forget it
  };
  struct Name {
    std::string_view topic;
    std::int32_t partition;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(const TopicPartition& of) const noexcept { return (*this)(Name{of.topic, of.partition}); }
    std::size_t operator()(const Name& of) const noexcept {
      return std::hash<std::string_view>{}(of.topic) + 0x9e3779b97f4a7c15ULL * static_cast<std::size_t>(of.partition);
    }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const TopicPartition& a, const TopicPartition& b) const noexcept { return a == b; }
    bool operator()(const Name& a, const TopicPartition& b) const noexcept {
      return a.partition == b.partition && a.topic == b.topic;
    }
  };
  using Entries = std::unordered_map<TopicPartition, Entry, Hash, Equal>;
  struct Forgotten {
    Entries::value_type* entry;
    Uuid topic_id;
  };
  struct Topic {
    std::string name;
    std::size_t partitions = 0;  // active ones
  };

  void activate(Entries::value_type& entry, const PartitionFetch& fetch);
  void deactivate(Entries::value_type& entry);
  void build_full(protocol::FetchRequest& request);
  void build_incremental(protocol::FetchRequest& request);
  void settle_changes();
  void drop_inactive();
  bool on_error(protocol::ErrorCode error) noexcept;
  bool fits(const protocol::FetchResponse& response, std::int16_t version, bool full) const;
  void start_over() noexcept;

  std::int32_t session_id_ = 0;  // 0: no session yet
  std::int32_t next_epoch_ = 0;  // 0: a full request
  bool uses_topic_ids_ = false;
  Entries entries_;  // what the broker's session holds after the request built last, and the changes since
  std::size_t active_ = 0;
  std::size_t without_id_ = 0;  // of the active ones
  std::vector<Entries::value_type*> changed_;
  std::vector<Forgotten> forgotten_;
  std::map<Uuid, Topic> topics_;
};

}  // namespace barnabas::client
