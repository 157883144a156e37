#pragma once

#include <string>

#include "common/bytes/result.h"
#include "common/runtime/files.h"

namespace barnabas::log {

/// Whether finish_swaps() has anything to do with a file of this name.
bool is_of_unfinished_swap(const std::string& name);

/// Ends what a compaction or split of segments was at when its process ended. Files named *.swap are whole: they take
/// the place of the segments that they were made from, unless *.cleaned files beside them say that a split was not
/// done. Files named *.cleaned or *.deleted are of no use to anybody and go.
/// Errors: of the files; corrupt_data for a swapped segment that does not read.
/// Source: Kafka's LogLoader.
Result<void> finish_swaps(runtime::Files& files, const std::string& directory);

}  // namespace barnabas::log
