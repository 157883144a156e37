#include "broker/config/broker_config.h"

#include <algorithm>

#include "broker/config/listeners.h"

namespace barnabas::config {
namespace {

constexpr std::int32_t kDefaultNodeId = 1;
constexpr const char* kDefaultDataDirectory = "./barnabas-data";

tl::unexpected<Failure> wrong(std::string what) {
  return failure(Errc::invalid_config, std::move(what));
}

/// node.id, or broker.id for it; both only when they agree.
Result<std::int32_t> node_id_of(const runtime::ParsedConfig& values) {
  const std::int32_t broker_id = values.get_int("broker.id");
  if (values.is_null("node.id")) return broker_id >= 0 ? broker_id : kDefaultNodeId;
  const std::int32_t node_id = values.get_int("node.id");
  if (broker_id >= 0 && broker_id != node_id) {
    return wrong("node.id=" + std::to_string(node_id) + " and broker.id=" + std::to_string(broker_id) + " must agree");
  }
  return node_id;
}

Result<void> check_roles(const runtime::ParsedConfig& values) {
  const auto& roles = values.get_list("process.roles");
  const auto has = [&roles](const char* role) { return std::find(roles.begin(), roles.end(), role) != roles.end(); };
  if (!roles.empty() && !(has("broker") && has("controller"))) {
    return wrong("process.roles must be broker,controller: one process is both here");
  }
  if (values.get_list("controller.quorum.voters").size() > 1 ||
      values.get_list("controller.quorum.bootstrap.servers").size() > 1) {
    return wrong(
        "controller.quorum.voters and controller.quorum.bootstrap.servers may name one controller only: this one");
  }
  return {};
}

}  // namespace

runtime::Properties BrokerConfig::without_configuration() {
  return {{"group.initial.rebalance.delay.ms", "0"},
          {"offsets.topic.replication.factor", "1"},
          {"transaction.state.log.replication.factor", "1"},
          {"transaction.state.log.min.isr", "1"}};
}

std::vector<std::string> BrokerConfig::settings_without_effect() const {
  const runtime::Properties ours = without_configuration();
  std::vector<std::string> names;
  for (const std::string& name : values_.without_effect()) {
    const auto found = ours.find(name);
    if (found == ours.end() || values_.text(name) != found->second) names.push_back(name);
  }
  return names;
}

Result<BrokerConfig> BrokerConfig::parse(const runtime::Properties& given) {
  auto values = broker_table().parse(given);
  if (!values) return failure(values.error());
  BrokerConfig config(std::move(*values));
  if (auto done = config.draw_conclusions(); !done) return failure(done.error());
  return config;
}

Result<void> BrokerConfig::draw_conclusions() {
  const auto node_id = node_id_of(values_);
  if (!node_id) return failure(node_id.error());
  node_id_ = *node_id;
  if (auto roles = check_roles(values_); !roles) return roles;
  data_directories_ = values_.get_list("log.dirs");
  if (data_directories_.empty() && values_.is_set("log.dir")) data_directories_ = values_.get_list("log.dir");
  if (data_directories_.empty()) data_directories_ = {kDefaultDataDirectory};
  const auto empty = std::find(data_directories_.begin(), data_directories_.end(), "");
  if (empty != data_directories_.end()) return wrong("log.dirs has an empty name in it");
  metadata_directory_ =
      values_.is_null("metadata.log.dir") ? data_directories_.front() : values_.get_string("metadata.log.dir");
  if (auto advertised = advertised_listeners_of(values_, "localhost"); !advertised) return failure(advertised.error());
  return {};
}

}  // namespace barnabas::config
