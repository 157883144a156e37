// OffsetForLeaderEpoch: v2 current leader epoch; v3 replica id; v4 flexible.
#include <utility>

#include "broker/api/handlers.h"
#include "broker/api/partition_lookup.h"
#include "common/record/batch_header.h"

namespace barnabas::broker {
namespace {

using protocol::ErrorCode;
using protocol::OffsetForLeaderEpochRequest;
using protocol::OffsetForLeaderEpochResponse;
using Asked = OffsetForLeaderEpochRequest::OffsetForLeaderPartition;
using Answered = OffsetForLeaderEpochResponse::EpochEndOffset;

ErrorCode find_end(RequestContext& context, const std::string& topic, const Asked& asked, Answered& answer) {
  const FoundPartition found = find_partition(context, topic, asked.partition);
  if (found.error != ErrorCode::none) return found.error;
  // -1 says that the client knows none; what lies below is an epoch like any other here, and long gone.
  if (asked.current_leader_epoch < record::kNoLeaderEpoch) return ErrorCode::fenced_leader_epoch;
  const ErrorCode leadership = found.partition->check_leader(asked.current_leader_epoch);
  if (leadership != ErrorCode::none) return leadership;
  const log::EpochEndOffset end = found.partition->end_offset_for_epoch(asked.leader_epoch);
  answer.leader_epoch = end.leader_epoch;
  answer.end_offset = end.end_offset;
  return ErrorCode::none;
}

}  // namespace

asio::awaitable<OffsetForLeaderEpochResponse> handle_offset_for_leader_epoch(RequestContext& context,
                                                                             OffsetForLeaderEpochRequest request) {
  OffsetForLeaderEpochResponse response;
  for (auto& topic : request.topics) {
    auto& answers = response.topics.emplace_back();
    for (const Asked& asked : topic.partitions) {
      Answered& answer = answers.partitions.emplace_back();
      answer.partition = asked.partition;
      answer.error_code = code_of(find_end(context, topic.topic, asked, answer));
      if (answer.error_code != code_of(ErrorCode::none)) context.note_error();
    }
    answers.topic = std::move(topic.topic);
  }
  co_return response;
}

}  // namespace barnabas::broker
