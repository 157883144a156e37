#include "client/core/bootstrap.h"

#include <charconv>

namespace barnabas::client {

std::string HostAndPort::to_string() const {
  const bool is_v6 = host.find(':') != std::string::npos;
  return (is_v6 ? '[' + host + ']' : host) + ':' + std::to_string(port);
}

Result<HostAndPort> parse_host_and_port(const std::string& text) {
  std::string rest = text;
  if (const auto scheme = rest.find("://"); scheme != std::string::npos) rest.erase(0, scheme + 3);
  const auto colon = rest.rfind(':');
  if (colon == std::string::npos)
    return failure(Errc::invalid_config, "'" + text + "' has no port (host:port is needed)");
  std::string host = rest.substr(0, colon);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string::npos) {
    return failure(Errc::invalid_config, "'" + text + "' looks like an IPv6 address: put it in brackets, [::1]:9092");
  }
  if (host.empty() || host.find_first_of(" \t/[]") != std::string::npos) {
    return failure(Errc::invalid_config, "'" + text + "' has no valid host name");
  }
  std::uint16_t port = 0;
  const char* const end = rest.data() + rest.size();
  const auto [stopped, error] = std::from_chars(rest.data() + colon + 1, end, port);
  if (error != std::errc() || stopped != end || port == 0) {
    return failure(Errc::invalid_config, "'" + text + "' has no valid port (1-65535)");
  }
  return HostAndPort{host, port};
}

Result<std::vector<HostAndPort>> parse_bootstrap_servers(const std::vector<std::string>& elements) {
  std::vector<HostAndPort> servers;
  for (const std::string& element : elements) {
    if (element.empty()) continue;
    auto server = parse_host_and_port(element);
    if (!server) return failure(server.error().code, "bootstrap.servers: " + server.error().subject);
    servers.push_back(std::move(*server));
  }
  if (servers.empty()) return failure(Errc::invalid_config, "bootstrap.servers names no broker");
  return servers;
}

}  // namespace barnabas::client
