#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "client/core/cluster_snapshot.h"
#include "common/protocol/messages/metadata.h"
#include "common/runtime/clock.h"

namespace barnabas::client {

/// What the cluster looks like to this client, and when to ask again. A machine without I/O: request_router sends what
/// request() gives and feeds the answer back. Threads: snapshot(), version(), want_topic() and request_update() from
/// any; all else on the reactor. Source: Kafka's Metadata and MetadataCache.
class MetadataCache {
 public:
  struct Options {
    std::chrono::milliseconds max_age{300000};  ///< metadata.max.age.ms.
    std::chrono::milliseconds max_idle{0};      ///< metadata.max.idle.ms; 0: topics are never forgotten.
    bool all_topics = false;                    ///< Asks for every topic rather than for those wanted.
    bool allow_auto_topic_creation = false;
  };
  explicit MetadataCache(Options options);

  std::shared_ptr<const ClusterSnapshot> snapshot() const;
  /// Of the newest snapshot: cheap to look at before taking a new one.
  std::uint64_t version() const noexcept { return version_.load(std::memory_order_acquire); }

  /// From now on the topic is kept up to date. Returns whether it was new: then an update is due at once.
  bool want_topic(const std::string& name, runtime::MonotonicTime now);
  /// From now on every topic of the cluster is asked for, or only those wanted again. Threads: any.
  void want_all_topics(bool all) noexcept { all_topics_.store(all, std::memory_order_release); }
  /// Something was wrong with what we know (NOT_LEADER, an unknown topic, a lost connection): ask as soon as the
  /// back-off allows.
  void request_update() noexcept { update_requested_.store(true, std::memory_order_release); }

  /// A topic is wanted that was never asked for: no back-off holds that up.
  bool has_new_topics() const noexcept { return new_topics_.load(std::memory_order_acquire); }
  /// When to ask next, seen from `now`: now when an update is requested, else when what we know gets too old.
  runtime::MonotonicTime next_update(runtime::MonotonicTime now) const;
  /// The request to send; forgets topics that were idle for too long.
  protocol::MetadataRequest request(std::int16_t version, runtime::MonotonicTime now);
  /// Takes an answer. A partition's leader with an older epoch than the one known is not believed (the topic id being
  /// the same).
  void on_response(const protocol::MetadataResponse& response, runtime::MonotonicTime now);
  void on_failure(runtime::MonotonicTime now);

  /// What a Produce or Fetch answer says of a partition's new leader (KIP-951). Returns whether it was news.
  bool update_leader(const std::string& topic, std::int32_t partition, std::int32_t leader, std::int32_t leader_epoch,
                     const std::vector<Node>& nodes);
  /// Back to the bootstrap addresses: forgets brokers, keeps topics.
  void forget_brokers();
  runtime::MonotonicTime last_success() const noexcept { return last_success_; }

 private:
  std::shared_ptr<const TopicMetadata> merge_topic(const protocol::MetadataResponse::MetadataResponseTopic& topic,
                                                   const ClusterSnapshot& before) const;
  void publish(std::shared_ptr<ClusterSnapshot> snapshot);

  Options options_;
  mutable std::mutex mutex_;                                           // leaf lock, never held across I/O
  std::shared_ptr<const ClusterSnapshot> snapshot_;                    // mutex_
  std::map<std::string, runtime::MonotonicTime, std::less<>> wanted_;  // mutex_; the time it was last asked for
  std::atomic<std::uint64_t> version_{0};
  std::atomic<bool> update_requested_{true};
  std::atomic<bool> new_topics_{false};
  std::atomic<bool> all_topics_;
  runtime::MonotonicTime last_success_ = runtime::MonotonicTime::min();
};

}  // namespace barnabas::client
