#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "barnabas/consumer.h"
#include "client/consumer/group/membership.h"
#include "client/core/request_router.h"

namespace barnabas::client {

using CommittedOffsets = std::map<TopicPartition, std::optional<OffsetAndMetadata>>;

/// One OffsetCommit, without retries. Errors: the one that says most: of the group, else of the first partition
/// refused.
asio::awaitable<Result<void>> send_offset_commit(ConnectionPtr connection, Membership::Settings group,
                                                 Generation member, Offsets offsets, runtime::MonotonicTime deadline);

/// One OffsetFetch, without retries; every partition asked for has an entry in the answer.
/// Errors: as above; UNSTABLE_OFFSET_COMMIT while a transaction may still commit offsets.
asio::awaitable<Result<CommittedOffsets>> send_offset_fetch(ConnectionPtr connection, std::string group_id,
                                                            std::vector<TopicPartition> partitions,
                                                            runtime::MonotonicTime deadline);

}  // namespace barnabas::client
