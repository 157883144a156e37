#pragma once

#include "client/consumer/memory_budget.h"
#include "common/bytes/result.h"
#include "common/record/batch_view.h"

namespace barnabas::client {

/// The plain records of a compressed batch, in a buffer of the pool that was within the budget at every moment. Where
/// the budget has no room to guess (a buffer that grows exists twice for a moment), the batch is measured first.
/// Errors: corrupt_data, unknown_server_error for an unknown codec, buffer_full.
Result<std::shared_ptr<const Bytes>> decompress_batch(const record::BatchView& batch, BufferPool& buffers);

}  // namespace barnabas::client
