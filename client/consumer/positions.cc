#include "client/consumer/positions.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "common/protocol/errors.h"

namespace barnabas::client {
namespace {

using Phase = PartitionState::Phase;

Failure out_of_range(const PartitionState& state, std::string_view what) {
  return {make_error_code(protocol::ErrorCode::offset_out_of_range),
          fmt::format("{}: {}; auto.offset.reset=none: seek to go on", state.partition.to_string(), what)};
}

}  // namespace

std::size_t PartitionState::fetched_bytes() const noexcept {
  std::size_t bytes = 0;
  for (std::size_t i = collecting ? 1 : 0; i < fetched.size(); ++i) bytes += fetched[i].bytes_left();
  return bytes;
}

void Positions::assign(const std::vector<TopicPartition>& partitions, runtime::MonotonicTime now, Start start) {
  const std::set<TopicPartition> wanted(partitions.begin(), partitions.end());
  const auto is_gone = [&](const auto& entry) { return wanted.count(entry.first) == 0; };
  std::erase_if(touched_, [&](const PartitionState* state) { return wanted.count(state->partition) == 0; });
  std::erase_if(index_, is_gone);
  if (std::erase_if(states_, is_gone) > 0) ++removals_;
  std::map<std::string, std::shared_ptr<const std::string>> names;
  for (const auto& [partition, state] : states_) names.emplace(partition.topic, state.topic);
  for (const TopicPartition& partition : wanted) {
    auto [entry, is_new] = states_.try_emplace(partition);
    if (!is_new) continue;
    auto& name = names[partition.topic];
    if (name == nullptr) name = std::make_shared<const std::string>(partition.topic);
    PartitionState& state = entry->second;
    index_.emplace(partition, &state);
    state.partition = partition;
    state.shared_partition = std::make_shared<const TopicPartition>(partition);
    state.topic = name;
    state.since = now;
    if (start == Start::by_policy) {
      request_reset(state, default_reset_);
    } else {
      set_position(state, Position{});
      state.phase = Phase::awaiting_committed;
    }
  }
}

void Positions::touch(PartitionState& state) {
  if (state.is_touched) return;
  state.is_touched = true;
  touched_.push_back(&state);
}

void Positions::touch_all() {
  for (auto& [where, state] : states_) touch(state);
}

std::vector<PartitionState*> Positions::take_touched() {
  for (PartitionState* state : touched_) state->is_touched = false;
  return std::exchange(touched_, {});
}

void Positions::reuse(std::vector<PartitionState*> touched) noexcept {
  touched.clear();
  if (touched_.empty() && touched.capacity() > touched_.capacity()) touched_ = std::move(touched);
}

PartitionState* Positions::find(const TopicPartition& partition) noexcept {
  const auto found = index_.find(partition);
  return found == index_.end() ? nullptr : found->second;
}

const PartitionState* Positions::find(const TopicPartition& partition) const noexcept {
  const auto found = index_.find(partition);
  return found == index_.end() ? nullptr : found->second;
}

PartitionState* Positions::current(const TopicPartition& partition, std::uint64_t generation) noexcept {
  PartitionState* state = find(partition);
  return state != nullptr && state->generation == generation ? state : nullptr;
}

void Positions::set_position(PartitionState& state, Position position) {
  touch(state);
  state.position = position;
  state.next_fetch = position;
  state.fetched.clear();
  state.fetch_ahead = true;
  state.alone = false;
  state.needed_bytes = 0;
  state.stuck.reset();
  state.lookup_under_way = false;
  state.preferred_replica = -1;
  state.failures = 0;
  state.not_before = {};
  state.leaderless = false;
  state.last_error.clear();
  state.generation = ++last_generation_;
}

void Positions::seek(PartitionState& state, Position position) {
  set_position(state, position);
  state.phase = Phase::fetching;
  state.validated_leader_epoch = -1;
}

void Positions::request_reset(PartitionState& state, ResetPolicy policy) {
  set_position(state, Position{});
  state.topic_id = Uuid();
  state.topic_gone = false;
  state.phase = Phase::awaiting_reset;
  state.reset = policy;
  if (policy.kind == ResetPolicy::Kind::none) state.stuck = out_of_range(state, "no position is set");
}

void Positions::on_committed(PartitionState& state, std::optional<Position> committed) {
  if (committed) {
    seek(state, *committed);
  } else {
    request_reset(state, default_reset_);
  }
}

void Positions::on_reset(const TopicPartition& partition, std::uint64_t generation, Position found) {
  PartitionState* state = current(partition, generation);
  if (state == nullptr || state->phase != Phase::awaiting_reset) return;
  set_position(*state, found);
  state->phase = Phase::fetching;
  state->validated_leader_epoch = found.offset_epoch;
}

bool Positions::on_topic_id(PartitionState& state, const Uuid& id) {
  if (id == Uuid() || id == state.topic_id) return true;
  if (state.topic_id == Uuid()) {
    state.topic_id = id;
    return true;
  }
  if (!state.topic_gone) return true;
  if (state.collecting) return false;  // looked at again when poll is done with it
  const auto what =
      fmt::format("the topic was deleted and made again while the position was {}", state.position.offset);
  request_reset(state, default_reset_);
  state.topic_id = id;
  if (state.stuck) state.stuck = out_of_range(state, what);
  state.last_error = what;
  return true;
}

void Positions::on_leader_epoch(PartitionState& state, std::int32_t leader_epoch) {
  if (state.phase != Phase::fetching || leader_epoch < 0 || state.next_fetch.offset_epoch < 0) return;
  if (leader_epoch > state.validated_leader_epoch && leader_epoch > state.next_fetch.offset_epoch) {
    touch(state);
    state.phase = Phase::awaiting_validation;
  }
}

void Positions::on_validated(const TopicPartition& partition, std::uint64_t generation, std::int32_t leader_epoch,
                             std::int64_t end_offset) {
  PartitionState* state = current(partition, generation);
  if (state == nullptr || state->phase != Phase::awaiting_validation) return;
  touch(*state);
  state->lookup_under_way = false;
  if (end_offset >= state->next_fetch.offset) {
    state->phase = Phase::fetching;
    state->validated_leader_epoch = leader_epoch;
    state->failures = 0;
    return;
  }
  if (state->collecting) return;  // asked again, once poll is done with what it reads
  if (!state->fetched.empty()) {  // what was fetched ahead may be gone from the log: ask again for the position itself
    state->fetched.clear();
    state->next_fetch = state->position;
    if (state->position.offset_epoch < 0) state->phase = Phase::fetching;
    return;
  }
  on_truncated(*state, end_offset);
}

void Positions::on_truncated(PartitionState& state, std::int64_t end_offset) {
  const auto what =
      fmt::format("the log was truncated at {} while the position was {}", end_offset, state.position.offset);
  if (default_reset_.kind == ResetPolicy::Kind::none) {
    state.phase = Phase::fetching;
    state.stuck = out_of_range(state, what);
  } else if (end_offset >= 0) {
    seek(state, Position{end_offset, -1});
  } else {
    request_reset(state, default_reset_);
  }
  state.last_error = what;
}

void Positions::on_fetched(PartitionState& state, CompletedFetch fetched, Position next_fetch,
                           runtime::MonotonicTime now) {
  touch(state);
  if (state.fetched.full()) return;  // no more is asked for; it would have to be asked for again
  state.fetched.push_back(std::move(fetched));
  state.next_fetch = next_fetch;
  state.failures = 0;
  state.last_error.clear();
  state.since = now;
}

void Positions::on_out_of_range(PartitionState& state, std::int64_t offset) {
  touch(state);
  if (state.collecting || !state.fetched.empty() || offset != state.next_fetch.offset)
    return;  // asked again when poll has got so far
  const auto what = fmt::format("offset {} is out of range", offset);
  if (default_reset_.kind == ResetPolicy::Kind::none) {
    state.stuck = out_of_range(state, what);
  } else {
    request_reset(state, default_reset_);
  }
  state.last_error = what;
}

void Positions::on_failure(PartitionState& state, std::string why, runtime::MonotonicTime not_before) {
  touch(state);
  ++state.failures;
  state.leaderless = false;
  state.last_error = std::move(why);
  state.not_before = not_before;
}

}  // namespace barnabas::client
