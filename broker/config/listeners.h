#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/bytes/result.h"
#include "common/runtime/config_table.h"

namespace barnabas::config {

/// An address to listen on, or to tell clients.
struct ListenerAddress {
  std::string name;        ///< "PLAINTEXT": upper case, one of listener.security.protocol.map.
  std::string protocol;    ///< "PLAINTEXT", "SSL", "SASL_PLAINTEXT" or "SASL_SSL".
  std::string host;        ///< Empty: every interface.
  std::uint16_t port = 0;  ///< 0: any free one.
};

/// `listeners` without those named in controller.listener.names (no other process talks to our controller).
/// Errors: invalid_config for what does not parse, a name or port twice, a name without a protocol, a protocol that is
/// not served yet (anything but PLAINTEXT).  Source: Kafka's CoreUtils.listenerListToEndPoints and
/// KafkaConfig.validateValues.
Result<std::vector<ListenerAddress>> listeners_of(const runtime::ParsedConfig& broker);

/// What each of listeners_of() is told to clients, in the same order. Where advertised.listeners says nothing of a
/// listener it is the listener itself, with `host_name` for an empty host; port 0 stands for the port that was bound.
/// Errors: invalid_config, also for 0.0.0.0, for a name that `listeners` lacks, and for a listener left out.
Result<std::vector<ListenerAddress>> advertised_listeners_of(const runtime::ParsedConfig& broker,
                                                             const std::string& host_name);

}  // namespace barnabas::config
