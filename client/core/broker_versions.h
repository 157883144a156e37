#pragma once

#include <cstdint>
#include <map>

#include "common/bytes/result.h"
#include "common/protocol/api_keys.h"

namespace barnabas::client {

struct VersionRange {
  std::int16_t min = 0;
  std::int16_t max = 0;
  bool operator==(const VersionRange&) const = default;
};

/// Which versions of each API one broker speaks, as its ApiVersions answer says.
class BrokerVersions {
 public:
  void set(std::int16_t api_key, VersionRange range) { ranges_[api_key] = range; }
  /// The highest version that the broker, `ours` and this call allow.
  /// Errors: Errc::unsupported_version, naming the API and all ranges.
  Result<std::int16_t> pick(protocol::ApiKey api, VersionRange ours) const;
  bool supports(protocol::ApiKey api, std::int16_t version) const;
  const std::map<std::int16_t, VersionRange>& ranges() const noexcept { return ranges_; }

 private:
  std::map<std::int16_t, VersionRange> ranges_;
};

}  // namespace barnabas::client
