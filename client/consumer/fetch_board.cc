#include "client/consumer/fetch_board.h"

namespace barnabas::client {
namespace {

bool is_ready(FetchReadiness readiness) noexcept {
  return readiness == FetchReadiness::at_end || readiness == FetchReadiness::more;
}

void count(FetchBoard::Broker& broker, FetchReadiness readiness, int by) noexcept {
  if (readiness == FetchReadiness::at_end) broker.at_end += by;
  if (readiness == FetchReadiness::more) broker.more += by;
  if (readiness == FetchReadiness::full) broker.full += by;
}

}  // namespace

void FetchBoard::withdraw(PartitionState& state) {
  FetchStanding& standing = state.standing;
  if (standing.wake != runtime::MonotonicTime::max()) waiting_.erase({standing.wake, &state});
  standing.wake = runtime::MonotonicTime::max();
  if (standing.broker < 0) return;
  Broker& broker = brokers_[standing.broker];
  count(broker, standing.readiness, -1);
  standing.readiness = FetchReadiness::none;
  if (standing.is_alone) broker.alone.erase(state.partition);
  standing.is_alone = false;
}

void FetchBoard::stand(PartitionState& state, std::int32_t broker_id, FetchReadiness readiness,
                       runtime::MonotonicTime wake) {
  withdraw(state);
  FetchStanding& standing = state.standing;
  if (broker_id >= 0 && broker_id != standing.broker) {
    if (standing.broker >= 0) brokers_[standing.broker].leaving.push_back(state.partition);
    standing.broker = broker_id;
    standing.is_unsent = false;
  }
  if (wake != runtime::MonotonicTime::max()) waiting_.emplace(wake, &state);
  standing.wake = wake;
  if (standing.broker < 0) return;
  Broker& broker = brokers_[standing.broker];
  standing.readiness = readiness;
  count(broker, readiness, 1);
  if (is_ready(readiness) && state.alone) {
    standing.is_alone = true;
    broker.alone.emplace(state.partition, &state);
  }
  if (standing.is_unsent) return;
  standing.is_unsent = true;
  broker.unsent.push_back(&state);
}

void FetchBoard::wake(runtime::MonotonicTime now, Positions& positions) {
  while (!waiting_.empty() && waiting_.begin()->first <= now) {
    PartitionState& state = *waiting_.begin()->second;
    waiting_.erase(waiting_.begin());
    state.standing.wake = runtime::MonotonicTime::max();
    positions.touch(state);
  }
}

runtime::MonotonicTime FetchBoard::next_wake() const noexcept {
  return waiting_.empty() ? runtime::MonotonicTime::max() : waiting_.begin()->first;
}

void FetchBoard::rebuild(Positions& positions) {
  waiting_.clear();
  for (auto& [broker_id, broker] : brokers_) {
    broker.at_end = broker.more = broker.full = 0;
    broker.unsent.clear();
    broker.alone.clear();
    broker.session.for_each([&, id = broker_id, &leaving = broker.leaving](const TopicPartition& where, const auto&) {
      const PartitionState* state = positions.find(where);
      if (state == nullptr || state->standing.broker != id) leaving.push_back(where);
    });
  }
  for (auto& [where, state] : positions.all()) {
    const std::int32_t broker = state.standing.broker;
    state.standing = FetchStanding();
    state.standing.broker = broker;
    positions.touch(state);
  }
}

void FetchBoard::tell_session(std::int32_t broker_id, std::int32_t max_bytes) {
  Broker& broker = brokers_[broker_id];
  for (const TopicPartition& where : broker.leaving) broker.session.forget(where);
  broker.leaving.clear();
  for (PartitionState* state : broker.unsent) {
    if (state->standing.broker != broker_id || !state->standing.is_unsent) continue;  // it went, and may be back
    state->standing.is_unsent = false;
    if (is_ready(state->standing.readiness)) {
      broker.session.want(state->partition, fetch_of(*state, max_bytes), state->generation);
      state->asked_broker = broker_id;
      state->asked_aside = 0;
    } else {
      broker.session.forget(state->partition);
      if (state->asked_broker == broker_id) state->asked_broker = -1;
    }
  }
  broker.unsent.clear();
}

PartitionFetch fetch_of(const PartitionState& state, std::int32_t max_bytes) {
  return {state.topic_id, state.next_fetch.offset, max_bytes, state.standing.leader_epoch, -1};
}

}  // namespace barnabas::client
