#include "tests/bench/group_load/wire_group.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <utility>

#include "client/core/consumer_protocol.h"
#include "common/protocol/errors.h"
#include "common/protocol/messages/find_coordinator.h"
#include "common/protocol/messages/heartbeat.h"
#include "common/protocol/messages/sync_group.h"

namespace barnabas::bench {

using namespace std::chrono_literals;
using protocol::code_of;
using protocol::error_of;
using protocol::ErrorCode;

namespace {

constexpr runtime::Duration kQuickBeat = 300ms;  // until all groups are settled
constexpr runtime::Duration kPatience = 120s;

bool is_passing(ErrorCode error) {
  return error == ErrorCode::coordinator_load_in_progress || error == ErrorCode::coordinator_not_available ||
         error == ErrorCode::not_coordinator || error == ErrorCode::rebalance_in_progress;
}

Failure refused(const char* what, ErrorCode error) {
  return Failure{make_error_code(error), what};
}

}  // namespace

double cpu_seconds_of(int pid) {
  clockid_t clock{};
  timespec used{};
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0) return 0;
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

std::string group_name(const LoadOptions& options, int number) {
  return fmt::format("{}-{}", options.prefix, number);
}

Wire::Wire(LoadOptions options) : options_(std::move(options)), runtime_(client::ClientRuntime::make("bench-groups")) {}

asio::awaitable<Result<std::shared_ptr<client::BrokerConnection>>> Wire::connect() {
  const auto address = client::parse_host_and_port(options_.bootstrap);
  if (!address) co_return failure(address.error());
  client::ConnectionOptions settings;
  settings.client_id = "bench-groups";
  settings.counters = counters_;
  const auto connection = std::make_shared<client::BrokerConnection>(runtime_, -1, *address, settings);
  const auto opened = co_await connection->open(soon());
  if (!opened) co_return failure(opened.error());
  co_return connection;
}

asio::awaitable<void> Wire::sleep(runtime::Duration time) {
  const auto slept = co_await runtime_->env().sleep_for(time);
  static_cast<void>(slept);
}

asio::awaitable<Result<void>> Wire::await_coordinator() {
  const auto connection = co_await connect();
  if (!connection) co_return failure(connection.error());
  const auto deadline = soon();
  for (;;) {
    protocol::FindCoordinatorRequest request;
    request.coordinator_keys = {group_name(options_, 0)};
    const auto reply = co_await (*connection)->call<protocol::FindCoordinatorResponse>(std::move(request), soon());
    if (!reply) co_return failure(reply.error());
    const ErrorCode error =
        reply->body.coordinators.empty() ? ErrorCode::none : error_of(reply->body.coordinators.front().error_code);
    if (error == ErrorCode::none) break;
    if (!is_passing(error) || runtime_->now() > deadline) co_return failure(refused("FindCoordinator", error));
    co_await sleep(50ms);
  }
  (*connection)->close(Failure{make_error_code(Errc::closed), "done"});
  co_return Result<void>{};
}

asio::awaitable<Result<void>> WireGroups::settle() {
  const LoadOptions& options = wire_.options();
  for (int g = 0; g < options.groups; ++g) {
    const auto group = std::make_shared<Group>(Group{group_name(options, g), options.members});
    for (int m = 0; m < options.members; ++m) {
      members_.push_back(std::make_shared<Member>(Member{group, nullptr, "", -1, false}));
      ++alive_;
      wire_.runtime().spawn(live(this, members_.back()));
    }
  }
  const auto deadline = wire_.runtime().now() + kPatience;
  while (!is_settled()) {
    if (!failure_.empty()) co_return failure(Errc::closed, failure_);
    if (wire_.runtime().now() > deadline) co_return failure(Errc::timed_out, "the groups do not settle");
    co_await wire_.sleep(20ms);
  }
  co_return Result<void>{};
}

bool WireGroups::is_settled() const {
  for (const auto& member : members_) {
    if (member->generation < 0 || member->generation != member->group->full_generation) return false;
  }
  return true;
}

asio::awaitable<void> WireGroups::stop() {
  stopping_->open();
  for (const auto& member : members_) {
    if (member->connection) member->connection->close(Failure{make_error_code(Errc::closed), "done"});
  }
  while (alive_ > 0) co_await wire_.sleep(1ms);
}

asio::awaitable<void> WireGroups::live(WireGroups* self, std::shared_ptr<Member> member) {
  const auto ended = co_await serve(self, member);
  if (!ended && self->failure_.empty()) self->failure_ = ended.error().message();
  --self->alive_;
}

asio::awaitable<Result<void>> WireGroups::serve(WireGroups* self, std::shared_ptr<Member> member) {
  const auto opened = co_await self->wire_.connect();
  if (!opened) co_return failure(opened.error());
  member->connection = *opened;
  while (!self->stopping_->is_open()) {
    if (member->generation < 0) {
      const auto joined = co_await join(self, member);
      if (!joined) co_return failure(joined.error());
    } else {
      const auto beaten = co_await beat(self, member);
      if (!beaten) co_return failure(beaten.error());
    }
    if (member->generation < 0) continue;
    const auto next = self->wire_.runtime().now() + self->until_next_beat(*member);
    co_await self->stopping_->wait(next);
  }
  co_return Result<void>{};
}

runtime::Duration WireGroups::until_next_beat(Member& member) {
  const runtime::Duration usual = wire_.options().interval;
  if (!is_calm_) return std::min(usual, kQuickBeat);
  if (std::exchange(member.has_phase, true)) return usual;
  return runtime::Duration(
      static_cast<runtime::Duration::rep>(wire_.runtime().random().below(static_cast<std::uint64_t>(usual.count()))));
}

asio::awaitable<Result<void>> WireGroups::join(WireGroups* self, std::shared_ptr<Member> member) {
  MemberSubscription wanted;
  wanted.topics = {self->wire_.options().topic};
  protocol::JoinGroupRequest request;
  request.group_id = member->group->id;
  request.session_timeout_ms = 45000;
  request.rebalance_timeout_ms = 60000;
  request.member_id = member->id;
  request.protocol_type = client::kConsumerProtocolType;
  request.protocols.emplace_back();
  request.protocols.back().name = "range";
  request.protocols.back().metadata = client::encode_subscription(wanted).value();
  auto reply = co_await member->connection->call<protocol::JoinGroupResponse>(std::move(request), self->wire_.soon());
  if (!reply) co_return failure(reply.error());
  const ErrorCode error = error_of(reply->body.error_code);
  if (error == ErrorCode::member_id_required) {
    member->id = reply->body.member_id;
    co_return Result<void>{};
  }
  if (is_passing(error)) {
    co_await self->wire_.sleep(50ms);
    co_return Result<void>{};
  }
  if (error != ErrorCode::none) co_return failure(refused("JoinGroup", error));
  co_return co_await sync(self, member, std::move(reply->body));
}

asio::awaitable<Result<void>> WireGroups::sync(WireGroups* self, std::shared_ptr<Member> member,
                                               protocol::JoinGroupResponse joined) {
  protocol::SyncGroupRequest request;
  request.group_id = member->group->id;
  request.generation_id = joined.generation_id;
  request.member_id = member->id;
  request.protocol_type = joined.protocol_type;
  request.protocol_name = joined.protocol_name;
  const Bytes nothing = client::encode_assignment({}).value();
  for (const auto& one : joined.members) {
    request.assignments.emplace_back();
    request.assignments.back().member_id = one.member_id;
    request.assignments.back().assignment = nothing;
  }
  const bool is_full = static_cast<int>(joined.members.size()) == member->group->size;
  const auto reply =
      co_await member->connection->call<protocol::SyncGroupResponse>(std::move(request), self->wire_.soon());
  if (!reply) co_return failure(reply.error());
  const ErrorCode error = error_of(reply->body.error_code);
  if (is_passing(error)) co_return Result<void>{};
  if (error != ErrorCode::none) co_return failure(refused("SyncGroup", error));
  member->generation = joined.generation_id;
  if (is_full) member->group->full_generation = joined.generation_id;
  co_return Result<void>{};
}

asio::awaitable<Result<void>> WireGroups::beat(WireGroups* self, std::shared_ptr<Member> member) {
  protocol::HeartbeatRequest request;
  request.group_id = member->group->id;
  request.generation_id = member->generation;
  request.member_id = member->id;
  const auto reply =
      co_await member->connection->call<protocol::HeartbeatResponse>(std::move(request), self->wire_.soon());
  if (!reply) co_return failure(reply.error());
  const ErrorCode error = error_of(reply->body.error_code);
  ++self->heartbeats_;
  if (error == ErrorCode::none) co_return Result<void>{};
  if (!is_passing(error)) co_return failure(refused("Heartbeat", error));
  ++self->rebalances_;
  member->generation = -1;
  co_return Result<void>{};
}

}  // namespace barnabas::bench
