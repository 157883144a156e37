// ListGroups, by broker; DescribeGroups and DeleteGroups, by coordinator.
#include <algorithm>
#include <array>
#include <cctype>

#include "client/admin/group_call.h"
#include "client/core/consumer_protocol.h"
#include "common/protocol/messages/delete_groups.h"
#include "common/protocol/messages/describe_groups.h"
#include "common/protocol/messages/list_groups.h"

namespace barnabas {

inline namespace v0 {
namespace {

constexpr std::array<std::string_view, 9> kStates{
    "Unknown", "PreparingRebalance", "CompletingRebalance", "Stable",  "Dead",
    "Empty",   "Assigning",          "Reconciling",         "NotReady"};

std::string plain(std::string_view text) {
  std::string letters;
  for (const char c : text) {
    if (c != '_' && c != '-') letters.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
  }
  return letters;
}

}  // namespace

std::string_view to_string(GroupState state) noexcept {
  return kStates[static_cast<std::size_t>(state)];
}

GroupState parse_group_state(std::string_view text) noexcept {
  const auto found =
      std::find_if(kStates.begin(), kStates.end(), [&](std::string_view state) { return plain(state) == plain(text); });
  return found == kStates.end() ? GroupState::unknown : static_cast<GroupState>(found - kStates.begin());
}

}  // namespace v0

namespace client {
namespace {

using protocol::DeleteGroupsRequest;
using protocol::DeleteGroupsResponse;
using protocol::DescribeGroupsRequest;
using protocol::DescribeGroupsResponse;
using protocol::ListGroupsRequest;
using protocol::ListGroupsResponse;

constexpr std::int16_t kFirstWithStates = 4;
constexpr std::int16_t kFirstWithTypes = 5;

std::string quoted(const std::string& group_id) {
  return "group '" + group_id + "'";
}

/// Errors: Errc::unsupported_version where a broker cannot filter as asked: all groups would look chosen.
Result<ListGroupsRequest> list_request(const ListGroupsOptions& options, std::int16_t version) {
  ListGroupsRequest request;
  for (const GroupState state : options.states) request.states_filter.emplace_back(to_string(state));
  request.types_filter = options.types;
  if ((version < kFirstWithStates && !options.states.empty()) ||
      (version < kFirstWithTypes && !options.types.empty())) {
    return failure(Errc::unsupported_version, "ListGroups: this broker cannot choose by state or type");
  }
  return request;
}

asio::awaitable<Result<void>> list_of_broker(AdminPtr admin, std::int32_t broker, ListGroupsOptions options,
                                             runtime::MonotonicTime deadline, std::vector<GroupListing>* found) {
  const auto connection = co_await connect_to(admin, Target{Target::Kind::broker, broker},
                                              admin->router().within_request_timeout(deadline));
  if (!connection) co_return failure(connection.error());
  const ConnectionPtr to = *connection;
  const auto version = to->version_for(protocol::ApiKey::list_groups);
  if (!version) co_return failure(version.error());
  auto request = list_request(options, *version);
  if (!request) co_return failure(request.error());
  const auto until = admin->router().within_request_timeout(deadline);
  const auto reply = co_await to->call<ListGroupsResponse>(std::move(*request), until);
  if (!reply) co_return failure(reply.error());
  if (reply->body.error_code != 0)
    co_return failure(broker_failure(reply->body.error_code, "ListGroups: " + to->name()));
  for (const auto& group : reply->body.groups) {
    found->push_back({group.group_id, group.protocol_type, parse_group_state(group.group_state), group.group_type});
  }
  co_return Result<void>{};
}

/// Kafka's group state "Dead" is how a broker says that there is none.
GroupDescription described(const DescribeGroupsResponse::DescribedGroup& group, std::int32_t coordinator) {
  GroupDescription result{.group_id = group.group_id,
                          .state = parse_group_state(group.group_state),
                          .protocol_type = group.protocol_type,
                          .assignor = group.protocol_data,
                          .coordinator_id = coordinator,
                          .members = {},
                          .error = item_error(group.error_code, quoted(group.group_id), group.error_message)};
  for (const auto& member : group.members) {
    GroupMember& added = result.members.emplace_back();
    added.member_id = member.member_id;
    added.instance_id = member.group_instance_id;
    added.client_id = member.client_id;
    added.host = member.client_host;
    if (group.protocol_type != kConsumerProtocolType || member.member_assignment.empty()) continue;
    auto assignment = decode_assignment(member.member_assignment);
    if (!assignment) continue;  // another client's own format: the member is there all the same
    added.assignment = std::move(assignment->partitions);
    std::sort(added.assignment.begin(), added.assignment.end());
  }
  std::sort(result.members.begin(), result.members.end(), [](const GroupMember& a, const GroupMember& b) {
    return std::tie(a.client_id, a.member_id) < std::tie(b.client_id, b.member_id);
  });
  return result;
}

asio::awaitable<Result<GroupDescription>> describe_group(AdminPtr admin, std::string group_id,
                                                         runtime::MonotonicTime deadline) {
  std::function<DescribeGroupsRequest(std::int16_t)> build = [&group_id](std::int16_t) {
    DescribeGroupsRequest request;
    request.groups.push_back(group_id);
    return request;
  };
  std::function<std::int16_t(const DescribeGroupsResponse&)> error_of = [](const DescribeGroupsResponse& body) {
    return body.groups.size() == 1 ? body.groups.front().error_code : std::int16_t{0};
  };
  auto reply = co_await ask_coordinator<DescribeGroupsResponse>(admin, group_id, build, error_of, deadline);
  if (!reply) co_return failure(reply.error());
  if (reply->body.groups.size() != 1) co_return failure(Errc::corrupt_data, quoted(group_id) + ": not one answer");
  co_return described(reply->body.groups.front(), reply->coordinator_id);
}

asio::awaitable<Result<DeletedGroup>> delete_group(AdminPtr admin, std::string group_id,
                                                   runtime::MonotonicTime deadline) {
  std::function<DeleteGroupsRequest(std::int16_t)> build = [&group_id](std::int16_t) {
    DeleteGroupsRequest request;
    request.groups_names.push_back(group_id);
    return request;
  };
  std::function<std::int16_t(const DeleteGroupsResponse&)> error_of = [](const DeleteGroupsResponse& body) {
    return body.results.size() == 1 ? body.results.front().error_code : std::int16_t{0};
  };
  auto reply = co_await ask_coordinator<DeleteGroupsResponse>(admin, group_id, build, error_of, deadline);
  if (!reply) co_return failure(reply.error());
  if (reply->body.results.size() != 1) co_return failure(Errc::corrupt_data, quoted(group_id) + ": not one answer");
  co_return DeletedGroup{group_id, item_error(reply->body.results.front().error_code, quoted(group_id))};
}

}  // namespace

asio::awaitable<Result<std::vector<GroupListing>>> list_groups(AdminPtr admin, ListGroupsOptions options) {
  const auto deadline = admin->deadline_in(options.timeout);
  const auto snapshot = co_await admin->router().refresh_metadata(deadline);
  if (!snapshot) co_return failure(snapshot.error());
  const std::shared_ptr<const ClusterSnapshot> cluster = *snapshot;
  std::vector<GroupListing> found;
  for (const auto& [id, node] : cluster->brokers) {
    const std::int32_t broker = id;
    for (Backoff backoff = admin->backoff();;) {
      const auto listed = co_await list_of_broker(admin, broker, options, deadline, &found);
      if (listed) break;
      const auto next = admin->runtime()->now() + backoff.next();
      if (!is_retriable(listed.error()) || next >= deadline) co_return failure(listed.error());
      const auto slept = co_await admin->router().sleep_until(next);
      if (!slept) co_return failure(slept.error());
    }
  }
  std::sort(found.begin(), found.end(),
            [](const GroupListing& a, const GroupListing& b) { return a.group_id < b.group_id; });
  co_return found;
}

asio::awaitable<Result<std::vector<GroupDescription>>> describe_groups(AdminPtr admin,
                                                                       std::vector<std::string> group_ids,
                                                                       AdminTimeout timeout) {
  const auto deadline = admin->deadline_in(timeout);
  std::vector<GroupDescription> all;
  for (const std::string& group_id : group_ids) {
    auto group = co_await describe_group(admin, group_id, deadline);
    if (!group && is_retriable(group.error())) co_return failure(group.error());
    if (!group) group = GroupDescription{.group_id = group_id, .error = error_of(group.error())};
    all.push_back(std::move(*group));
  }
  co_return all;
}

asio::awaitable<Result<std::vector<DeletedGroup>>> delete_groups(AdminPtr admin, std::vector<std::string> group_ids,
                                                                 AdminTimeout timeout) {
  const auto deadline = admin->deadline_in(timeout);
  std::vector<DeletedGroup> all;
  for (const std::string& group_id : group_ids) {
    auto group = co_await delete_group(admin, group_id, deadline);
    if (!group && is_retriable(group.error())) co_return failure(group.error());
    if (!group) group = DeletedGroup{group_id, error_of(group.error())};
    all.push_back(std::move(*group));
  }
  co_return all;
}

}  // namespace client
}  // namespace barnabas
