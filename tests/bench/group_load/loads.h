#pragma once

#include "tests/bench/group_load/wire_group.h"

namespace barnabas::bench {

/// Each prints one line of JSON. Errors: what went wrong, as a sentence.

/// So many groups, settled; then what their heartbeats cost the broker.
Result<void> measure_heartbeats(const LoadOptions& options);
/// Groups whose members commit as fast as they are answered, each so many commits at a time.
Result<void> measure_commits(const LoadOptions& options);
/// From the call until the broker, which may be starting, has answered what each group committed.
Result<void> measure_load(const LoadOptions& options);
/// Consumers that share a thread join one group: from the first subscribe until each has its share.
Result<void> measure_join(const LoadOptions& options);

}  // namespace barnabas::bench
