#pragma once

#include <cstdint>
#include <map>
#include <string>
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

/// The client's side of a fetch session (KIP-227) with one broker, as a machine without I/O: build() says what to send,
/// on_response() and on_failure() take what came of it. In a session only what changed goes over the wire.
/// Threads: the owner's only (the reactor's).  Source: Kafka's FetchSessionHandler.
class FetchSession {
 public:
  using Wanted = std::map<TopicPartition, PartitionFetch>;

  /// Fills session id, epoch, topics and forgotten topics so that the broker then fetches exactly `wanted`.
  /// Topic ids are used when every partition has one; else uses_topic_ids() is false and the version must be below 13.
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

  std::int32_t session_id() const noexcept { return session_id_; }
  std::int32_t next_epoch() const noexcept { return next_epoch_; }

 private:
  void build_full(const Wanted& wanted, protocol::FetchRequest& request);
  void build_incremental(const Wanted& wanted, protocol::FetchRequest& request);
  bool on_error(protocol::ErrorCode error) noexcept;
  bool fits(const protocol::FetchResponse& response, std::int16_t version, bool full) const;
  void start_over() noexcept;

  std::int32_t session_id_ = 0;  // 0: no session yet
  std::int32_t next_epoch_ = 0;  // 0: a full request
  bool uses_topic_ids_ = false;
  Wanted partitions_;                  // what the broker's session holds after the request built last
  std::map<Uuid, std::string> names_;  // of partitions_
};

}  // namespace barnabas::client
