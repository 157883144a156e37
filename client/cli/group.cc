// What groups there are, who is in them, and how far they have read.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "barnabas/admin.h"
#include "client/cli/client_options.h"
#include "client/cli/command_line.h"
#include "client/cli/group_lag.h"
#include "client/cli/item_report.h"
#include "client/cli/table.h"
#include "common/runtime/env.h"
#include "common/runtime/process.h"

namespace barnabas::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kClearScreen = "\x1b[H\x1b[2J";

struct GroupOptions {
  ClientOptions client;
  std::vector<std::string> groups;
  std::vector<std::string> states;
  bool watch = false;
  double interval_s = 2;
  bool json = false;
};

std::vector<GroupState> states_of(const std::vector<std::string>& names) {
  std::vector<GroupState> states;
  for (const std::string& name : names) {
    states.push_back(parse_group_state(name));
    if (states.back() == GroupState::unknown) throw UsageError(fmt::format("--state: there is no state '{}'", name));
  }
  return states;
}

int list(const GroupOptions& options) {
  Admin admin(options.client.admin_config());
  Table table({{"GROUP"}, {"STATE"}, {"PROTOCOL"}, {"TYPE"}});
  for (const GroupListing& group : admin.list_groups({.states = states_of(options.states)})) {
    if (options.json) {
      std::cout << Json{{"group", group.group_id},
                        {"state", to_string(group.state)},
                        {"protocol", group.protocol_type},
                        {"type", group.type}}
                       .dump()
                << '\n';
    }
    table.add({group.group_id, std::string(to_string(group.state)), group.protocol_type, group.type});
  }
  if (!options.json) std::cout << table.text();
  return kSuccess;
}

std::string text_of(const std::optional<std::int64_t>& number) {
  return number ? std::to_string(*number) : "-";
}

std::string text_of(const GroupDescription& group, const std::vector<PartitionLag>& lags) {
  std::string text =
      fmt::format("group {}  state {}  {}coordinator {}  {} members\n", group.group_id, to_string(group.state),
                  group.assignor.empty() ? "" : fmt::format("assignor {}  ", group.assignor), group.coordinator_id,
                  group.members.size());
  Table members({{"MEMBER"}, {"INSTANCE"}, {"CLIENT"}, {"HOST"}, {"PARTITIONS", true}});
  for (const GroupMember& member : group.members) {
    members.add({member.member_id, member.instance_id.value_or("-"), member.client_id, member.host,
                 std::to_string(member.assignment.size())});
  }
  if (!group.members.empty()) text += members.text();
  Table partitions({{"TOPIC"}, {"PARTITION", true}, {"COMMITTED", true}, {"END", true}, {"LAG", true}, {"OWNER"}});
  std::int64_t total = 0;
  for (const PartitionLag& lag : lags) {
    partitions.add({lag.partition.topic, std::to_string(lag.partition.partition), text_of(lag.committed),
                    text_of(lag.end), text_of(lag.lag), lag.owner.empty() ? "-" : lag.owner});
    total += lag.lag.value_or(0);
  }
  if (!lags.empty()) text += partitions.text();
  return text + fmt::format("total lag {}\n", total);
}

Json json_of(const GroupDescription& group, const std::vector<PartitionLag>& lags) {
  Json members = Json::array();
  for (const GroupMember& member : group.members) {
    Json assignment = Json::array();
    for (const TopicPartition& p : member.assignment)
      assignment.push_back({{"topic", p.topic}, {"partition", p.partition}});
    members.push_back({{"member", member.member_id}, {"client", member.client_id}, {"host", member.host}});
    if (member.instance_id) members.back()["instance"] = *member.instance_id;
    members.back()["assignment"] = assignment;
  }
  Json partitions = Json::array();
  const auto number = [](const std::optional<std::int64_t>& n) { return n ? Json(*n) : Json(nullptr); };
  for (const PartitionLag& lag : lags) {
    partitions.push_back({{"topic", lag.partition.topic},
                          {"partition", lag.partition.partition},
                          {"committed", number(lag.committed)},
                          {"end", number(lag.end)},
                          {"lag", number(lag.lag)},
                          {"owner", lag.owner.empty() ? Json(nullptr) : Json(lag.owner)}});
  }
  return {{"group", group.group_id},    {"state", to_string(group.state)},     {"protocol", group.protocol_type},
          {"assignor", group.assignor}, {"coordinator", group.coordinator_id}, {"members", members},
          {"partitions", partitions}};
}

/// Describes all once. Returns whether all were there.
bool describe_once(Admin& admin, const GroupOptions& options) {
  bool all = true;
  std::string text;
  for (const GroupDescription& group : admin.describe_groups(options.groups)) {
    if (report(group.error)) {
      all = false;
      continue;
    }
    const std::vector<PartitionLag> lags = lags_of(admin, group);
    if (group.state == GroupState::dead && lags.empty()) {
      std::cerr << fmt::format("barnabas: there is no group '{}'\n", group.group_id);
      all = false;
      continue;
    }
    text += options.json ? json_of(group, lags).dump() + '\n' : text_of(group, lags);
  }
  std::cout << text << std::flush;
  return all;
}

int describe(const GroupOptions& options) {
  Admin admin(options.client.admin_config());
  if (!options.watch) return describe_once(admin, options) ? kSuccess : kFailed;
  runtime::Env& env = runtime::system_env();
  const auto never = env.make_signal();
  const auto interval =
      std::chrono::duration_cast<runtime::Duration>(std::chrono::duration<double>(options.interval_s));
  while (std::cout && !runtime::stdout_is_closed()) {  // until it is interrupted, or nobody reads
    if (runtime::stdout_is_terminal()) std::cout << kClearScreen;
    describe_once(admin, options);
    never->wait_until(env.clock().now() + interval, [] { return false; });
  }
  return kSuccess;
}

int remove(const GroupOptions& options) {
  Admin admin(options.client.admin_config());
  bool failed = false;
  for (const DeletedGroup& group : admin.delete_groups(options.groups)) {
    if (report(group.error)) {
      failed = true;
    } else {
      std::cout << group.group_id << " deleted\n";
    }
  }
  return failed ? kFailed : kSuccess;
}

}  // namespace

void add_group(CLI::App& app, Run& run) {
  const auto options = std::make_shared<GroupOptions>();
  CLI::App* group = app.add_subcommand("group", "Lists, describes, moves and deletes consumer groups");
  group->require_subcommand(1);
  const auto add = [&](const char* name, const char* about, int (*verb)(const GroupOptions&), bool takes_names) {
    CLI::App* sub = group->add_subcommand(name, about);
    options->client.add_to(*sub);
    if (takes_names) sub->add_option("group", options->groups, "groups")->required();
    sub->callback([options, verb, &run] { run = [options, verb] { return verb(*options); }; });
    return sub;
  };
  CLI::App* listing = add("list", "Lists groups, one a line", list, false);
  listing->add_option("--state", options->states, "only groups in this state, such as stable; may be given again")
      ->allow_extra_args(false);
  listing->add_flag("--json", options->json, "one object a line");
  CLI::App* description =
      add("describe", "Shows members, committed offsets and how far they lie behind the end", describe, true);
  description->add_flag("--json", options->json, "one object a line");
  description->add_flag("-w,--watch", options->watch, "again and again");
  description->add_option("--interval", options->interval_s, "seconds between, with --watch")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  add("delete", "Deletes groups without members, and their committed offsets", remove, true);
  add_group_offsets(*group, run);
}

}  // namespace barnabas::cli
