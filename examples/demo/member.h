#pragma once

#include <cstdint>
#include <string>
#include <type_traits>

#include "examples/demo/digest.h"

namespace demo {

inline constexpr int kSessionTimeoutMs = 1000;

/// What a member tells the process that started it, as these very bytes on its standard output: both are one program.
struct MemberEvent {
  enum class Kind : std::int32_t { assigned, revoked, lost, record };

  Kind kind = Kind::record;
  std::int32_t partition = -1;
  std::int64_t offset = -1;
  Sha256 digest{};  ///< Of the record.
};
static_assert(std::is_trivially_copyable_v<MemberEvent>);

/// A process that reads the topic as a member of the group, at most `records_per_second` of it, until SIGTERM: then it
/// leaves. A record counts as processed when it has been told of; it is committed after that.
int run_member(const std::string& bootstrap_servers, double records_per_second);

}  // namespace demo
