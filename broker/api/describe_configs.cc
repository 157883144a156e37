// DescribeConfigs: v1 source and synonyms; v3 types and documentation; v4 flexible.
#include <algorithm>
#include <charconv>
#include <utility>

#include "broker/api/handlers.h"
#include "broker/config/broker_config.h"
#include "broker/config/topic_config.h"
#include "broker/metadata/controller_client.h"
#include "broker/metadata/topic_names.h"
#include "common/protocol/errors.h"

namespace barnabas::broker {
namespace {

using config::ConfigSource;
using config::ConfigSynonym;
using metadata::ConfigResourceType;
using protocol::DescribeConfigsRequest;
using protocol::DescribeConfigsResponse;
using protocol::ErrorCode;
using runtime::ConfigType;
using Asked = DescribeConfigsRequest::DescribeConfigsResource;
using Answered = DescribeConfigsResponse::DescribeConfigsResult;
using Entry = DescribeConfigsResponse::DescribeConfigsResourceResult;

constexpr std::int8_t kDynamicGroupSource = 8;

/// The numbers of DescribeConfigs' configType.
std::int8_t wire_type(ConfigType type) {
  switch (type) {
    case ConfigType::boolean:
      return 1;
    case ConfigType::string:
      return 2;
    case ConfigType::integer:
      return 3;
    case ConfigType::short_integer:
      return 4;
    case ConfigType::long_integer:
      return 5;
    case ConfigType::floating:
      return 6;
    case ConfigType::list:
      return 7;
    case ConfigType::class_name:
      return 8;
    case ConfigType::password:
      return 9;
  }
  return 0;
}

/// What one answer is made from.
struct Question {
  RequestContext& context;
  const DescribeConfigsRequest& request;
  const metadata::MetadataImage& image;
  config::ConfigLayers layers;

