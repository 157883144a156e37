#include "common/record/compress/codec.h"

#include <algorithm>
#include <array>

#include "common/record/compress/codecs.h"

namespace barnabas::record {
namespace {

constexpr std::array<std::string_view, 5> kNames{"none", "gzip", "snappy", "lz4", "zstd"};
constexpr std::size_t kGrowthBytes = 64 * 1024;

/// Uncompressed bytes behind the interface of the others, for callers that do not want to tell apart.
class PlainReader final : public Decompressor {
 public:
  explicit PlainReader(BytesView bytes) : rest_(bytes) {}
  Result<std::size_t> read(MutableBytesView out) override {
    const std::size_t count = std::min(out.size(), rest_.size());
    std::copy_n(rest_.begin(), count, out.begin());
    rest_ = rest_.subspan(count);
    return count;
  }

 private:
  BytesView rest_;
};

/// Whether anything is left once the limit is reached: a byte more is one too many.
Result<bool> has_more(Decompressor& decompressor) {
  std::byte one{};
  const auto count = decompressor.read(MutableBytesView(&one, 1));
  if (!count) return failure(count.error());
  return *count > 0;
}

}  // namespace

std::string_view to_string(CompressionType type) noexcept {
  return kNames[static_cast<std::size_t>(type)];
}

std::optional<CompressionType> compression_from_name(std::string_view name) noexcept {
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<CompressionType>(found - kNames.begin());
}

int default_level(CompressionType type) noexcept {
  switch (type) {
    case CompressionType::gzip:
      return -1;
    case CompressionType::lz4:
      return 9;
    case CompressionType::zstd:
      return 3;
    case CompressionType::none:
    case CompressionType::snappy:
      break;
  }
  return 0;
}

Result<void> compress(CompressionType type, int level, BytesView plain, Bytes& out) {
  switch (type) {
    case CompressionType::none:
      out.insert(out.end(), plain.begin(), plain.end());
      return {};
    case CompressionType::gzip:
      return codecs::gzip_compress(level, plain, out);
    case CompressionType::snappy:
      return codecs::snappy_compress(plain, out);
    case CompressionType::lz4:
      return codecs::lz4_compress(level, plain, out);
    case CompressionType::zstd:
      return codecs::zstd_compress(level, plain, out);
  }
  return failure(Errc::invalid_argument, "unknown compression type");
}

Result<std::unique_ptr<Decompressor>> make_decompressor(CompressionType type, BytesView compressed) {
  switch (type) {
    case CompressionType::none:
      return std::make_unique<PlainReader>(compressed);
    case CompressionType::gzip:
      return codecs::gzip_decompressor(compressed);
    case CompressionType::snappy:
      return codecs::snappy_decompressor(compressed);
    case CompressionType::lz4:
      return codecs::lz4_decompressor(compressed);
    case CompressionType::zstd:
      return codecs::zstd_decompressor(compressed);
  }
  return failure(Errc::invalid_argument, "unknown compression type");
}

Result<void> decompress(CompressionType type, BytesView compressed, Bytes& out, std::size_t limit_bytes) {
  auto decompressor = make_decompressor(type, compressed);
  if (!decompressor) return failure(decompressor.error());
  const std::size_t start = out.size();
  std::size_t used = start;
  for (;;) {
    if (used - start == limit_bytes) {
      const auto more = has_more(**decompressor);
      out.resize(used);
      if (!more) return failure(more.error());
      if (*more)
        return failure(Errc::buffer_full, "decompressed batch above " + std::to_string(limit_bytes) + " bytes");
      return {};
    }
    if (used == out.size()) {
      const std::size_t wanted = std::max({kGrowthBytes, compressed.size() * 2, out.size() - start});
      out.resize(used + std::min(wanted, limit_bytes - (used - start)));
    }
    const auto count = (*decompressor)->read(MutableBytesView(out).subspan(used));
    if (!count) {
      out.resize(start);
      return failure(count.error());
    }
    used += *count;
    if (*count == 0) {
      out.resize(used);
      return {};
    }
  }
}

}  // namespace barnabas::record
