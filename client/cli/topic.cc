#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "barnabas/admin.h"
#include "client/cli/client_options.h"
#include "client/cli/command_line.h"
#include "client/cli/item_report.h"

namespace barnabas::cli {
namespace {

using Json = nlohmann::ordered_json;

struct TopicOptions {
  ClientOptions client;
  std::vector<std::string> names;
  std::int32_t partitions = -1;
  std::int16_t replication_factor = -1;
  std::vector<std::string> configs;
  bool with_internal = false;
  bool json = false;
};

/// Changing many topics may take the minute that Kafka's clients wait; finding a broker may not.
Admin admin_for_changes(const TopicOptions& options) {
  Admin(options.client.connection_config()).describe_topics(options.names);
  return Admin(options.client.config());
}

int create(const TopicOptions& options) {
  std::vector<NewTopic> topics;
  for (const std::string& name : options.names) {
    NewTopic topic{.name = name, .partitions = options.partitions, .replication_factor = options.replication_factor};
    for (const std::string& config : options.configs) topic.configs.insert(split_pair(config, "--config"));
    topics.push_back(std::move(topic));
  }
  Admin admin = admin_for_changes(options);
  bool failed = false;
  for (const CreatedTopic& topic : admin.create_topics(std::move(topics))) {
    if (report(topic.error)) {
      failed = true;
    } else {
      std::cout << fmt::format("{} created: {} partitions\n", topic.name, topic.partitions);
    }
  }
  return failed ? kFailed : kSuccess;
}

int list(const TopicOptions& options) {
  Admin admin(options.client.admin_config());
  for (const TopicListing& topic : admin.list_topics(options.with_internal)) {
    if (options.json) {
      std::cout << Json{{"name", topic.name}, {"topic_id", topic.topic_id}, {"internal", topic.is_internal}}.dump()
                << '\n';
    } else {
      std::cout << topic.name << '\n';
    }
  }
  return kSuccess;
}

Json json_of(const TopicDescription& topic) {
  Json partitions = Json::array();
  for (const PartitionInfo& partition : topic.partitions) {
    partitions.push_back({{"partition", partition.partition},
                          {"leader", partition.leader},
                          {"leader_epoch", partition.leader_epoch},
                          {"replicas", partition.replicas},
                          {"in_sync_replicas", partition.in_sync_replicas}});
  }
  return {
      {"name", topic.name}, {"topic_id", topic.topic_id}, {"internal", topic.is_internal}, {"partitions", partitions}};
}

void print(const TopicDescription& topic) {
  std::cout << fmt::format("{}  id {}  {} partitions\n", topic.name, topic.topic_id, topic.partitions.size());
  for (const PartitionInfo& partition : topic.partitions) {
    std::cout << fmt::format("  partition {}  leader {} (epoch {})  replicas {}  in sync {}\n", partition.partition,
                             partition.leader, partition.leader_epoch, fmt::join(partition.replicas, ","),
                             fmt::join(partition.in_sync_replicas, ","));
  }
}

int describe(const TopicOptions& options) {
  Admin admin(options.client.admin_config());
  bool failed = false;
  for (const TopicDescription& topic : admin.describe_topics(options.names)) {
    if (report(topic.error)) {
      failed = true;
    } else if (options.json) {
      std::cout << json_of(topic).dump() << '\n';
    } else {
      print(topic);
    }
  }
  return failed ? kFailed : kSuccess;
}

int remove(const TopicOptions& options) {
  Admin admin = admin_for_changes(options);
  bool failed = false;
  for (const DeletedTopic& topic : admin.delete_topics(options.names)) {
    if (report(topic.error)) {
      failed = true;
    } else {
      std::cout << topic.name << " deleted\n";
    }
  }
  return failed ? kFailed : kSuccess;
}

}  // namespace

void add_topic(CLI::App& app, Run& run) {
  const auto options = std::make_shared<TopicOptions>();
  CLI::App* topic = app.add_subcommand("topic", "Creates, lists, describes and deletes topics");
  topic->require_subcommand(1);
  const auto add = [&](const char* name, const char* about, int (*verb)(const TopicOptions&), bool takes_names) {
    CLI::App* sub = topic->add_subcommand(name, about);
    options->client.add_to(*sub);
    if (takes_names) sub->add_option("name", options->names, "topics")->required();
    sub->callback([options, verb, &run] { run = [options, verb] { return verb(*options); }; });
    return sub;
  };
  CLI::App* creation = add("create", "Creates topics", create, true);
  creation->add_option("-p,--partitions", options->partitions, "default: the broker's num.partitions");
  creation->add_option("-r,--replication-factor", options->replication_factor, "default: the broker's");
  creation->add_option("--config", options->configs, "a topic setting, name=value; may be given again")
      ->allow_extra_args(false);
  CLI::App* listing = add("list", "Lists topics, one a line", list, false);
  listing->add_flag("--internal", options->with_internal, "internal topics too");
  listing->add_flag("--json", options->json, "one object a line");
  add("describe", "Shows partitions, leaders and replicas", describe, true)
      ->add_flag("--json", options->json, "one object a line");
  add("delete", "Deletes topics and their records", remove, true);
}

}  // namespace barnabas::cli
