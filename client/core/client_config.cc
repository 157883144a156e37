#include "client/core/client_config.h"

#include <utility>

#include "client/core/security_config.h"
#include "common/protocol/limits.h"

namespace barnabas::client {
namespace {

using runtime::ConfigDef;
using runtime::ConfigImportance;
using runtime::ConfigStatus;
using runtime::ConfigType;

constexpr const char* kJvm = "of the Java client's own metrics; use metrics()";

ConfigDef row(const char* name, ConfigType type, const char* value, ConfigImportance importance, const char* doc) {
  ConfigDef def;
  def.name = name;
  def.type = type;
  def.default_value = value;
  def.importance = importance;
  def.doc = doc;
  return def;
}

ConfigDef number(const char* name, ConfigType type, const char* value, double min, ConfigImportance importance,
                 const char* doc) {
  ConfigDef def = row(name, type, value, importance, doc);
  def.min = min;
  return def;
}

ConfigDef one_of(const char* name, const char* value, std::vector<std::string> allowed, const char* doc) {
  ConfigDef def = row(name, ConfigType::string, value, ConfigImportance::medium, doc);
  def.allowed = std::move(allowed);
  return def;
}

ConfigDef with_status(ConfigDef def, ConfigStatus status, const char* why) {
  def.status = status;
  def.differs = why;
  return def;
}

void add_addresses(std::vector<ConfigDef>& rows, ClientKind kind) {
  ConfigDef servers;
  servers.name = "bootstrap.servers";
  servers.type = ConfigType::list;
  servers.importance = ConfigImportance::high;
  servers.doc = "Addresses (host:port) to find the cluster by; one that answers is enough.";
  servers.required = true;
  if (kind == ClientKind::admin) {
    servers.differs = "always needed: bootstrap.controllers does not act yet";
  }
  rows.push_back(std::move(servers));
  ConfigDef lookup = one_of("client.dns.lookup", "use_all_dns_ips", {"use_all_dns_ips"},
                            "How a host name becomes addresses: each address of a name is tried in turn.");
  lookup.differs = "resolve_canonical_bootstrap_servers_only serves Kerberos, which is not there yet";
  rows.push_back(std::move(lookup));
  rows.push_back(row("client.id", ConfigType::string, "",
                     kind == ClientKind::consumer ? ConfigImportance::low : ConfigImportance::medium,
                     "Name of this client in the broker's logs, metrics and quotas."));
}

void add_connections(std::vector<ConfigDef>& rows, ClientKind kind) {
  using enum ConfigType;
  using enum ConfigImportance;
  rows.push_back(row("connections.max.idle.ms", long_integer, kind == ClientKind::admin ? "300000" : "540000", medium,
                     "A connection that was not used for so long is closed; negative: never."));
  rows.push_back(number("reconnect.backoff.ms", long_integer, "50", 0, low,
                        "Wait before a broker is connected to again; doubles with each failure."));
  rows.push_back(number("reconnect.backoff.max.ms", long_integer, "1000", 0, low, "Longest such wait."));
  rows.push_back(
      number("request.timeout.ms", integer, "30000", 0, medium, "How long the answer to one request may take."));
  rows.push_back(number("retry.backoff.ms", long_integer, "100", 0, low,
                        "Wait before a failed request is sent again; doubles with each failure."));
  rows.push_back(number("retry.backoff.max.ms", long_integer, "1000", 0, low, "Longest such wait."));
  rows.push_back(row("socket.connection.setup.timeout.ms", long_integer, "10000", medium,
                     "How long one attempt to connect may take; doubles with each failure."));
  rows.push_back(row("socket.connection.setup.timeout.max.ms", long_integer, "30000", medium, "Longest such time."));
  rows.push_back(
      number("send.buffer.bytes", integer, "131072", -1, medium, "TCP send buffer; -1: the system's default."));
  rows.push_back(number("receive.buffer.bytes", integer, kind == ClientKind::producer ? "32768" : "65536", -1, medium,
                        "TCP receive buffer. Unless it is set, or with -1, the system's, which grows with use."));
}

void add_metadata(std::vector<ConfigDef>& rows) {
  using enum ConfigType;
  using enum ConfigImportance;
  rows.push_back(
      number("metadata.max.age.ms", long_integer, "300000", 0, low,
             "What is known of the cluster is asked for again after this time, without any sign of change."));
  ConfigDef strategy = one_of("metadata.recovery.strategy", "rebootstrap", {"none", "rebootstrap"},
                              "Whether the bootstrap servers are asked again when no known broker answers.");
  strategy.importance = low;
  strategy.any_case = true;
  rows.push_back(std::move(strategy));
  rows.push_back(number("metadata.recovery.rebootstrap.trigger.ms", long_integer, "300000", 0, low,
                        "Without any metadata for so long, the bootstrap servers are asked again."));
}

void add_inert(std::vector<ConfigDef>& rows, ClientKind kind) {
  using enum ConfigType;
  using enum ConfigImportance;
  const auto accepted = [&rows](ConfigDef def, const char* why) {
    rows.push_back(with_status(std::move(def), ConfigStatus::accepted, why));
  };
  accepted(row("config.providers", list, "", low, "Classes that look values up elsewhere."), "loads Java classes");
  accepted(row("enable.metrics.push", boolean, kind == ClientKind::admin ? "false" : "true", low,
               "Whether metrics are pushed to a broker that asks for them."),
           "nothing is pushed yet");
  accepted(
      row("metric.reporters", list, "org.apache.kafka.common.metrics.JmxReporter", low, "Classes that get metrics."),
      kJvm);
  accepted(number("metrics.num.samples", integer, "2", 1, low, "Samples kept for a metric."), kJvm);
  ConfigDef level =
      one_of("metrics.recording.level", "INFO", {"INFO", "DEBUG", "TRACE"}, "Which metrics are recorded.");
  level.importance = low;
  accepted(std::move(level), kJvm);
  accepted(number("metrics.sample.window.ms", long_integer, "30000", 0, low, "Time window of a sample."), kJvm);
  ConfigDef protocol = one_of("security.protocol", "PLAINTEXT", {"PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"},
                              "How connections are secured.");
  protocol.any_case = true;
  rows.push_back(with_status(std::move(protocol), ConfigStatus::refused, "TLS and SASL are not there yet"));
  ConfigDef providers = row("security.providers", string, "", low, "Classes that bring algorithms.");
  providers.default_value.reset();
  rows.push_back(with_status(std::move(providers), ConfigStatus::refused, "loads Java classes"));
}

runtime::LogLevel to_internal(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return runtime::LogLevel::debug;
    case LogLevel::info:
      return runtime::LogLevel::info;
    case LogLevel::warning:
      return runtime::LogLevel::warn;
    case LogLevel::error:
      return runtime::LogLevel::error;
    case LogLevel::off:
      break;
  }
  return runtime::LogLevel::off;
}

LogLevel to_public(runtime::LogLevel level) {
  switch (level) {
    case runtime::LogLevel::trace:
    case runtime::LogLevel::debug:
      return LogLevel::debug;
    case runtime::LogLevel::info:
      return LogLevel::info;
    case runtime::LogLevel::warn:
      return LogLevel::warning;
    case runtime::LogLevel::error:
      return LogLevel::error;
    case runtime::LogLevel::off:
      break;
  }
  return LogLevel::off;
}

std::chrono::milliseconds milliseconds_of(const runtime::ParsedConfig& parsed, const char* name) {
  return std::chrono::milliseconds(parsed.get_long(name));
}

}  // namespace

