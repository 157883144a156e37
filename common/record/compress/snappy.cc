#include <snappy.h>

#include <algorithm>
#include <array>

#include "common/bytes/big_endian.h"
#include "common/record/compress/codecs.h"

/// snappy-java's stream: a head of 16 bytes, then blocks with a big-endian int32 length before each.
namespace barnabas::record::codecs {
namespace {

constexpr std::array<unsigned char, 16> kHead{0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0, 0, 0, 0, 1, 0, 0, 0, 1};
constexpr std::size_t kMagicBytes = 8;
constexpr std::size_t kBlockBytes = 32 * 1024;
constexpr std::size_t kLengthBytes = 4;
/// snappy stores at most some 64 plain bytes in 3: a block that claims more lies, and gets no memory for it.
constexpr std::size_t kMostExpansion = 64;

const char* chars(const std::byte* bytes) {
  return reinterpret_cast<const char*>(bytes);
}
char* chars(std::byte* bytes) {
  return reinterpret_cast<char*>(bytes);
}

bool starts_with_magic(BytesView bytes) {
  return bytes.size() >= kMagicBytes &&
         std::equal(kHead.begin(), kHead.begin() + kMagicBytes, reinterpret_cast<const unsigned char*>(bytes.data()));
}

class SnappyReader final : public Decompressor {
 public:
  SnappyReader(BytesView blocks, bool framed) : rest_(blocks), framed_(framed) {}

  Result<std::size_t> read(MutableBytesView out) override {
    while (position_ == block_.size()) {
      auto compressed = next_block();
      if (!compressed) return failure(compressed.error());
      if (!*compressed) return std::size_t{0};
      const auto direct = uncompress(**compressed, out);
      if (!direct) return failure(direct.error());
      if (*direct > 0) return *direct;
    }
    const std::size_t count = std::min(out.size(), block_.size() - position_);
    std::copy_n(block_.begin() + static_cast<std::ptrdiff_t>(position_), count, out.begin());
    position_ += count;
    return count;
  }

 private:
  Result<std::optional<BytesView>> next_block() {
    if (!framed_) {
      framed_ = true;
      return std::optional<BytesView>(std::exchange(rest_, BytesView{}));
    }
    while (starts_with_magic(rest_) && rest_.size() >= kHead.size()) rest_ = rest_.subspan(kHead.size());
    if (rest_.size() < kLengthBytes) return std::optional<BytesView>{};
    const auto length = big_endian::load<std::uint32_t>(rest_.data());
    if (length > rest_.size() - kLengthBytes) return failure(Errc::corrupt_data, "snappy stream cut short");
    const BytesView block = rest_.subspan(kLengthBytes, length);
    rest_ = rest_.subspan(kLengthBytes + length);
    return std::optional<BytesView>(block);
  }

  /// Into `out` where the block fits (the count is given), else into block_ (0 is given).
  Result<std::size_t> uncompress(BytesView compressed, MutableBytesView out) {
    std::size_t size = 0;
    if (!snappy::GetUncompressedLength(chars(compressed.data()), compressed.size(), &size) ||
        size > compressed.size() * kMostExpansion) {
      return failure(Errc::corrupt_data, "snappy block is damaged");
    }
    const bool fits = size <= out.size();
    if (!fits) block_.resize(size);
    position_ = fits ? block_.size() : 0;
    char* target = fits ? chars(out.data()) : chars(block_.data());
    if (!snappy::RawUncompress(chars(compressed.data()), compressed.size(), target)) {
      return failure(Errc::corrupt_data, "snappy block is damaged");
    }
    return fits ? size : 0;
  }

  BytesView rest_;
  bool framed_;
  Bytes block_;
  std::size_t position_ = 0;
};

}  // namespace

Result<void> snappy_compress(BytesView plain, Bytes& out) {
  const auto head = std::as_bytes(std::span(kHead));
  out.insert(out.end(), head.begin(), head.end());
  for (std::size_t done = 0; done < plain.size(); done += kBlockBytes) {
    const BytesView block = plain.subspan(done, std::min(kBlockBytes, plain.size() - done));
    const std::size_t start = out.size();
    out.resize(start + kLengthBytes + snappy::MaxCompressedLength(block.size()));
    std::size_t size = 0;
    snappy::RawCompress(chars(block.data()), block.size(), chars(out.data() + start + kLengthBytes), &size);
    big_endian::store<std::uint32_t>(out.data() + start, static_cast<std::uint32_t>(size));
    out.resize(start + kLengthBytes + size);
  }
  return {};
}

Result<std::unique_ptr<Decompressor>> snappy_decompressor(BytesView compressed) {
  if (compressed.empty()) return failure(Errc::corrupt_data, "snappy stream is empty");
  if (!starts_with_magic(compressed)) return std::make_unique<SnappyReader>(compressed, false);
  if (compressed.size() < kHead.size()) return failure(Errc::corrupt_data, "snappy stream cut short");
  return std::make_unique<SnappyReader>(compressed.subspan(kHead.size()), true);
}

}  // namespace barnabas::record::codecs
