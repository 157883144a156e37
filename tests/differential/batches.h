#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/bytes/bytes.h"
#include "common/protocol/records_ref.h"
#include "common/record/batch_builder.h"

namespace barnabas::differential {

constexpr std::int64_t kFirstTimestampMs = 1'700'000'000'000;

/// A batch of one record a value, a second apart from kFirstTimestampMs on.
Bytes batch_of(const std::vector<std::string>& values, const record::BatchOptions& options = {});
/// With keys alone, the values being null.
Bytes batch_of_keys(const std::vector<std::string>& keys);
Bytes idempotent_batch(std::int64_t producer_id, std::int16_t epoch, std::int32_t sequence, std::size_t records = 1);
/// Overwrites bytes of a finished batch at `position`; `seal` puts the checksum right again.
Bytes patched(Bytes batch, std::size_t position, std::string_view bytes, bool seal);
Bytes joined(const Bytes& first, const Bytes& second);
/// What a request can point to: the bytes live as long as the program.
protocol::RecordsRef keep(Bytes bytes);

}  // namespace barnabas::differential
