// ListOffsets: v1 timestamp and offset; v2 isolation level; v4 leader epoch; v6 flexible; v7 max timestamp; v8 earliest
// local; v9 latest tiered; v10 timeout; v11 earliest pending upload.
#include <set>
#include <utility>

#include "broker/api/handlers.h"
#include "broker/api/partition_lookup.h"
#include "common/record/batch_header.h"
#include "common/record/validator.h"

namespace barnabas::broker {
namespace {

using protocol::ErrorCode;
using protocol::ListOffsetsRequest;
using protocol::ListOffsetsResponse;
using Asked = ListOffsetsRequest::ListOffsetsPartition;
using Answered = ListOffsetsResponse::ListOffsetsPartitionResponse;
namespace special = partition::list_offsets;

constexpr std::int8_t kReadCommitted = 1;

/// Whether a client of this version may ask for this time. Any negative number but the specials means nothing.
bool is_known_timestamp(std::int64_t timestamp, std::int16_t version) {
  if (timestamp >= 0) return true;
  switch (timestamp) {
    case special::kLatest:
    case special::kEarliest:
      return true;
    case special::kMaxTimestamp:
      return version >= 7;
    case special::kEarliestLocal:
      return version >= 8;
    case special::kLatestTiered:
      return version >= 9;
    case special::kEarliestPendingUpload:
      return version >= 11;
    default:
      return false;
  }
}

ErrorCode list_one(RequestContext& context, const std::string& topic, const Asked& asked, log::ReadBound bound,
                   Answered& answer) {
  if (!is_known_timestamp(asked.timestamp, context.api_version())) return ErrorCode::unsupported_version;
  const FoundPartition found = find_partition(context, topic, asked.partition_index);
  if (found.error != ErrorCode::none) return found.error;
  // -1 says that the client knows none; what lies below is an epoch like any other here, and long gone.
  if (asked.current_leader_epoch < record::kNoLeaderEpoch) return ErrorCode::fenced_leader_epoch;
  const ErrorCode leadership = found.partition->check_leader(asked.current_leader_epoch);
  if (leadership != ErrorCode::none) return leadership;
  const Result<log::TimestampedOffset> listed = found.partition->list_offset(asked.timestamp, bound);
  if (!listed) return record::kafka_error_of(listed.error());
  answer.timestamp = listed->timestamp_ms;
  answer.offset = listed->offset;
  if (context.api_version() >= 4) answer.leader_epoch = listed->leader_epoch;
  return ErrorCode::none;
}

}  // namespace

asio::awaitable<ListOffsetsResponse> handle_list_offsets(RequestContext& context, ListOffsetsRequest request) {
  const log::ReadBound bound =
      request.isolation_level == kReadCommitted ? log::ReadBound::last_stable_offset : log::ReadBound::high_watermark;
  std::set<std::pair<std::string, std::int32_t>> seen;
  std::set<std::pair<std::string, std::int32_t>> twice;
  for (const auto& topic : request.topics) {
    for (const Asked& asked : topic.partitions) {
      if (!seen.emplace(topic.name, asked.partition_index).second) twice.emplace(topic.name, asked.partition_index);
    }
  }
  ListOffsetsResponse response;
  seen.clear();
  for (auto& topic : request.topics) {
    auto& answers = response.topics.emplace_back();
    for (const Asked& asked : topic.partitions) {
      if (!seen.emplace(topic.name, asked.partition_index).second) continue;
      Answered& answer = answers.partitions.emplace_back();
      answer.partition_index = asked.partition_index;
      const bool repeated = twice.count({topic.name, asked.partition_index}) != 0;
      answer.error_code =
          code_of(repeated ? ErrorCode::invalid_request : list_one(context, topic.name, asked, bound, answer));
      if (answer.error_code != code_of(ErrorCode::none)) context.note_error();
    }
    answers.name = std::move(topic.name);
  }
  co_return response;
}

}  // namespace barnabas::broker
