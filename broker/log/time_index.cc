#include "broker/log/time_index.h"

namespace barnabas::log {

static_assert(TimeIndexLayout::kEntryBytes == 12, "the format page docs/formats/time_index.md says 12");

Result<TimeIndexEntry> TimeIndex::entry_before(std::int64_t target_ms) const {
  const auto entry = lookup(target_ms);
  if (!entry) return failure(entry.error());
  return entry->value_or(Entry{record::kNoTimestamp, base_});
}

}  // namespace barnabas::log
