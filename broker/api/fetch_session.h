#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "common/bytes/uuid.h"
#include "common/protocol/errors.h"
#include "common/protocol/messages/fetch.h"

namespace barnabas::broker {

/// One partition that a client wants to fetch: by topic id from version 13 on, by name before.
struct FetchWant {
  Uuid topic_id;
  std::string topic;
  std::int32_t partition = 0;
  std::int64_t fetch_offset = 0;
  std::int32_t max_bytes = 0;
  std::int32_t current_leader_epoch = -1;
  std::int32_t last_fetched_epoch = -1;

  bool is_same_partition(const FetchWant& other) const {
    return partition == other.partition && topic_id == other.topic_id && topic == other.topic;
  }
};

/// A partition within a session.
struct FetchKey {
  Uuid topic_id;
  std::string topic;
  std::int32_t partition = 0;

  bool operator==(const FetchKey&) const = default;
  struct Hash {
    std::size_t operator()(const FetchKey& key) const noexcept {
      constexpr std::size_t kSpread = 0x9e3779b97f4a7c15;  // so that partitions of one topic do not lie side by side
      const std::size_t name = std::hash<Uuid>{}(key.topic_id) ^ std::hash<std::string>{}(key.topic);
      return name ^ static_cast<std::size_t>(static_cast<std::uint32_t>(key.partition) + 1) * kSpread;
    }
  };
};

/// What came of one wanted partition.
struct FetchResult {
  static constexpr std::size_t kNowhere = static_cast<std::size_t>(-1);

  FetchWant want;
  protocol::FetchResponse::PartitionData data;
  std::size_t place = kNowhere;  ///< In FetchContext::wanted(); one without a place is looked up by its name.
};

/// What a client asks for and was told last, kept between its requests so that neither repeats what did not change.
/// Threads: any, under its mutex.
struct FetchSession {
  /// What the client knows of a partition.
  struct Told {
    std::int64_t high_watermark = -1;
    std::int64_t log_start_offset = -1;
  };
  struct Entry {
    FetchWant want;
    Told told;
  };
  using Entries = std::list<Entry>;  // whoever got records goes to the end, so that all get their turn

  std::mutex mutex;
  std::int32_t id = 0;                                                    // never changes
  bool uses_topic_ids = false;                                            // never changes
  std::int64_t created_ms = 0;                                            // never changes
  std::int32_t next_epoch = 1;                                            // mutex
  Entries entries;                                                        // mutex
  std::unordered_map<FetchKey, Entries::iterator, FetchKey::Hash> index;  // mutex
  std::int64_t last_used_ms = 0;                                          // the cache's mutex
  std::size_t size = 0;  // the cache's mutex; entries, as of last_used_ms
};

/// One fetch request against its session. Which partitions to read, and afterwards which of the results to send.
class FetchContext {
 public:
  protocol::ErrorCode error() const noexcept { return error_; }
  const std::vector<FetchWant>& wanted() const noexcept { return wanted_; }
  /// Whether the client was told this of wanted()[place] before: finish() would drop the result.
  bool is_known(std::size_t place, const protocol::FetchResponse::PartitionData& data) const;

 private:
  friend class FetchSessionCache;
  enum class Kind { sessionless, failed, full, incremental };

  Kind kind_ = Kind::sessionless;
  protocol::ErrorCode error_ = protocol::ErrorCode::none;
  std::shared_ptr<FetchSession> session_;
  std::int32_t expected_epoch_ = 0;
  bool uses_topic_ids_ = false;
  std::vector<FetchWant> wanted_;
  std::vector<FetchSession::Entries::iterator> entries_;  // of wanted_, while the session's epoch is the expected one
  std::vector<FetchSession::Told> told_;                  // of wanted_, as they were when the request began
};

/// The broker's fetch sessions (KIP-227), as a machine without I/O: time and random numbers are arguments.
/// A new session may take the place of one unused for two minutes, or of an older and smaller one.
/// Threads: any.  Source: Kafka's FetchSession.scala.
class FetchSessionCache {
 public:
  static constexpr std::int64_t kEvictionMs = 120'000;

  /// `random` gives the numbers that session ids are made of.
  FetchSessionCache(std::size_t max_sessions, std::function<std::uint64_t()> random)
      : max_sessions_(max_sessions), random_(std::move(random)) {}

  FetchContext begin(const protocol::FetchRequest& request, std::int16_t version, std::int64_t now_ms);
  /// Drops from the results what the client knows already, and fills in session and error.
  protocol::FetchResponse finish(FetchContext& context, std::vector<FetchResult> results, std::int64_t now_ms);

  std::size_t size() const;
  /// Partitions in all sessions.
  std::size_t partition_count() const;
  std::uint64_t evictions() const;

 private:
  using SessionPtr = std::shared_ptr<FetchSession>;
  using LastUsed = std::tuple<std::int64_t, std::int32_t>;  // time, id
  using BySize = std::tuple<std::size_t, std::int32_t>;     // partitions, id

  SessionPtr find(std::int32_t id);
  void remove(std::int32_t id);
  FetchContext resume(const protocol::FetchRequest& request, std::int16_t version, std::int64_t now_ms);
  std::int32_t create(const std::vector<FetchResult>& results, bool uses_topic_ids, std::int64_t now_ms);
  bool make_room(std::size_t wanted_size, std::int64_t now_ms);
  void forget(const SessionPtr& session);
  void note_use(const SessionPtr& session, std::size_t size, std::int64_t now_ms);

  const std::size_t max_sessions_;
  const std::function<std::uint64_t()> random_;
  mutable std::mutex mutex_;
  std::unordered_map<std::int32_t, SessionPtr> sessions_;  // mutex_
  std::set<LastUsed> by_last_use_;                         // mutex_
  std::set<BySize> evictable_;                             // mutex_; older than kEvictionMs when last used
  std::size_t partitions_ = 0;                             // mutex_
  std::uint64_t evictions_ = 0;                            // mutex_
};

}  // namespace barnabas::broker
