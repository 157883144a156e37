// Fetch: v4 isolation level; v5 log start offset; v7 sessions; v9 leader epoch; v11 rack; v12 flexible, diverging
// epoch; v13 topic ids; v15 replica state; v16 node endpoints; v17 directory id; v18 the follower's high watermark.
#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "broker/api/fetch_session.h"
#include "broker/api/handlers.h"
#include "broker/api/partition_lookup.h"
#include "broker/config/broker_config.h"
#include "broker/metrics/broker_metrics.h"
#include "broker/server/purgatory.h"
#include "common/record/validator.h"

namespace barnabas::broker {
namespace {

using protocol::ErrorCode;
using protocol::FetchRequest;
using protocol::FetchResponse;
using PartitionData = FetchResponse::PartitionData;

constexpr std::int16_t kFirstVersionWithIds = 13;
constexpr std::int16_t kFirstVersionWithEndpoints = 16;
constexpr std::int8_t kReadCommitted = 1;

/// What the whole request asks of each read.
struct ReadParameters {
  log::ReadBound bound = log::ReadBound::high_watermark;
  std::size_t max_bytes = 0;
  std::size_t min_bytes = 0;
  bool is_replica = false;
  bool uses_topic_ids = false;
};

/// One pass over all wanted partitions.
struct ReadPass {
  std::vector<FetchResult> results;
  std::vector<FileRegion> regions;  // of the results that have records, in the same order
  std::size_t bytes = 0;
  bool answer_now = false;  // an error, an epoch that diverges, a segment's end: waiting would not help
};

ReadParameters parameters_of(RequestContext& context, const FetchRequest& request) {
  ReadParameters parameters;
  const std::int32_t replica = context.api_version() >= 15 ? request.replica_state.replica_id : request.replica_id;
  parameters.is_replica = replica >= 0;
  if (request.isolation_level == kReadCommitted) parameters.bound = log::ReadBound::last_stable_offset;
  const std::int32_t most = context.broker().config->values().get_int("fetch.max.bytes");
  parameters.max_bytes = static_cast<std::size_t>(std::max(0, std::min(request.max_bytes, most)));
  parameters.min_bytes = std::min(static_cast<std::size_t>(std::max(0, request.min_bytes)), parameters.max_bytes);
  parameters.uses_topic_ids = context.api_version() >= kFirstVersionWithIds;
  return parameters;
}

void fail(PartitionData& data, ErrorCode error) {
  data.error_code = code_of(error);
  data.high_watermark = -1;
}

/// Fills in where the client's log and ours part, if they do (KIP-595). Errors: as Kafka's, with offset_out_of_range
/// where the epoch is unknown here.
ErrorCode check_divergence(const partition::Partition& partition, const FetchWant& want, PartitionData& data) {
  if (want.last_fetched_epoch < 0) return ErrorCode::none;
  const log::EpochEndOffset end = partition.end_offset_for_epoch(want.last_fetched_epoch);
  if (end.end_offset < 0 || end.leader_epoch < 0) return ErrorCode::offset_out_of_range;
  if (want.fetch_offset < partition.log().log_start_offset()) return ErrorCode::offset_out_of_range;
  if (end.leader_epoch < want.last_fetched_epoch || end.end_offset < want.fetch_offset) {
    data.diverging_epoch.epoch = end.leader_epoch;
    data.diverging_epoch.end_offset = end.end_offset;
  }
  return ErrorCode::none;
}

/// Of a log that is not read, because the client's has parted from it.
void report_offsets(PartitionData& data, const log::PartitionLog& log) {
  data.high_watermark = log.high_watermark();
  data.last_stable_offset = log.last_stable_offset();
  data.log_start_offset = log.log_start_offset();
}

void report(PartitionData& data, const log::FetchSlice& slice, log::ReadBound bound) {
  data.high_watermark = slice.high_watermark;
  data.last_stable_offset = slice.last_stable_offset;
  data.log_start_offset = slice.log_start_offset;
  if (bound != log::ReadBound::last_stable_offset) return;
  data.aborted_transactions.emplace();
  for (const log::AbortedTransaction& aborted : slice.aborted) {
    data.aborted_transactions->emplace_back();
    data.aborted_transactions->back().producer_id = aborted.producer_id;
    data.aborted_transactions->back().first_offset = aborted.first_offset;
  }
}

/// Reads one partition into `data`. What there is to send, if anything.
FileRegion read_partition(RequestContext& context, const FetchWant& want, const ReadParameters& parameters,
                          std::size_t budget, ReadPass& pass, PartitionData& data) {
  data.partition_index = want.partition;
  data.records.emplace();
  const FoundPartition found = parameters.uses_topic_ids ? find_partition(context, want.topic_id, want.partition)
                                                         : find_partition(context, want.topic, want.partition);
  // As Kafka answers: an empty list where it has no such partition, none where the partition has refused.
  if (found.partition) data.aborted_transactions.reset();
  ErrorCode error = found.error;
  if (error == ErrorCode::none && parameters.is_replica) error = ErrorCode::not_leader_or_follower;
  if (error == ErrorCode::none) error = found.partition->check_leader(want.current_leader_epoch);
  if (error == ErrorCode::none) error = check_divergence(*found.partition, want, data);
  if (error != ErrorCode::none) {
    fail(data, error);
    return {};
  }
  const bool first = pass.bytes == 0;
  if (data.diverging_epoch.epoch >= 0) {
    report_offsets(data, found.partition->log());
    return {};
  }
  const std::size_t most = std::min(budget, static_cast<std::size_t>(std::max(0, want.max_bytes)));
  const Result<log::FetchSlice> slice = found.partition->read(want.fetch_offset, most, first, parameters.bound);
  if (!slice) {
    fail(data, record::kafka_error_of(slice.error()));
    return {};
  }
  report(data, *slice, parameters.bound);
  if (slice->length == 0) return {};
  // There is more, but not in this answer: the next request gets it, and nothing that comes to pass adds to this one.
  if (slice->ends_segment) pass.answer_now = true;
  data.records->external_bytes = slice->length;
  return {slice->file, slice->position, slice->length};
}

/// A partition of which there is nothing to say leaves no result.
ReadPass read_all(RequestContext& context, const FetchContext& fetch, const ReadParameters& parameters) {
  ReadPass pass;
  for (std::size_t place = 0; place < fetch.wanted().size(); ++place) {
    const FetchWant& want = fetch.wanted()[place];
    PartitionData data;
    const std::size_t budget = parameters.max_bytes - std::min(parameters.max_bytes, pass.bytes);
    FileRegion region = read_partition(context, want, parameters, budget, pass, data);
    if (region.length == 0 && fetch.is_known(place, data)) continue;
    if (data.error_code != code_of(ErrorCode::none) || data.diverging_epoch.epoch >= 0) pass.answer_now = true;
    if (region.length > 0) {
      pass.bytes += static_cast<std::size_t>(region.length);
      pass.regions.push_back(std::move(region));
    }
    pass.results.push_back({want, std::move(data), place});
  }
  return pass;
}

bool is_enough(const ReadPass& pass, const ReadParameters& parameters) {
  return pass.answer_now || pass.bytes >= parameters.min_bytes;
}

std::vector<PartitionKey> keys_of(RequestContext& context, const std::vector<FetchWant>& wanted, bool uses_topic_ids) {
  std::vector<PartitionKey> keys;
  for (const FetchWant& want : wanted) {
    if (uses_topic_ids) {
      keys.push_back({want.topic_id, want.partition});
    } else if (const FoundPartition found = find_partition(context, want.topic, want.partition); found.partition) {
      keys.push_back({found.partition->id().topic_id, want.partition});
    }
  }
  return keys;
}

/// Reads, and while there is too little, waits for the partitions to move and reads again, until the deadline.
asio::awaitable<ReadPass> read_enough(RequestContext& context, const FetchContext& fetch, ReadParameters parameters,
                                      std::chrono::milliseconds max_wait) {
  const runtime::MonotonicTime deadline = context.env().clock().now() + max_wait;
  ReadPass pass = read_all(context, fetch, parameters);
  if (is_enough(pass, parameters) || fetch.wanted().empty() || max_wait <= std::chrono::milliseconds::zero())
    co_return pass;
  context.start_waiting();
  std::vector<PartitionKey> keys = keys_of(context, fetch.wanted(), parameters.uses_topic_ids);
  const auto watch = context.broker().purgatory->watch(context, std::move(keys));
  for (;;) {
    pass = read_all(context, fetch, parameters);
    if (is_enough(pass, parameters)) co_return pass;
    const Purgatory::Outcome outcome = co_await watch->wait(deadline);
    if (outcome != Purgatory::Outcome::moved) co_return pass;
  }
}

/// Counts failures, and tells who leads where it is not us.
void finish(RequestContext& context, FetchResponse& response) {
  for (auto& topic : response.responses) {
    for (PartitionData& partition : topic.partitions) {
      if (partition.error_code == code_of(ErrorCode::none)) continue;
      context.note_error();
      if (context.api_version() < kFirstVersionWithEndpoints) continue;
      const auto hint = leader_hint(context, protocol::error_of(partition.error_code), topic.topic_id, topic.topic,
                                    partition.partition_index);
      if (!hint) continue;
      partition.current_leader.leader_id = hint->leader_id;
      partition.current_leader.leader_epoch = hint->leader_epoch;
      add_node_endpoint(response, *hint);
    }
  }
}

}  // namespace

asio::awaitable<FetchResponse> handle_fetch(RequestContext& context, FetchRequest request) {
  FetchSessionCache& sessions = *context.broker().fetch_sessions;
  FetchContext fetch = sessions.begin(request, context.api_version(), context.env().clock().wall_ms());
  ReadPass pass;
  if (fetch.error() == ErrorCode::none) {
    const ReadParameters parameters = parameters_of(context, request);
    const std::chrono::milliseconds max_wait(request.max_wait_ms);
    pass = co_await read_enough(context, fetch, parameters, max_wait);
  }
  FetchResponse response = sessions.finish(fetch, std::move(pass.results), context.env().clock().wall_ms());
  if (response.error_code == code_of(ErrorCode::none)) {
    context.broker().metrics->fetched_bytes.add(pass.bytes);
    for (FileRegion& region : pass.regions) context.add_file_region(std::move(region));
  }
  finish(context, response);
  co_return response;
}

}  // namespace barnabas::broker
