#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "client/producer/producer_config.h"
#include "common/bytes/bytes.h"
#include "common/record/compress/compressor.h"
#include "common/runtime/env.h"

namespace barnabas::client {

/// A codec's state and the buffer that it writes to.
struct CompressorRoom {
  record::Compressor compressor;
  Bytes output;
};

/// The most plain bytes that are gathered for a compressed batch of batch.size, unless one record alone is larger.
std::size_t most_plain_bytes(const ProducerConfig& config);

/// What a producer compresses its batches with: as many at once as a quarter of buffer.memory has room for, at least
/// one and at most four. What they take is set aside from the beginning: compressing never needs room that is not
/// there. Not in it: the part of one codec state that is above a quarter of buffer.memory, and what a record needs that
/// is larger than most_plain_bytes(), while it is compressed.  Threads: any.
class Compressors {
 public:
  Compressors(const ProducerConfig& config, runtime::Env& env);

  /// Of buffer.memory; 0 without compression.
  static std::size_t reserved_bytes(const ProducerConfig& config);

  /// Waits while all are in use, which none is for longer than one batch takes.
  CompressorRoom take();
  void give_back(CompressorRoom room);

 private:
  const ProducerConfig& config_;
  const std::size_t most_;
  const std::unique_ptr<runtime::Signal> changed_;
  std::size_t made_ = 0;               // changed_'s lock
  std::vector<CompressorRoom> spare_;  // changed_'s lock
};

}  // namespace barnabas::client
