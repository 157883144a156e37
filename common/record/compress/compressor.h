#pragma once

#include <cstddef>
#include <memory>

#include "common/record/compress/codec.h"

struct ZSTD_CCtx_s;

namespace barnabas::record {

/// Compresses one batch after the other with a state of its own.
/// Threads: one at a time.
class Compressor {
 public:
  Compressor(CompressionType type, int level);
  ~Compressor();
  Compressor(Compressor&&) noexcept;
  Compressor& operator=(Compressor&&) noexcept;

  /// As record::compress(): appends to `out`.
  Result<void> compress(BytesView plain, Bytes& out);
  /// What the codec's library holds for one, at most: for good with zstd, while it compresses with the others. For the
  /// high levels of zstd it may turn out to be more.
  static std::size_t expected_state_bytes(CompressionType type, int level);

 private:
  struct Free {
    void operator()(ZSTD_CCtx_s* context) const;
  };
  CompressionType type_;
  int level_;
  std::unique_ptr<ZSTD_CCtx_s, Free> zstd_;
};

}  // namespace barnabas::record
