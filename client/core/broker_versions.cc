#include "client/core/broker_versions.h"

#include <algorithm>
#include <string>

namespace barnabas::client {
namespace {

std::string to_text(VersionRange range) {
  return std::to_string(range.min) + "-" + std::to_string(range.max);
}

}  // namespace

Result<std::int16_t> BrokerVersions::pick(protocol::ApiKey api, VersionRange ours) const {
  const auto found = ranges_.find(static_cast<std::int16_t>(api));
  const std::string name(protocol::to_string(api));
  if (found == ranges_.end()) return failure(Errc::unsupported_version, "the broker does not serve " + name);
  const std::int16_t highest = std::min(found->second.max, ours.max);
  if (highest < found->second.min || highest < ours.min) {
    return failure(Errc::unsupported_version, name + ": the broker speaks versions " + to_text(found->second) +
                                                  ", this call needs one of " + to_text(ours));
  }
  return highest;
}

bool BrokerVersions::supports(protocol::ApiKey api, std::int16_t version) const {
  const auto found = ranges_.find(static_cast<std::int16_t>(api));
  return found != ranges_.end() && version >= found->second.min && version <= found->second.max;
}

}  // namespace barnabas::client
