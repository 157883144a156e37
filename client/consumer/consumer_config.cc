#include "client/consumer/consumer_config.h"

#include <algorithm>

#include "client/consumer/consumer_config_rows.h"
#include "client/core/client_config.h"
#include "common/protocol/limits.h"

namespace barnabas::client {
namespace {

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

runtime::ConfigDef definition_of(const ConsumerConfigRow& row) {
  runtime::ConfigDef def;
  def.name = row.name;
  def.type = row.type;
  if (row.default_value != nullptr) def.default_value = row.default_value;
  def.min = row.min;
  def.max = row.max;
  def.allowed = words_of(row.allowed);
  def.importance = row.importance;
  def.doc = row.doc;
  def.status = row.status;
  def.differs = row.differs;
  if (def.name == "auto.offset.reset") {
    def.check = [](const std::string& text) -> std::optional<std::string> {
      const auto policy = parse_reset_policy(text);
      return policy ? std::nullopt : std::optional(policy.error().subject);
    };
  }
  if (def.name == "group.protocol") {
    def.allowed = {"classic", "consumer"};
    def.any_case = true;
  }
  return def;
}

std::vector<runtime::ConfigDef> all_definitions() {
  std::vector<runtime::ConfigDef> definitions = common_config_rows(ClientKind::consumer);
  for (const auto& row : consumer_config_rows()) definitions.push_back(definition_of(row));
  return definitions;
}

std::chrono::milliseconds ms(std::int64_t count) {
  return std::chrono::milliseconds(count);
}

std::optional<GroupSettings> group_settings(const runtime::ParsedConfig& config) {
  if (config.is_null("group.id")) return std::nullopt;
  GroupSettings group;
  group.membership.group_id = config.get_string("group.id");
  if (!config.is_null("group.instance.id")) group.membership.instance_id = config.get_string("group.instance.id");
  group.membership.session_timeout = ms(config.get_int("session.timeout.ms"));
  group.membership.heartbeat_interval = ms(config.get_int("heartbeat.interval.ms"));
  group.membership.max_poll_interval = ms(config.get_int("max.poll.interval.ms"));
  group.assignors = config.get_list("partition.assignment.strategy");
  group.auto_commit = config.get_bool("enable.auto.commit");
  group.auto_commit_interval = ms(config.get_int("auto.commit.interval.ms"));
  group.exclude_internal_topics = config.get_bool("exclude.internal.topics");
  return group;
}

}  // namespace

Result<void> check_group_settings(const runtime::ParsedConfig& config) {
  if (config.is_null("group.id")) {
    if (config.is_set("enable.auto.commit") && config.get_bool("enable.auto.commit")) {
      return failure(Errc::invalid_config, "enable.auto.commit=true needs group.id");
    }
    if (!config.is_null("group.instance.id")) {
      return failure(Errc::invalid_config, "group.instance.id needs group.id");
    }
    return {};
  }
  for (const char* name : {"group.id", "group.instance.id"}) {
    if (config.is_null(name)) continue;
    const std::size_t length = config.get_string(name).size();
    if (length == 0) return failure(Errc::invalid_config, std::string(name) + " is empty");
    if (length <= protocol::kMaxTextBytes) continue;
    return failure(Errc::invalid_config, std::string(name) + " has " + std::to_string(length) + " bytes, " +
                                             std::to_string(protocol::kMaxTextBytes) + " are the most");
  }
  if (config.get_int("heartbeat.interval.ms") >= config.get_int("session.timeout.ms")) {
    return failure(Errc::invalid_config, "heartbeat.interval.ms must be less than session.timeout.ms");
  }
  return {};
}

const runtime::ConfigTable& consumer_config_table() {
  static const runtime::ConfigTable table("consumer", all_definitions());
  return table;
}

ConsumerSettings consumer_settings(const runtime::ParsedConfig& config) {
  ConsumerSettings settings;
  settings.reset_policy = parse_reset_policy(config.get_string("auto.offset.reset")).value_or(ResetPolicy{});
  settings.check_crcs = config.get_bool("check.crcs");
  settings.read_committed = config.get_string("isolation.level") == "read_committed";
  settings.skip_corrupt_batches = config.get_string("on.corrupt.batch") == "skip";
  settings.allow_auto_create_topics = config.get_bool("allow.auto.create.topics");
  settings.client_rack = config.get_string("client.rack");
  settings.fetch_min_bytes = config.get_int("fetch.min.bytes");
  settings.fetch_max_bytes = config.get_int("fetch.max.bytes");
  settings.max_partition_fetch_bytes = config.get_int("max.partition.fetch.bytes");
  settings.fetch_max_wait = ms(config.get_int("fetch.max.wait.ms"));
  settings.max_poll_records = static_cast<std::size_t>(config.get_int("max.poll.records"));
  settings.buffer_memory_bytes = static_cast<std::size_t>(config.get_long("buffer.memory"));
  settings.default_api_timeout = ms(config.get_int("default.api.timeout.ms"));
  settings.request_timeout = ms(config.get_int("request.timeout.ms"));
  settings.retry_backoff = ms(config.get_long("retry.backoff.ms"));
  settings.retry_backoff_max = ms(config.get_long("retry.backoff.max.ms"));
  settings.group = group_settings(config);
  return settings;
}

}  // namespace barnabas::client
