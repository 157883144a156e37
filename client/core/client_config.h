#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "barnabas/config.h"
#include "barnabas/logging.h"
#include "client/core/bootstrap.h"
#include "common/bytes/result.h"
#include "common/runtime/config_table.h"
#include "common/runtime/logging.h"

namespace barnabas::client {

/// Which client a table is for: Kafka's defaults differ for a few settings.
enum class ClientKind { producer, consumer, admin };

/// The settings that all three clients share, typed. Producer, consumer and admin read their own from the ParsedConfig.
struct ClientConfig {
  std::vector<HostAndPort> bootstrap_servers;
  std::string client_id;
  DnsLookup dns_lookup = DnsLookup::use_all_dns_ips;
  std::chrono::milliseconds metadata_max_age{300000};
  std::chrono::milliseconds reconnect_backoff{50};
  std::chrono::milliseconds reconnect_backoff_max{1000};
  std::chrono::milliseconds retry_backoff{100};
  std::chrono::milliseconds retry_backoff_max{1000};
  std::chrono::milliseconds request_timeout{30000};
  std::chrono::milliseconds connections_max_idle{540000};
  std::chrono::milliseconds connection_setup_timeout{10000};
  std::chrono::milliseconds connection_setup_timeout_max{30000};
  bool rebootstrap = true;                                ///< metadata.recovery.strategy=rebootstrap.
  std::chrono::milliseconds rebootstrap_trigger{300000};  ///< metadata.recovery.rebootstrap.trigger.ms.
  int send_buffer_bytes = -1;
  int receive_buffer_bytes = -1;
};

/// The rows shared by all clients: `ConfigTable("producer", join(common_config_rows(ClientKind::producer), own rows))`.
/// Contains also those that are refused until they act (security.protocol, sasl.*, ssl.*) and those accepted without
/// effect (JVM).
std::vector<runtime::ConfigDef> common_config_rows(ClientKind kind);

/// The shared part of what a table has parsed. Errors: Errc::invalid_config (an address that cannot be one, ...).
Result<ClientConfig> client_config_of(const runtime::ParsedConfig& parsed);

/// A logger for a client with this id that writes to the user's sink.
runtime::Logger make_logger(const LogSink& sink, const std::string& client_id);

/// Says once, in one line, which settings were taken without effect.
void log_settings_without_effect(const runtime::Logger& logger, const runtime::ParsedConfig& parsed);

}  // namespace barnabas::client
