#include <fmt/format.h>

#include <algorithm>
#include <asio/post.hpp>
#include <utility>

#include "client/consumer/group/coordinator.h"
#include "client/core/errors.h"

// The half of GroupCoordinator that gives partitions and takes them, while poll is there.
namespace barnabas::client {
namespace {

using runtime::MonotonicTime;

std::string text_of(std::exception_ptr error) {
  try {
    std::rethrow_exception(std::move(error));
  } catch (const std::exception& known) {
    return known.what();
  } catch (...) {
    return "an exception that is no std::exception";
  }
}

const char* name_of(RebalanceListener::Event event) {
  switch (event) {
    case RebalanceListener::Event::assigned:
      return "on_assigned";
    case RebalanceListener::Event::revoked:
      return "on_revoked";
    case RebalanceListener::Event::lost:
      return "on_lost";
  }
  return "?";
}

/// In `from`, and not in `taken`.
std::vector<TopicPartition> without(const std::vector<TopicPartition>& from, const std::vector<TopicPartition>& taken) {
  const std::set<TopicPartition> gone(taken.begin(), taken.end());
  std::vector<TopicPartition> rest;
  std::copy_if(from.begin(), from.end(), std::back_inserter(rest),
               [&](const TopicPartition& where) { return gone.count(where) == 0; });
  return rest;
}

}  // namespace

// ---- turns

asio::awaitable<void> GroupCoordinator::prepare(Self self) {
  const bool granted = co_await self->take_turn();
  if (granted) co_await self->give_up_partitions();
  self->end_turn();
}

asio::awaitable<void> GroupCoordinator::complete(Self self) {
  const std::uint64_t attempt = self->machine_.attempt();
  const bool granted = co_await self->take_turn();
  if (granted && attempt == self->machine_.attempt()) {
    auto given = std::move(self->received_);
    co_await self->take_partitions(std::move(given));
  }
  self->end_turn();
}

/// Waits until poll is there. False: the group is left instead.
asio::awaitable<bool> GroupCoordinator::take_turn() {
  turn_granted_ = state_->runtime->make_gate();
  const auto gate = turn_granted_;
  desk_.want_turn([gate, executor = state_->runtime->executor()] { asio::post(executor, [gate] { gate->open(); }); });
  state_->notify();
  co_await gate->wait(MonotonicTime::max());
  turn_granted_ = nullptr;
  co_return !leaving_ && !closed_;
}

void GroupCoordinator::end_turn() {
  desk_.end_turn();
  {
    const std::lock_guard lock(mutex_);
    machine_.on_turn_ended();
  }
  if (const auto over = std::exchange(turn_over_, nullptr)) over->open();
  state_->notify();
  kick();
}

// ---- partitions

GroupCoordinator::Partitions GroupCoordinator::assignment() const {
  const std::lock_guard lock(state_->mutex);
  Partitions partitions;
  for (const auto& [where, state] : state_->positions.all()) partitions.push_back(where);
  return partitions;
}

void GroupCoordinator::set_assignment(const Partitions& partitions) {
  const auto now = state_->runtime->now();
  {
    const std::lock_guard lock(state_->mutex);
    state_->positions.assign(partitions, now, Positions::Start::committed);
    state_->maybe_stuck = true;
  }
  bool is_new = false;
  for (const TopicPartition& where : partitions) is_new |= router_->metadata().want_topic(where.topic, now);
  if (is_new) router_->request_metadata_update();
  fetcher_->kick();
  find_starts();
}

/// Before the group meets anew.
asio::awaitable<void> GroupCoordinator::give_up_partitions() {
  const auto longest = std::min(options_.settings.membership.max_poll_interval, state_->settings.default_api_timeout);
  const auto deadline = router_->deadline_in(longest);
  auto worked_on = offsets_before_leaving();
  if (keeps_all_partitions()) {  // so they are read on; a membership that is lost meanwhile leads to another turn
    desk_.end_turn();
    state_->notify();
    co_await commit_before_leaving(std::move(worked_on), deadline);
    co_return;
  }
  co_await commit_before_leaving(std::move(worked_on), deadline);
  const Partitions owned = assignment();
  const auto [gone, is_lost] = to_give_up(owned);
  const bool is_told = !gone.empty() || (!is_lost && options_.protocol == RebalanceProtocol::eager);
  if (is_told) co_await tell(is_lost ? Event::lost : Event::revoked, gone);
  if (!gone.empty()) set_assignment(without(owned, gone));
}

/// All of them when the membership is lost, which comes second, or with the eager protocol.
std::pair<GroupCoordinator::Partitions, bool> GroupCoordinator::to_give_up(const Partitions& owned) const {
  const std::lock_guard lock(mutex_);
  const bool is_lost = machine_.generation().id == Generation::kNone;
  const bool all = is_lost || options_.protocol == RebalanceProtocol::eager;
  Partitions gone;
  std::copy_if(owned.begin(), owned.end(), std::back_inserter(gone),
               [&](const TopicPartition& where) { return all || !subscription_.covers(where.topic); });
  return {std::move(gone), is_lost};
}

bool GroupCoordinator::keeps_all_partitions() const {
  if (options_.protocol == RebalanceProtocol::eager) return false;
  const auto [gone, is_lost] = to_give_up(assignment());
  return gone.empty() && !is_lost;
}

/// When the group has met.
asio::awaitable<void> GroupCoordinator::take_partitions(MemberAssignment given) {
  std::sort(given.partitions.begin(), given.partitions.end());
  given.partitions.erase(std::unique(given.partitions.begin(), given.partitions.end()), given.partitions.end());
  const Partitions owned = assignment();
  std::shared_ptr<Assignor> assignor;
  {
    const std::lock_guard lock(mutex_);
    const auto foreign = std::find_if(given.partitions.begin(), given.partitions.end(), [&](const TopicPartition& one) {
      return one.partition < 0 || !subscription_.covers(one.topic);
    });
    if (foreign != given.partitions.end()) {
      machine_.request_rejoin(
          fmt::format("{} was given to a consumer that does not subscribe to it", foreign->to_string()));
      co_return;
    }
    assignor = assignor_named(machine_.generation().protocol);
  }
  const Partitions gone = without(owned, given.partitions);
  if (!gone.empty()) {
    if (options_.protocol == RebalanceProtocol::cooperative) {
      const std::lock_guard lock(mutex_);
      machine_.request_rejoin("partitions were given up that others wait for");
    }
    co_await tell(Event::revoked, gone);
  }
  try {
    if (assignor != nullptr) assignor->on_assignment(given, metadata());
  } catch (...) {
    desk_.report({make_error_code(ConsumerErrc::listener_failed),
                  fmt::format("assignor {}: on_assignment: {}", assignor->name(), text_of(std::current_exception()))});
  }
  set_assignment(given.partitions);
  {
    const std::lock_guard lock(mutex_);
    router_->logger().debug("group '{}', generation {}: {} partitions, {} of them new",
                            options_.settings.membership.group_id, machine_.generation().id, given.partitions.size(),
                            without(given.partitions, owned).size());
  }
  const auto next = state_->runtime->now() + options_.settings.auto_commit_interval;
  next_auto_commit_.store(next.time_since_epoch().count(), std::memory_order_relaxed);
  auto added = without(given.partitions, owned);
  co_await tell(Event::assigned, std::move(added));
}

/// When the group is left for good.
asio::awaitable<void> GroupCoordinator::give_back_all() {
  auto owned = assignment();
  if (owned.empty()) co_return;
  const auto event = is_member() ? Event::revoked : Event::lost;
  co_await tell(event, std::move(owned));
}

std::shared_ptr<Assignor> GroupCoordinator::assignor_named(const std::string& name) const {
  for (const auto& assignor : options_.assignors) {
    if (assignor->name() == name) return assignor;
  }
  return nullptr;
}

// ---- the listener

asio::awaitable<void> GroupCoordinator::tell(Event event, Partitions partitions) {
  if (silent_) co_return;
  RebalanceListener listener;
  {
    const std::lock_guard lock(mutex_);
    listener = listener_;
  }
  auto function = event == Event::assigned                   ? listener.on_assigned
                  : event == Event::lost && listener.on_lost ? listener.on_lost
                                                             : listener.on_revoked;
  if (!listener.start && !function) co_return;
  const auto call = std::make_shared<ListenerCall>();
  call->gate = state_->runtime->make_gate();
  listener_call_ = call;
  std::function<void(std::exception_ptr)> done = [call,
                                                  executor = state_->runtime->executor()](std::exception_ptr why) {
    asio::post(executor, [call, why = std::move(why)] {
      if (!call->gate->is_open()) call->error = why;
      call->gate->open();
    });
  };
  if (listener.start) {
    try {
      listener.start(event, std::move(partitions), done);
    } catch (...) {
      done(std::current_exception());
    }
  } else {
    desk_.put_call([function = std::move(function), partitions = std::move(partitions), done] {
      std::exception_ptr why;
      try {
        function(partitions);
      } catch (...) {
        why = std::current_exception();
      }
      done(std::move(why));
    });
    state_->notify();
  }
  co_await call->gate->wait(MonotonicTime::max());
  listener_call_ = nullptr;
  if (call->error) {
    desk_.report({make_error_code(ConsumerErrc::listener_failed),
                  fmt::format("the rebalance listener's {} threw: {}", name_of(event), text_of(call->error))});
  }
}

/// Nobody will make the calls that wait, or nobody waits for them any more.
void GroupCoordinator::abandon_listener() {
  silent_ = true;
  desk_.drop_calls();
  if (listener_call_ != nullptr) listener_call_->gate->open();
}

// ---- the leader's work

asio::awaitable<Result<std::vector<std::pair<std::string, Bytes>>>> GroupCoordinator::assign_as_leader(
    std::string assignor) {
  auto group = read_members(members_);
  if (!group) co_return failure(group.error());
  group_topics_ = topics_of(*group);
  co_await know_topics(group_topics_);
  const auto cluster = router_->metadata().snapshot();
  shapes_at_assignment_ = shapes_of_group(*cluster);
  if (skip_assignment_) co_return std::vector<std::pair<std::string, Bytes>>{};
  const auto known = cluster_for_assignor(*cluster, group_topics_);
  const auto chosen = assignor_named(assignor);  // one that was offered, or the join would have failed
  co_return deal_out(*chosen, options_.protocol, known, *group);
}

/// Waits for metadata, where other members have subscribed to topics that this one has not seen. What the cluster does
/// not know by then is left out: the group meets again when the topic comes.
asio::awaitable<void> GroupCoordinator::know_topics(std::set<std::string> topics) {
  const auto now = state_->runtime->now();
  const auto cluster = router_->metadata().snapshot();
  bool all_known = true;
  for (const std::string& topic : topics) {
    router_->metadata().want_topic(topic, now);
    all_known = all_known && cluster->topic(topic) != nullptr;
  }
  if (all_known) co_return;
  const auto deadline = router_->deadline_in(state_->settings.request_timeout);
  const auto fresh = co_await router_->refresh_metadata(deadline);
  if (!fresh) router_->logger().warn("dealing out partitions without fresh metadata: {}", fresh.error().message());
}

TopicShapes GroupCoordinator::shapes_of_group(const ClusterSnapshot& cluster) const {
  return shapes_of(cluster, group_topics_, !state_->settings.client_rack.empty(), shapes_at_assignment_);
}

void GroupCoordinator::on_metadata_change() {
  if (!closed_ && is_subscribed()) advance();
}

void GroupCoordinator::look_at_metadata() {
  const auto cluster = router_->metadata().snapshot();
  const std::lock_guard lock(mutex_);
  if (!machine_.is_wanted()) return;
  const bool is_news = std::exchange(looked_at_version_, cluster->version) != cluster->version;
  if (is_news && !cluster->brokers.empty())
    subscription_.match_again(*cluster, options_.settings.exclude_internal_topics);
  if (machine_.state() != Membership::State::stable) return;
  if (subscription_.topics != joined_.topics) machine_.request_rejoin("the subscribed topics have changed");
  if (machine_.is_leader() && shapes_of_group(*cluster) != shapes_at_assignment_) {
    machine_.request_rejoin("the metadata of the group's topics have changed");
  }
}

}  // namespace barnabas::client
