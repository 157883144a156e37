#pragma once

#include <cstdint>
#include <string_view>

#include "common/bytes/bytes.h"

namespace barnabas::simulation {

/// FNV-1a over all that happens in a run.
class TraceHash {
 public:
  void add(BytesView bytes) {
    for (const std::byte byte : bytes) mix(static_cast<std::uint64_t>(byte));
  }
  void add(std::string_view text) { add(as_bytes(text)); }
  void add(std::uint64_t number) {
    for (int i = 0; i < 8; ++i) mix((number >> (8 * i)) & 0xff);
  }
  std::uint64_t value() const { return value_; }

 private:
  void mix(std::uint64_t byte) { value_ = (value_ ^ byte) * 0x100000001b3; }
  std::uint64_t value_ = 0xcbf29ce484222325;
};

}  // namespace barnabas::simulation
