#pragma once

#include <memory>
#include <string_view>
#include <utility>

#include "broker/broker.h"
#include "broker/config/broker_config.h"

namespace barnabas::testing {

/// Starts a broker at broker:9092 with its log in /data, both in memory. It says nothing, and is quick about groups: no
/// delay before the first rebalance, and one partition for their offsets.
inline Result<std::unique_ptr<broker::Broker>> start_memory_broker(runtime::Env& env, net::Network& network) {
  runtime::Properties settings = config::BrokerConfig::without_configuration();
  settings["listeners"] = "PLAINTEXT://broker:9092";
  settings["log.dirs"] = "/data";
  settings["group.initial.rebalance.delay.ms"] = "0";
  settings["offsets.topic.num.partitions"] = "1";
  settings["offsets.topic.replication.factor"] = "1";
  auto parsed = config::BrokerConfig::parse(settings);
  if (!parsed) return failure(parsed.error());
  broker::BrokerOptions options;
  options.logger = runtime::Logger("broker", runtime::LogLevel::off, [](runtime::LogLevel, std::string_view) {});
  return broker::Broker::start(env, network, std::move(*parsed), std::move(options));
}

}  // namespace barnabas::testing
