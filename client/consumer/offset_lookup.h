#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "barnabas/topic_partition.h"
#include "client/core/request_router.h"

namespace barnabas::client {

/// One partition's question to ListOffsets. Timestamps: -1 the end, -2 the beginning, else milliseconds since 1970.
struct OffsetQuery {
  TopicPartition partition;
  std::int64_t timestamp_ms = -1;
  std::int32_t leader_epoch = -1;  ///< As our metadata has it; -1: do not check.
};

/// What the leader found; offset -1: no record has that time.
struct OffsetAnswer {
  std::int64_t offset = -1;
  std::int64_t timestamp_ms = -1;
  std::int32_t leader_epoch = -1;
};

using OffsetAnswers = std::map<TopicPartition, Result<OffsetAnswer>>;

/// One request to one broker, without retries. Every partition asked for has an entry in the answer.
asio::awaitable<Result<OffsetAnswers>> ask_offsets(std::shared_ptr<RequestRouter> router, std::int32_t broker_id,
                                                   std::vector<OffsetQuery> queries, bool read_committed,
                                                   runtime::MonotonicTime deadline);

/// All partitions from whatever brokers lead them, with retries until the deadline.
/// Errors: of the first partition that no retry can help; Errc::timed_out with the last cause.
asio::awaitable<Result<std::map<TopicPartition, OffsetAnswer>>> list_offsets(
    std::shared_ptr<RequestRouter> router, std::map<TopicPartition, std::int64_t> timestamps_ms, bool read_committed,
    runtime::MonotonicTime deadline);

}  // namespace barnabas::client
