#include "broker/config/listeners.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <string_view>

namespace barnabas::config {
namespace {

using ProtocolMap = std::map<std::string, std::string>;

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return result;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

tl::unexpected<Failure> wrong(const std::string& setting, const std::string& what) {
  return failure(Errc::invalid_config, setting + ": " + what);
}

Result<ProtocolMap> protocol_map(const runtime::ParsedConfig& broker) {
  const std::string setting = "listener.security.protocol.map";
  static const std::set<std::string> protocols = {"PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"};
  ProtocolMap map;
  std::string_view rest = broker.get_string(setting);
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    const std::string_view entry = trimmed(rest.substr(0, comma));
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    const auto colon = entry.rfind(':');
    if (colon == std::string_view::npos) return wrong(setting, "'" + std::string(entry) + "' is not NAME:PROTOCOL");
    const std::string protocol = upper(trimmed(entry.substr(colon + 1)));
    if (protocols.count(protocol) == 0) return wrong(setting, "no security protocol '" + protocol + "'");
    map[upper(trimmed(entry.substr(0, colon)))] = protocol;
  }
  return map;
}

bool is_host_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '%' ||
         c == '.' || c == '_' || c == ':';
}

/// NAME://host:port; an IPv6 host stands in brackets.
std::optional<ListenerAddress> parse_address(std::string_view text) {
  const auto scheme = text.find("://");
  const auto colon = text.rfind(':');
  if (scheme == std::string_view::npos || scheme == 0 || colon < scheme + 3) return std::nullopt;
  ListenerAddress address;
  address.name = upper(text.substr(0, scheme));
  std::string_view host = text.substr(scheme + 3, colon - scheme - 3);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  if (!std::all_of(host.begin(), host.end(), is_host_character)) return std::nullopt;
  address.host = host;
  const std::string_view port = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc() || end != port.data() + port.size()) return std::nullopt;
  return address;
}

Result<std::vector<ListenerAddress>> parse_all(const runtime::ParsedConfig& broker, const std::string& setting) {
  const auto protocols = protocol_map(broker);
  if (!protocols) return failure(protocols.error());
  std::vector<ListenerAddress> addresses;
  std::set<std::string> names;
  for (const std::string& text : broker.get_list(setting)) {
    auto address = parse_address(text);
    if (!address) return wrong(setting, "'" + text + "' is not NAME://host:port");
    if (!names.insert(address->name).second) return wrong(setting, "each listener must have another name: " + text);
    const auto protocol = protocols->find(address->name);
    const auto& controllers = broker.get_list("controller.listener.names");
    const bool is_controller = std::find(controllers.begin(), controllers.end(), address->name) != controllers.end() ||
                               (controllers.empty() && address->name == "CONTROLLER");
    if (is_controller) continue;
    if (protocol == protocols->end()) {
      return wrong(setting,
                   "no security protocol for listener " + address->name + " in listener.security.protocol.map");
    }
    address->protocol = protocol->second;
    addresses.push_back(std::move(*address));
  }
  return addresses;
}

}  // namespace

Result<std::vector<ListenerAddress>> listeners_of(const runtime::ParsedConfig& broker) {
  auto addresses = parse_all(broker, "listeners");
  if (!addresses) return addresses;
  if (addresses->empty()) return wrong("listeners", "at least one listener for clients is needed");
  std::set<std::pair<std::string, std::uint16_t>> taken;
  for (const ListenerAddress& address : *addresses) {
    if (address.protocol != "PLAINTEXT") {
      return wrong("listeners", "listener " + address.name + " asks for " + address.protocol +
                                    ", which is not served yet; only PLAINTEXT is");
    }
    if (address.port != 0 && !taken.emplace(address.host, address.port).second) {
      return wrong("listeners", "each listener must have another port: " + std::to_string(address.port));
    }
  }
  return addresses;
}

Result<std::vector<ListenerAddress>> advertised_listeners_of(const runtime::ParsedConfig& broker,
                                                             const std::string& host_name) {
  const std::string setting = "advertised.listeners";
  auto addresses = listeners_of(broker);
  if (!addresses) return addresses;
  auto given = parse_all(broker, setting);
  if (!given) return given;
  for (ListenerAddress& address : *addresses) {
    if (address.host.empty() || address.host == "0.0.0.0" || address.host == "::") address.host = host_name;
    if (given->empty()) continue;
    const auto match =
        std::find_if(given->begin(), given->end(), [&](const auto& one) { return one.name == address.name; });
    if (match == given->end()) return wrong(setting, "listener " + address.name + " is missing");
    address = *match;
  }
  for (const ListenerAddress& one : *given) {
    if (one.host == "0.0.0.0") return wrong(setting, "cannot use the address 0.0.0.0: no client can connect to it");
    const auto match = std::find_if(addresses->begin(), addresses->end(),
                                    [&](const auto& address) { return address.name == one.name; });
    if (match == addresses->end()) return wrong(setting, "'listeners' has no listener " + one.name);
    if (match->host.empty()) match->host = host_name;
  }
  return addresses;
}

}  // namespace barnabas::config
