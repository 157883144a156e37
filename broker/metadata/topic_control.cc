#include "broker/metadata/topic_control.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "broker/config/topic_config.h"
#include "broker/metadata/metadata_records.h"
#include "broker/metadata/random_uuid.h"
#include "broker/metadata/topic_names.h"
#include "common/protocol/messages/config_record.h"
#include "common/protocol/messages/partition_record.h"
#include "common/protocol/messages/remove_topic_record.h"
#include "common/protocol/messages/topic_record.h"

namespace barnabas::metadata {
namespace {

using protocol::ErrorCode;

constexpr std::int32_t kUseDefault = -1;

tl::unexpected<Failure> refuse(ErrorCode code, std::string message) {
  return failure(code, std::move(message));
}

std::map<std::string, std::optional<std::string>> overrides_of(
    const protocol::CreateTopicsRequest::CreatableTopic& topic) {
  std::map<std::string, std::optional<std::string>> overrides;
  for (const auto& one : topic.configs) overrides[one.name] = one.value;
  return overrides;
}

std::int16_t code_of(const Failure& why) {
  return static_cast<std::int16_t>(why.code.value());
}

}  // namespace

ControllerResult<protocol::CreateTopicsResponse> TopicControl::create(const protocol::CreateTopicsRequest& request) {
  std::map<std::string, int> mentions;
  for (const Creatable& topic : request.topics) ++mentions[topic.name];
  protocol::CreateTopicsResponse response;
  std::set<std::string> answered;
  for (const Creatable& topic : request.topics) {
    if (!answered.insert(topic.name).second) continue;
    Created result;
    result.name = topic.name;
    result.error_message = std::nullopt;
    const Result<void> done = mentions[topic.name] > 1
                                  ? refuse(ErrorCode::invalid_request, "Duplicate topic name '" + topic.name + "'.")
                                  : create_one(topic, result);
    if (!done) {
      result = Created{};
      result.name = topic.name;
      result.error_code = code_of(done.error());
      result.error_message = done.error().subject;
      result.num_partitions = -1;
      result.replication_factor = -1;
      result.configs.emplace();
    }
    response.topics.push_back(std::move(result));
  }
  if (request.validate_only) records_.clear();
  return {std::move(records_), std::move(response)};
}

Result<void> TopicControl::create_one(const Creatable& topic, Created& result) {
  if (auto done = check_name(topic.name); !done) return done;
  const auto partitions = topic.assignments.empty() ? partitions_of(topic) : assigned_partitions(topic);
  if (!partitions) return failure(partitions.error());
  if (auto done = check_replication(topic); !done) return done;
  if (auto done = check_configs(topic); !done) return done;
  if (new_partitions_ + *partitions > kMaxPartitionsPerRequest) {
    return refuse(
        ErrorCode::policy_violation,
        fmt::format(
            "Excessively large number of partitions per request: topic '{}' would take it to {}, the most is {}.",
            topic.name, new_partitions_ + *partitions, kMaxPartitionsPerRequest));
  }
  new_partitions_ += *partitions;
  const Uuid id = random_uuid(random_);
  add_records(topic, id, *partitions);
  created_.insert(topic.name);
  result.topic_id = id;
  result.num_partitions = *partitions;
  result.replication_factor = 1;
  describe(topic, result);
  return {};
}

Result<void> TopicControl::check_name(const std::string& name) const {
  if (name == kClusterMetadataTopic) {
    return refuse(ErrorCode::invalid_request, "Creation of internal topic " + name + " is prohibited.");
  }
  if (auto valid = check_topic_name(name); !valid) return valid;
  if (image_.topic(name)) return refuse(ErrorCode::topic_already_exists, "Topic '" + name + "' already exists.");
  if (!has_collision_characters(name)) return {};
  const auto collides = [&name](const std::string& other) { return topic_names_collide(name, other); };
  const auto refusal = [&name](const std::string& other) {
    return refuse(ErrorCode::invalid_topic_exception, "Topic '" + name + "' collides with existing topic: " + other);
  };
  for (const auto& [other, topic] : image_.topics()) {
    if (collides(other)) return refusal(other);
  }
  const auto beside = std::find_if(created_.begin(), created_.end(), collides);
  if (beside != created_.end()) return refusal(*beside);
  return {};
}

Result<std::int32_t> TopicControl::partitions_of(const Creatable& topic) const {
  if (topic.num_partitions == kUseDefault) return broker_.get_int("num.partitions");
  if (topic.num_partitions > 0) return topic.num_partitions;
  return refuse(ErrorCode::invalid_partitions,
                "Number of partitions of topic '" + topic.name + "' was set to an invalid non-positive value.");
}

Result<void> TopicControl::check_replication(const Creatable& topic) const {
  if (!topic.assignments.empty()) return {};
  std::int32_t factor = topic.replication_factor;
  if (factor == kUseDefault) factor = broker_.get_int("default.replication.factor");
  if (factor <= 0) {
    return refuse(
        ErrorCode::invalid_replication_factor,
        "Replication factor of topic '" + topic.name + "' must be larger than 0, or -1 to use the default value.");
  }
  if (factor == 1) return {};
  return refuse(
      ErrorCode::invalid_replication_factor,
      fmt::format("Unable to replicate the partitions of topic '{}' {} time(s): The target replication factor of {} "
                  "cannot be reached because only 1 broker(s) are registered.",
                  topic.name, factor, factor));
}

Result<std::int32_t> TopicControl::assigned_partitions(const Creatable& topic) const {
  if (topic.replication_factor != kUseDefault) {
    return refuse(ErrorCode::invalid_request, "A manual partition assignment of topic '" + topic.name +
                                                  "' was specified, but replication factor was not set to -1.");
  }
  if (topic.num_partitions != kUseDefault) {
    return refuse(ErrorCode::invalid_request, "A manual partition assignment of topic '" + topic.name +
                                                  "' was specified, but numPartitions was not set to -1.");
  }
  std::set<std::int32_t> indexes;
  for (const auto& one : topic.assignments) {
    if (!indexes.insert(one.partition_index).second) {
      return refuse(ErrorCode::invalid_replica_assignment,
                    fmt::format("Found multiple manual partition assignments for partition {} of topic '{}'.",
                                one.partition_index, topic.name));
    }
    if (one.broker_ids.empty()) {
      return refuse(ErrorCode::invalid_replica_assignment,
                    "The manual partition assignment of topic '" + topic.name + "' includes an empty replica list.");
    }
    for (const std::int32_t broker : one.broker_ids) {
      if (broker == node_id_) continue;
      return refuse(
          ErrorCode::invalid_replica_assignment,
          fmt::format("The manual partition assignment of topic '{}' includes broker {}, but no such broker is "
                      "registered.",
                      topic.name, broker));
    }
    if (one.broker_ids.size() > 1) {
      return refuse(ErrorCode::invalid_replica_assignment,
                    fmt::format("The manual partition assignment of topic '{}' includes the broker {} more than once.",
                                topic.name, node_id_));
    }
  }
  const auto count = static_cast<std::int32_t>(indexes.size());
  if (*indexes.begin() == 0 && *indexes.rbegin() == count - 1) return count;
  return refuse(ErrorCode::invalid_replica_assignment,
                "partitions of topic '" + topic.name + "' should be a consecutive 0-based integer sequence");
}

Result<void> TopicControl::check_configs(const Creatable& topic) const {
  const auto checked = config::check_topic_overrides(overrides_of(topic));
  if (checked) return {};
  return refuse(ErrorCode::invalid_config, "Topic '" + topic.name + "': " + checked.error().subject);
}

void TopicControl::add_records(const Creatable& topic, const Uuid& id, std::int32_t partitions) {
  protocol::TopicRecord topic_record;
  topic_record.name = topic.name;
  topic_record.topic_id = id;
  records_.push_back(frame_record(topic_record, record_version::kOthers));
  for (const auto& [name, value] : overrides_of(topic)) {
    protocol::ConfigRecord record;
    record.resource_type = static_cast<std::int8_t>(ConfigResourceType::topic);
    record.resource_name = topic.name;
    record.name = name;
    record.value = value;
    records_.push_back(frame_record(record, record_version::kOthers));
  }
  for (std::int32_t partition = 0; partition < partitions; ++partition) {
    protocol::PartitionRecord record;
    record.partition_id = partition;
    record.topic_id = id;
    record.replicas = {node_id_};
    record.isr = {node_id_};
    record.leader = node_id_;
    record.leader_epoch = 0;
    record.partition_epoch = 0;
    record.directories = {log_directories_.front()};
    records_.push_back(frame_record(record, record_version::kPartition));
  }
}

void TopicControl::describe(const Creatable& topic, Created& result) const {
  config::ConfigMap overrides;
  for (const auto& [name, value] : overrides_of(topic)) overrides[name] = value.value_or("");
  const config::ConfigLayers layers{
      .topic = &overrides,
      .broker = &image_.configs({ConfigResourceType::broker, std::to_string(node_id_)}),
      .broker_default = &image_.configs({ConfigResourceType::broker, ""}),
      .file = &broker_,
  };
  result.configs.emplace();
  for (const auto& row : config::topic_table().rows()) {
    if (config::find_topic_row(row.name)->access == config::Access::internal) continue;
    const auto synonyms = config::topic_synonyms(row.name, layers);
    protocol::CreateTopicsResponse::CreatableTopicConfigs entry;
    entry.name = row.name;
    entry.value = config::topic_value(row.name, layers);
    entry.config_source =
        static_cast<std::int8_t>(synonyms.empty() ? config::ConfigSource::default_value : synonyms.front().source);
    result.configs->push_back(std::move(entry));
  }
}

ControllerResult<protocol::DeleteTopicsResponse> TopicControl::remove(const protocol::DeleteTopicsRequest& request) {
  std::vector<Deletable> wanted = request.topics;
  for (const std::string& name : request.topic_names) {
    Deletable by_name;
    by_name.name = name;
    wanted.push_back(std::move(by_name));
  }
  ControllerResult<protocol::DeleteTopicsResponse> result;
  std::set<Uuid> removed;
  for (const Deletable& one : wanted) {
    protocol::DeleteTopicsResponse::DeletableTopicResult answer;
    answer.name = one.name;
    answer.topic_id = one.topic_id;
    const auto topic = find(one);
    if (topic) {
      answer.name = (*topic)->name;
      answer.topic_id = (*topic)->id;
    }
    if (topic && !removed.insert((*topic)->id).second) {
      answer.error_code = static_cast<std::int16_t>(ErrorCode::invalid_request);
      answer.error_message = "Duplicate topic '" + (*topic)->name + "'.";
    } else if (topic) {
      protocol::RemoveTopicRecord record;
      record.topic_id = (*topic)->id;
      result.records.push_back(frame_record(record, record_version::kOthers));
    } else {
      answer.error_code = code_of(topic.error());
      answer.error_message = topic.error().subject;
    }
    result.response.responses.push_back(std::move(answer));
  }
  return result;
}

Result<std::shared_ptr<const TopicImage>> TopicControl::find(const Deletable& wanted) const {
  if (wanted.name && !wanted.topic_id.is_zero()) {
    return refuse(ErrorCode::invalid_request,
                  "You may not specify both topic name and topic id: '" + *wanted.name + "'.");
  }
  if (!wanted.name && wanted.topic_id.is_zero()) {
    return refuse(ErrorCode::invalid_request, "Neither topic name nor id were specified.");
  }
  if (!broker_.get_bool("delete.topic.enable")) {
    return refuse(ErrorCode::topic_deletion_disabled, "delete.topic.enable is false: no topic is deleted.");
  }
  if (wanted.name) {
    if (auto topic = image_.topic(*wanted.name)) return topic;
    return refuse(ErrorCode::unknown_topic_or_partition,
                  "This server does not host this topic-partition: there is no topic '" + *wanted.name + "'.");
  }
  if (auto topic = image_.topic(wanted.topic_id)) return topic;
  return refuse(ErrorCode::unknown_topic_id, "This server does not host this topic ID: " + wanted.topic_id.to_string());
}

}  // namespace barnabas::metadata