std::vector<ConfigDef> common_config_rows(ClientKind kind) {
  std::vector<ConfigDef> rows;
  add_addresses(rows, kind);
  add_connections(rows, kind);
  add_metadata(rows);
  add_inert(rows, kind);
  for (ConfigDef& def : security_config_rows()) rows.push_back(std::move(def));
  return rows;
}

Result<ClientConfig> client_config_of(const runtime::ParsedConfig& parsed) {
  ClientConfig config;
  auto servers = parse_bootstrap_servers(parsed.get_list("bootstrap.servers"));
  if (!servers) return failure(servers.error());
  config.bootstrap_servers = std::move(*servers);
  config.client_id = parsed.get_string("client.id");
  if (config.client_id.size() > protocol::kMaxTextBytes) {
    return failure(Errc::invalid_config,
                   "client.id is longer than " + std::to_string(protocol::kMaxTextBytes) + " bytes");
  }
  config.metadata_max_age = milliseconds_of(parsed, "metadata.max.age.ms");
  config.reconnect_backoff = milliseconds_of(parsed, "reconnect.backoff.ms");
  config.reconnect_backoff_max = milliseconds_of(parsed, "reconnect.backoff.max.ms");
  config.retry_backoff = milliseconds_of(parsed, "retry.backoff.ms");
  config.retry_backoff_max = milliseconds_of(parsed, "retry.backoff.max.ms");
  config.request_timeout = std::chrono::milliseconds(parsed.get_int("request.timeout.ms"));
  config.connections_max_idle = milliseconds_of(parsed, "connections.max.idle.ms");
  config.connection_setup_timeout = milliseconds_of(parsed, "socket.connection.setup.timeout.ms");
  config.connection_setup_timeout_max = milliseconds_of(parsed, "socket.connection.setup.timeout.max.ms");
  config.rebootstrap = parsed.get_string("metadata.recovery.strategy") == "rebootstrap";
  config.rebootstrap_trigger = milliseconds_of(parsed, "metadata.recovery.rebootstrap.trigger.ms");
  config.send_buffer_bytes = parsed.get_int("send.buffer.bytes");
  // Kafka's default holds a fraction of a fetch's answer, which is then read in many small pieces.
  if (parsed.is_set("receive.buffer.bytes")) config.receive_buffer_bytes = parsed.get_int("receive.buffer.bytes");
  return config;
}

runtime::Logger make_logger(const LogSink& sink, const std::string& client_id) {
  const std::string name = client_id.empty() ? "barnabas" : client_id;
  if (!sink.write) return runtime::Logger(name, to_internal(sink.level));
  return runtime::Logger(name, to_internal(sink.level),
                         [write = sink.write, name](runtime::LogLevel level, std::string_view line) {
                           write(to_public(level), name, line);
                         });
}

void log_settings_without_effect(const runtime::Logger& logger, const runtime::ParsedConfig& parsed) {
  std::string names;
  for (const std::string& name : parsed.without_effect()) names += (names.empty() ? "" : ", ") + name;
  if (!names.empty()) logger.warn("settings without effect here: {}", names);
}

}  // namespace barnabas::client
