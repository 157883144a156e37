#include "broker/log/offset_index.h"

namespace barnabas::log {

static_assert(OffsetIndexLayout::kEntryBytes == 8, "the format page docs/formats/offset_index.md says 8");

Result<OffsetIndexEntry> OffsetIndex::position_before(std::int64_t target) const {
  const auto entry = lookup(target);
  if (!entry) return failure(entry.error());
  return entry->value_or(Entry{base_, 0});
}

}  // namespace barnabas::log
