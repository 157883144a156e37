#include "common/record/compress/compressor.h"

#include <zstd.h>

#include <algorithm>
#include <utility>

#include "common/record/compress/codecs.h"

namespace barnabas::record {
namespace {

constexpr std::size_t kGzipBytes = 280 * 1024;
constexpr std::size_t kSnappyBytes = 192 * 1024;
constexpr std::size_t kLz4Bytes = 288 * 1024;  // its high compression; the fast one has its table on the stack
constexpr std::size_t kZstdBytes = 1536 * 1024;
constexpr std::size_t kZstdHighLevelBytes = 8 * 1024 * 1024;
constexpr int kZstdUsualLevel = 3;

}  // namespace

void Compressor::Free::operator()(ZSTD_CCtx_s* context) const {
  ZSTD_freeCCtx(context);
}

Compressor::Compressor(CompressionType type, int level) : type_(type), level_(level) {
  if (type == CompressionType::zstd) zstd_.reset(ZSTD_createCCtx());
}
Compressor::~Compressor() = default;
Compressor::Compressor(Compressor&&) noexcept = default;
Compressor& Compressor::operator=(Compressor&&) noexcept = default;

Result<void> Compressor::compress(BytesView plain, Bytes& out) {
  if (zstd_) return codecs::zstd_compress(zstd_.get(), level_, plain, out);
  return record::compress(type_, level_, plain, out);
}

std::size_t Compressor::expected_state_bytes(CompressionType type, int level) {
  switch (type) {
    case CompressionType::none:
      return 0;
    case CompressionType::gzip:
      return kGzipBytes;
    case CompressionType::snappy:
      return kSnappyBytes;
    case CompressionType::lz4:
      return kLz4Bytes;
    case CompressionType::zstd:
      return level <= kZstdUsualLevel ? kZstdBytes : kZstdHighLevelBytes;
  }
  return 0;
}

}  // namespace barnabas::record
