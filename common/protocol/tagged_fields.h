#pragma once

#include <cstdint>
#include <vector>

#include "common/bytes/bytes.h"

namespace barnabas::protocol {

/// A tagged field that this version of the schemas does not know.
struct TaggedField {
  std::uint32_t tag = 0;
  Bytes data;

  bool operator==(const TaggedField&) const = default;
};

/// The unknown ones of a struct, kept as they came, so that what passes through us loses nothing.
struct TaggedFields {
  std::vector<TaggedField> fields;

  bool empty() const noexcept { return fields.empty(); }
  bool operator==(const TaggedFields&) const = default;
};

}  // namespace barnabas::protocol
