// Moves and deletes what a group has committed.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <iostream>
#include <memory>
#include <set>

#include "barnabas/admin.h"
#include "client/cli/client_options.h"
#include "client/cli/command_line.h"
#include "client/cli/item_report.h"
#include "client/cli/reset_plan.h"
#include "client/cli/start_point.h"
#include "client/cli/table.h"
#include "common/runtime/env.h"
#include "common/runtime/iso_duration.h"

namespace barnabas::cli {
namespace {

struct GroupOffsetOptions {
  ClientOptions client;
  std::string group;
  std::vector<std::string> topics;  // "orders" or "orders:0,3"
  bool all_topics = false;
  bool earliest = false;
  bool latest = false;
  bool current = false;
  std::optional<std::int64_t> offset;
  std::optional<std::int64_t> shift;
  std::string datetime;
  std::string duration;
  bool execute = false;
};

std::int32_t partition_number(std::string_view text, const std::string& whole) {
  std::int32_t number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < 0) {
    throw UsageError(fmt::format("--topic '{}' is neither TOPIC nor TOPIC:PARTITION,PARTITION", whole));
  }
  return number;
}

/// Of one --topic: the partitions named, or all that the topic has.
std::set<TopicPartition> partitions_named(Admin& admin, const std::string& text) {
  std::set<TopicPartition> named;
  const auto colon = text.find(':');
  const std::string topic = text.substr(0, colon);
  if (colon == std::string::npos) {
    const auto described = admin.describe_topics({topic});
    if (described.empty() || described[0].error) {
      throw Error(described.empty() ? std::error_code() : described[0].error.code, fmt::format("topic '{}'", topic));
    }
    for (const PartitionInfo& partition : described[0].partitions) named.insert({topic, partition.partition});
    return named;
  }
  std::string_view rest = std::string_view(text).substr(colon + 1);
  for (bool more = true; more;) {
    const auto comma = rest.find(',');
    named.insert({topic, partition_number(rest.substr(0, comma), text)});
    more = comma != std::string_view::npos;
    if (more) rest.remove_prefix(comma + 1);
  }
  return named;
}

std::set<TopicPartition> chosen_partitions(Admin& admin, const GroupOffsetOptions& options, const Offsets& committed) {
  std::set<TopicPartition> chosen;
  if (options.all_topics) {
    for (const auto& [partition, offset] : committed) chosen.insert(partition);
  }
  for (const std::string& topic : options.topics) chosen.merge(partitions_named(admin, topic));
  return chosen;
}

ResetTarget target_of(const GroupOffsetOptions& options) {
  using Kind = ResetTarget::Kind;
  if (options.earliest) return {Kind::earliest};
  if (options.latest) return {Kind::latest};
  if (options.offset) return {Kind::offset, *options.offset};
  if (options.shift) return {Kind::shift, *options.shift};
  if (!options.datetime.empty()) {
    const auto time = parse_iso_time_ms(options.datetime);
    if (!time) throw UsageError("--to-datetime: " + time.error().subject);
    return {Kind::time, *time};
  }
  if (!options.duration.empty()) {
    const auto duration = runtime::parse_iso_duration(options.duration);
    if (!duration) throw UsageError("--by-duration: " + duration.error().subject);
    return {Kind::time, runtime::system_env().clock().wall_ms() - duration->count()};
  }
  return {Kind::current};
}

/// Asks for one kind of offset of all partitions. Returns whether all could be had.
template <typename Take>
bool ask_offsets(Admin& admin, const std::set<TopicPartition>& partitions, OffsetSpec spec, const Take& take) {
  std::map<TopicPartition, OffsetSpec> wanted;
  for (const TopicPartition& partition : partitions) wanted.emplace(partition, spec);
  bool all = true;
  for (const ListedOffset& listed : admin.list_offsets(std::move(wanted))) {
    if (report(listed.error)) {
      all = false;
    } else {
      take(listed);
    }
  }
  return all;
}

std::optional<std::map<TopicPartition, PartitionOffsets>> ends_of(Admin& admin, const ResetTarget& target,
                                                                  const std::set<TopicPartition>& partitions) {
  std::map<TopicPartition, PartitionOffsets> ends;
  const bool all = ask_offsets(admin, partitions, OffsetSpec::earliest(),
                               [&](const ListedOffset& listed) { ends[listed.partition].earliest = listed.offset; }) &&
                   ask_offsets(admin, partitions, OffsetSpec::latest(),
                               [&](const ListedOffset& listed) { ends[listed.partition].latest = listed.offset; }) &&
                   (target.kind != ResetTarget::Kind::time ||
                    ask_offsets(admin, partitions, OffsetSpec{target.value}, [&](const ListedOffset& listed) {
                      if (listed.offset >= 0) ends[listed.partition].at_time = listed.offset;
                    }));
  if (!all) return std::nullopt;
  return ends;
}

/// Returns what can be committed of the plan, and prints it.
Offsets show_plan(const std::vector<PlannedReset>& plan) {
  Table table({{"TOPIC"}, {"PARTITION", true}, {"COMMITTED", true}, {"NEW", true}});
  Offsets offsets;
  for (const PlannedReset& reset : plan) {
    table.add({reset.partition.topic, std::to_string(reset.partition.partition),
               reset.from ? std::to_string(*reset.from) : "-", reset.to ? std::to_string(*reset.to) : "-"});
    if (reset.to) offsets[reset.partition] = {.offset = *reset.to};
  }
  std::cout << table.text();
  return offsets;
}

int report_all(const std::vector<GroupOffsetResult>& results) {
  bool failed = false;
  for (const GroupOffsetResult& result : results) failed |= report(result.error);
  return failed ? kFailed : kSuccess;
}

int reset(const GroupOffsetOptions& options) {
  const ResetTarget target = target_of(options);
  Admin admin(options.client.admin_config());
  const Offsets committed = admin.list_group_offsets(options.group);
  const std::set<TopicPartition> partitions = chosen_partitions(admin, options, committed);
  if (partitions.empty()) {
    std::cerr << fmt::format("barnabas: group '{}' has committed nothing\n", options.group);
    return kFailed;
  }
  const auto ends = ends_of(admin, target, partitions);
  if (!ends) return kFailed;
  const std::vector<PlannedReset> plan = plan_reset(target, *ends, committed);
  const Offsets offsets = show_plan(plan);
  for (const PlannedReset& planned : plan) {
    if (!planned.to) {
      std::cerr << fmt::format("barnabas: {} stays: the group has committed nothing to shift from\n",
                               planned.partition.to_string());
    }
  }
  if (!options.execute) {
    std::cerr << "This is the plan only; --execute carries it out.\n";
    return kSuccess;
  }
  return report_all(admin.alter_group_offsets(options.group, offsets));
}

int remove(const GroupOffsetOptions& options) {
  Admin admin(options.client.admin_config());
  const Offsets committed = admin.list_group_offsets(options.group);
  const auto chosen = chosen_partitions(admin, options, committed);
  const auto results = admin.delete_group_offsets(options.group, {chosen.begin(), chosen.end()});
  for (const GroupOffsetResult& result : results) {
    if (!result.error) std::cout << result.partition.to_string() << " deleted\n";
  }
  return report_all(results);
}

}  // namespace

