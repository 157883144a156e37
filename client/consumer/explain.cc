#include "client/consumer/explain.h"

#include <fmt/format.h>

namespace barnabas::client {
namespace {

using Phase = PartitionState::Phase;

std::int64_t ms_between(runtime::MonotonicTime from, runtime::MonotonicTime to) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(to - from).count();
}

/// Of a partition that has something fetched.
std::string why_not_returned(const ExplainContext& context) {
  if (!context.unreadable) return "has records for the next poll";
  return context.unreadable_for_room ? "has a batch that does not fit into what is free of buffer.memory"
                                     : "has a batch that cannot be read; seek past it to go on";
}

/// When the fetch was sent that it is part of; none where there is none.
std::optional<runtime::MonotonicTime> asked_at(const PartitionState& state, const ExplainContext& context) {
  if (state.asked_broker < 0 || context.fetches_sent_at == nullptr) return std::nullopt;
  const auto sent = context.fetches_sent_at->find(state.asked_broker);
  if (sent == context.fetches_sent_at->end() || sent->second == runtime::MonotonicTime{}) return std::nullopt;
  return sent->second;
}

/// Of a partition whose position and leader are known.
std::string why_not_fetched(const PartitionState& state, const ExplainContext& context) {
  if (state.not_before > context.now) {
    return fmt::format("waits {} ms before it asks again", ms_between(context.now, state.not_before));
  }
  const auto asked = asked_at(state, context);
  if (context.out_of_memory && !asked) {
    return fmt::format("has no room to fetch: of buffer.memory={}, Records that are still alive hold {} bytes",
                       context.limit_bytes, context.held_bytes);
  }
  const std::int64_t next = state.next_fetch.offset;
  if (context.read_committed && next >= state.last_stable_offset && next < state.high_watermark) {
    return fmt::format("waits for a transaction to end: offsets {} to {} may not be read before", next,
                       state.high_watermark - 1);
  }
  if (state.high_watermark >= 0 && next >= state.high_watermark) {
    const bool has_nearer = state.preferred_replica >= 0;
    return "waits for records at the end of the partition" +
           (has_nearer ? fmt::format(", at broker {}, which is nearer than the leader", state.preferred_replica) : "");
  }
  if (!asked) return "waits for a fetch";
  return fmt::format("waits for broker {} to answer a fetch sent {} ms ago", state.asked_broker,
                     ms_between(*asked, context.now));
}

}  // namespace

std::string explain_partition(const PartitionState& state, const ExplainContext& context) {
  if (state.stuck) return "failed; seek to go on";
  if (state.paused) return "paused";
  if (!state.fetched.empty()) return why_not_returned(context);
  if (const auto missing = why_missing(context.cluster, state.partition.topic, state.partition.partition);
      !missing.empty())
    return missing;
  switch (state.phase) {
    case Phase::awaiting_committed:
      return "asks the group's coordinator for the committed offset";
    case Phase::awaiting_reset:
      return "looks up where to start (auto.offset.reset)";
    case Phase::awaiting_validation:
      return "asks the new leader whether it has what was read";
    case Phase::fetching:
      break;
  }
  return why_not_fetched(state, context);
}

}  // namespace barnabas::client
