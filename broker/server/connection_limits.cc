#include "broker/server/connection_limits.h"

#include <fmt/core.h>

#include <charconv>
#include <string_view>
#include <utility>

#include "common/protocol/errors.h"

namespace barnabas::broker {

std::string address_of(const std::string& peer_name) {
  const std::size_t colon = peer_name.rfind(':');
  std::string address = peer_name.substr(0, colon);
  if (address.size() >= 2 && address.front() == '[' && address.back() == ']') {
    address = address.substr(1, address.size() - 2);
  }
  return address;
}

Result<ConnectionLimits::Limits> ConnectionLimits::limits_of(const runtime::ParsedConfig& config) {
  Limits limits;
  limits.total = static_cast<std::size_t>(config.get_int("max.connections"));
  limits.per_ip = static_cast<std::size_t>(config.get_int("max.connections.per.ip"));
  std::string_view rest = config.get_string("max.connections.per.ip.overrides");
  while (!rest.empty()) {
    const std::string_view entry = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), entry.size() + 1));
    const std::size_t colon = entry.rfind(':');
    std::size_t count = 0;
    const char* end = entry.data() + entry.size();
    if (colon == std::string_view::npos || colon == 0 ||
        std::from_chars(entry.data() + colon + 1, end, count).ptr != end || colon + 1 == entry.size()) {
      return failure(Errc::invalid_config,
                     fmt::format("max.connections.per.ip.overrides has '{}': address:count is meant", entry));
    }
    limits.per_ip_overrides[std::string(entry.substr(0, colon))] = count;
  }
  return limits;
}

Result<std::unique_ptr<ConnectionLimits::Place>> ConnectionLimits::enter(const std::string& peer_name) {
  std::string address = address_of(peer_name);
  const auto overridden = limits_.per_ip_overrides.find(address);
  const std::size_t per_ip = overridden == limits_.per_ip_overrides.end() ? limits_.per_ip : overridden->second;
  const std::lock_guard lock(mutex_);
  if (count_ >= limits_.total) {
    return failure(Errc::buffer_full, fmt::format("max.connections ({}) is reached", limits_.total));
  }
  const auto found = by_ip_.find(address);
  if ((found == by_ip_.end() ? 0 : found->second) >= per_ip) {
    return failure(protocol::ErrorCode::policy_violation,
                   fmt::format("max.connections.per.ip ({}) is reached for {}", per_ip, address));
  }
  ++count_;
  ++by_ip_[address];
  return std::make_unique<Place>(*this, std::move(address));
}

void ConnectionLimits::leave(const std::string& address) {
  const std::lock_guard lock(mutex_);
  --count_;
  const auto found = by_ip_.find(address);
  if (--found->second == 0) by_ip_.erase(found);
}

std::size_t ConnectionLimits::count() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

}  // namespace barnabas::broker