void add_group_offsets(CLI::App& group, Run& run) {
  const auto options = std::make_shared<GroupOffsetOptions>();
  const auto add = [&](const char* name, const char* about, int (*verb)(const GroupOffsetOptions&)) {
    CLI::App* sub = group.add_subcommand(name, about);
    options->client.add_to(*sub);
    sub->add_option("group", options->group, "the group")->required();
    sub->callback([options, verb, &run] { run = [options, verb] { return verb(*options); }; });
    return sub;
  };
  const auto add_topics = [&](CLI::Option_group& which) {
    which.add_option("--topic", options->topics, "TOPIC, or TOPIC:PARTITION,PARTITION; may be given again")
        ->allow_extra_args(false);
  };
  CLI::App* resetting = add("reset-offsets", "Moves a group without members; shows the plan, unless --execute", reset);
  auto* which = resetting->add_option_group("which partitions");
  add_topics(*which);
  which->add_flag("--all-topics", options->all_topics, "all that the group has committed");
  which->require_option(1);
  auto* target = resetting->add_option_group("where to");
  target->add_flag("--to-earliest", options->earliest, "the first record");
  target->add_flag("--to-latest", options->latest, "behind the last record");
  target->add_flag("--to-current", options->current, "where the group is; the end where it has committed nothing");
  target->add_option("--to-offset", options->offset, "this offset, or the nearest that is there");
  target->add_option("--shift-by", options->shift, "so many records on, or back where negative");
  target->add_option("--to-datetime", options->datetime, "the first record at or after, such as 2026-01-31T12:00:00");
  target->add_option("--by-duration", options->duration, "the first record of the last, such as PT1H30M");
  target->require_option(1);
  resetting->add_flag("--execute", options->execute, "do it");
  CLI::App* deletion =
      add("delete-offsets", "Deletes what a group has committed of topics that no member reads", remove);
  auto* of = deletion->add_option_group("which partitions");
  add_topics(*of);
  of->require_option(1);
}

}  // namespace barnabas::cli
