#include <lz4frame.h>

#include <algorithm>

#include "common/record/compress/codecs.h"

namespace barnabas::record::codecs {
namespace {

constexpr int kKafkaFastLevel = 9;         // what Java's client compresses with its fast compressor
constexpr int kFastest = 0;                // liblz4's fast compressor
constexpr int kLowestHighCompression = 3;  // liblz4 takes its fast one below

struct DecompressTraits {
  using Handle = LZ4F_dctx*;
  static Handle make() {
    LZ4F_dctx* context = nullptr;
    return LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)) ? nullptr : context;
  }
  static void free(Handle context) { LZ4F_freeDecompressionContext(context); }
};

class Lz4Reader final : public Decompressor {
 public:
  explicit Lz4Reader(BytesView compressed) : rest_(compressed) {
    if (state_.get() != nullptr) LZ4F_resetDecompressionContext(state_.get());
  }
  bool ok() const { return state_.get() != nullptr; }

  /// Bytes behind the frame's end are ignored, as Kafka's reader does.
  Result<std::size_t> read(MutableBytesView out) override {
    while (!ended_) {
      std::size_t produced = out.size();
      std::size_t consumed = rest_.size();
      const std::size_t hint = LZ4F_decompress(state_.get(), out.data(), &produced, rest_.data(), &consumed, nullptr);
      if (LZ4F_isError(hint)) return failure(Errc::corrupt_data, std::string("lz4 frame: ") + LZ4F_getErrorName(hint));
      rest_ = rest_.subspan(consumed);
      ended_ = hint == 0;
      if (produced > 0) return produced;
      if (!ended_ && consumed == 0) return failure(Errc::corrupt_data, "lz4 frame cut short");
    }
    return std::size_t{0};
  }

 private:
  SpareState<DecompressTraits> state_;
  BytesView rest_;
  bool ended_ = false;
};

}  // namespace

Result<void> lz4_compress(int level, BytesView plain, Bytes& out) {
  LZ4F_preferences_t preferences{};
  preferences.frameInfo.blockSizeID = LZ4F_max64KB;
  preferences.frameInfo.blockMode = LZ4F_blockIndependent;
  preferences.compressionLevel = level == kKafkaFastLevel ? kFastest : std::max(level, kLowestHighCompression);
  const std::size_t start = out.size();
  out.resize(start + LZ4F_compressFrameBound(plain.size(), &preferences));
  const std::size_t size =
      LZ4F_compressFrame(out.data() + start, out.size() - start, plain.data(), plain.size(), &preferences);
  if (LZ4F_isError(size)) {
    out.resize(start);
    return failure(Errc::io_error, std::string("lz4: ") + LZ4F_getErrorName(size));
  }
  out.resize(start + size);
  return {};
}

Result<std::unique_ptr<Decompressor>> lz4_decompressor(BytesView compressed) {
  constexpr std::uint32_t kMagic = 0x184D2204;  // little endian in the stream
  constexpr std::size_t kMagicBytes = 4;
  std::uint32_t magic = 0;
  for (std::size_t i = 0; i < kMagicBytes && i < compressed.size(); ++i) {
    magic |= std::to_integer<std::uint32_t>(compressed[i]) << (8 * i);
  }
  // liblz4 would skip "skippable" frames; Kafka refuses them.
  if (magic != kMagic) return failure(Errc::corrupt_data, "no lz4 frame");
  auto reader = std::make_unique<Lz4Reader>(compressed);
  if (!reader->ok()) return failure(Errc::io_error, "lz4: no memory for a decompressor");
  return reader;
}

}  // namespace barnabas::record::codecs