  bool wants(const Asked& asked, const std::string& name) const {
    if (!asked.configuration_keys || asked.configuration_keys->empty()) return true;
    return std::find(asked.configuration_keys->begin(), asked.configuration_keys->end(), name) !=
           asked.configuration_keys->end();
  }
};

void refuse(Answered& answer, ErrorCode error, std::string message) {
  answer.error_code = static_cast<std::int16_t>(error);
  answer.error_message = std::move(message);
}

/// Kafka's view of the same: nothing in front of the setting's own name.
std::vector<ConfigSynonym> from_own_name(std::vector<ConfigSynonym> synonyms, std::string_view name) {
  const auto own = std::find_if(synonyms.begin(), synonyms.end(), [&](const auto& one) { return one.name == name; });
  synonyms.erase(synonyms.begin(), own);
  return synonyms;
}

/// What was said of a topic's setting: by the topic, then under the broker's name of it. A default that no broker
/// setting stands for is no synonym.
std::vector<ConfigSynonym> topic_synonyms(const config::SettingRow& row, const config::ConfigLayers& layers) {
  std::vector<ConfigSynonym> all = config::topic_synonyms(row.name, layers);
  std::vector<ConfigSynonym> own;
  if (!all.empty() && all.front().source == ConfigSource::topic) {
    own.push_back(std::move(all.front()));
    all.erase(all.begin());
  }
  for (ConfigSynonym& one : from_own_name(std::move(all), row.broker_default)) own.push_back(std::move(one));
  return own;
}

/// The entry of one setting: what counts, where it comes from, and what else was said. Secrets are never told.
Entry entry_of(const Question& question, const config::SettingRow& row, const runtime::ConfigDef& def,
               std::optional<std::string> value, const std::vector<ConfigSynonym>& synonyms) {
  const bool is_secret = row.type == ConfigType::password;
  Entry entry;
  entry.name = row.name;
  entry.value = is_secret ? std::nullopt : std::move(value);
  entry.is_sensitive = is_secret;
  entry.read_only = row.access != config::Access::dynamic;
  entry.config_source =
      static_cast<std::int8_t>(synonyms.empty() ? ConfigSource::default_value : synonyms.front().source);
  entry.config_type = wire_type(row.type);
  entry.documentation = question.request.include_documentation ? std::optional(def.doc) : std::nullopt;
  if (!question.request.include_synonyms) return entry;
  for (const ConfigSynonym& one : synonyms) {
    DescribeConfigsResponse::DescribeConfigsSynonym synonym;
    synonym.name = one.name;
    synonym.value = is_secret ? std::nullopt : one.value;
    synonym.source = static_cast<std::int8_t>(one.source);
    entry.synonyms.push_back(std::move(synonym));
  }
  return entry;
}

void describe_topic(const Question& question, const Asked& asked, Answered& answer) {
  if (auto valid = metadata::check_topic_name(asked.resource_name); !valid) {
    return refuse(answer, ErrorCode::invalid_topic_exception, valid.error().subject);
  }
  if (!question.image.topic(asked.resource_name)) {
    return refuse(answer, ErrorCode::unknown_topic_or_partition,
                  "This server does not host this topic-partition: there is no topic '" + asked.resource_name + "'.");
  }
  config::ConfigLayers layers = question.layers;
  layers.topic = &question.image.topic_configs(asked.resource_name);
  for (const runtime::ConfigDef& def : config::topic_table().rows()) {
    const config::SettingRow& row = *config::find_topic_row(def.name);
    if (row.access == config::Access::internal || !question.wants(asked, def.name)) continue;
    answer.configs.push_back(
        entry_of(question, row, def, config::topic_value(def.name, layers), topic_synonyms(row, layers)));
  }
}

/// The value of the setting under its own name; an older name that stands in for it shows among the synonyms only.
std::optional<std::string> own_value(const Question& question, const std::string& name,
                                     const std::vector<ConfigSynonym>& synonyms) {
  if (name == "node.id" || name == "broker.id") return std::to_string(question.context.broker().node_id);
  const auto own = std::find_if(synonyms.begin(), synonyms.end(), [&](const auto& one) { return one.name == name; });
  return own == synonyms.end() ? std::nullopt : own->value;
}

void describe_this_broker(const Question& question, const Asked& asked, Answered& answer) {
  for (const runtime::ConfigDef& def : config::broker_table().rows()) {
    const config::SettingRow& row = *config::find_broker_row(def.name);
    if (row.access == config::Access::internal || !question.wants(asked, def.name)) continue;
    const auto synonyms = config::broker_synonyms(def.name, question.layers);
    answer.configs.push_back(
        entry_of(question, row, def, own_value(question, def.name, synonyms), from_own_name(synonyms, def.name)));
  }
}

/// Resource name "": what was set for all brokers while they ran.
void describe_broker_defaults(const Question& question, const Asked& asked, Answered& answer) {
  for (const auto& [name, value] : *question.layers.broker_default) {
    const config::SettingRow* row = config::find_broker_row(name);
    if (row == nullptr || !question.wants(asked, name)) continue;
    answer.configs.push_back(entry_of(question, *row, *config::broker_table().find(name), value,
                                      {{name, value, ConfigSource::dynamic_default}}));
  }
}

/// A number as Java reads it: a plus may stand before it.
std::optional<std::int32_t> broker_id(std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  std::int32_t id = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return id;
}

void describe_broker(const Question& question, const Asked& asked, Answered& answer) {
  if (asked.resource_name.empty()) return describe_broker_defaults(question, asked, answer);
  const std::string& name = asked.resource_name;
  const std::optional<std::int32_t> id = broker_id(name);
  if (!id) {
    return refuse(answer, ErrorCode::invalid_request, "Broker id must be an integer, but it is: " + name);
  }
  if (id != question.context.broker().node_id) {
    return refuse(answer, ErrorCode::invalid_request,
                  "Unexpected broker id, expected " + std::to_string(question.context.broker().node_id) +
                      " or empty string, but received " + name);
  }
  describe_this_broker(question, asked, answer);
}

/// Group settings have no table yet: what is set is shown, defaults are not.
void describe_group(const Question& question, const Asked& asked, Answered& answer) {
  if (asked.resource_name.empty()) return refuse(answer, ErrorCode::invalid_request, "Group name must not be empty.");
  for (const auto& [name, value] : question.image.configs({ConfigResourceType::group, asked.resource_name})) {
    if (!question.wants(asked, name)) continue;
    Entry entry;
    entry.name = name;
    entry.value = value;
    entry.config_source = kDynamicGroupSource;
    entry.documentation = std::nullopt;
    answer.configs.push_back(std::move(entry));
  }
}

bool may_describe(const Question& question, const Asked& asked) {
  const bool is_topic = asked.resource_type == static_cast<std::int8_t>(ConfigResourceType::topic);
  return is_topic ? question.context.authorize(AclOperation::describe_configs, ResourceType::topic, asked.resource_name)
                  : question.context.authorize(AclOperation::describe_configs, ResourceType::cluster, "kafka-cluster");
}

Answered describe(const Question& question, const Asked& asked) {
  Answered answer;
  answer.resource_type = asked.resource_type;
  answer.resource_name = asked.resource_name;
  answer.error_message = "";
  const auto type = static_cast<ConfigResourceType>(asked.resource_type);
  if (!may_describe(question, asked)) {
    const bool is_topic = type == ConfigResourceType::topic;
    refuse(answer, is_topic ? ErrorCode::topic_authorization_failed : ErrorCode::cluster_authorization_failed,
           "Authorization failed.");
  } else if (type == ConfigResourceType::topic) {
    describe_topic(question, asked, answer);
  } else if (type == ConfigResourceType::broker) {
    describe_broker(question, asked, answer);
  } else if (type == ConfigResourceType::group) {
    describe_group(question, asked, answer);
  } else {
    refuse(answer, ErrorCode::invalid_request,
           "Unsupported resource type: " + std::to_string(static_cast<int>(asked.resource_type)));
  }
  return answer;
}

}  // namespace

asio::awaitable<DescribeConfigsResponse> handle_describe_configs(RequestContext& context,
                                                                 DescribeConfigsRequest request) {
  const metadata::ImagePtr image = context.broker().controller->image();
  const config::ConfigLayers layers{
      .topic = nullptr,
      .broker = &image->configs({ConfigResourceType::broker, std::to_string(context.broker().node_id)}),
      .broker_default = &image->configs({ConfigResourceType::broker, ""}),
      .file = &context.broker().config->values(),
  };
  const Question question{context, request, *image, layers};
  DescribeConfigsResponse response;
  for (const Asked& asked : request.resources) {
    response.results.push_back(describe(question, asked));
    if (response.results.back().error_code != 0) context.note_error();
  }
  co_return response;
}

}  // namespace barnabas::broker
