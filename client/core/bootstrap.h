#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/bytes/result.h"

namespace barnabas::client {

/// An address to connect to. An IPv6 host is without its brackets.
struct HostAndPort {
  std::string host;
  std::uint16_t port = 0;

  bool operator==(const HostAndPort&) const = default;
  /// "localhost:9092", "[::1]:9092".
  std::string to_string() const;
};

/// client.dns.lookup.
enum class DnsLookup {
  use_all_dns_ips,                          ///< Each address of a name is tried in turn.
  resolve_canonical_bootstrap_servers_only  ///< Refused until it acts.
};

/// "host:port", "[v6]:port" or "PROTOCOL://host:port". Errors: Errc::invalid_config, naming the text.
Result<HostAndPort> parse_host_and_port(const std::string& text);

/// Elements of bootstrap.servers. Errors: Errc::invalid_config when one is wrong or there is none.
Result<std::vector<HostAndPort>> parse_bootstrap_servers(const std::vector<std::string>& elements);

}  // namespace barnabas::client
