#include <zstd.h>

#include <algorithm>

#include "common/record/compress/codecs.h"

namespace barnabas::record::codecs {
namespace {

struct CompressTraits {
  using Handle = ZSTD_CCtx*;
  static Handle make() { return ZSTD_createCCtx(); }
  static void free(Handle context) { ZSTD_freeCCtx(context); }
};

struct DecompressTraits {
  using Handle = ZSTD_DCtx*;
  static Handle make() { return ZSTD_createDCtx(); }
  static void free(Handle context) { ZSTD_freeDCtx(context); }
  /// A window that one frame asked for is not kept for those that need none.
  static bool is_worth_keeping(Handle context) { return ZSTD_sizeof_DCtx(context) <= kMostKeptBytes; }
  static constexpr std::size_t kMostKeptBytes = 384 * 1024;
};

/// Of the frame header (RFC 8878, 3.1.1.1): how much of what came before a decoder must remember; 0 where that is the
/// whole frame, or the header is damaged.
std::size_t window_of(BytesView frame) {
  constexpr std::size_t kDescriptor = 4;  // behind the magic number
  constexpr std::size_t kWindow = 5;
  constexpr int kMinWindowLog = 10;
  constexpr unsigned kSingleSegment = 0x20;
  if (frame.size() <= kWindow || (std::to_integer<unsigned>(frame[kDescriptor]) & kSingleSegment) != 0) return 0;
  const auto descriptor = std::to_integer<unsigned>(frame[kWindow]);
  const std::size_t base = std::size_t{1} << (kMinWindowLog + (descriptor >> 3U));
  return base + base / 8 * (descriptor & 7U);
}

class ZstdReader final : public Decompressor {
 public:
  explicit ZstdReader(BytesView compressed) : in_{compressed.data(), compressed.size(), 0} {
    if (state_.get() != nullptr) ZSTD_DCtx_reset(state_.get(), ZSTD_reset_session_only);
    const auto said = ZSTD_getFrameContentSize(in_.src, in_.size);
    if (said != ZSTD_CONTENTSIZE_UNKNOWN && said != ZSTD_CONTENTSIZE_ERROR) said_bytes_ = said;
  }
  bool ok() const { return state_.get() != nullptr; }

  std::optional<std::size_t> said_plain_bytes() const override { return said_bytes_; }
  std::size_t window_bytes() const override {
    const std::size_t window = window_of({static_cast<const std::byte*>(in_.src), in_.size});
    const std::size_t most = window != 0 ? window : said_bytes_.value_or(0);
    return std::min(most, said_bytes_.value_or(most)) + 2 * kBlockBytes;
  }

  /// Several frames may follow each other; anything else behind a frame is an error, as in Kafka.
  Result<std::size_t> read(MutableBytesView out) override {
    if (in_.pos == 0 && said_bytes_.value_or(0) > 0 && *said_bytes_ <= out.size()) return read_frame(out);
    ZSTD_outBuffer target{out.data(), out.size(), 0};
    while (target.pos == 0) {
      if (at_frame_end_ && in_.pos == in_.size) return std::size_t{0};
      const std::size_t before = in_.pos;
      const std::size_t hint = ZSTD_decompressStream(state_.get(), &target, &in_);
      if (ZSTD_isError(hint)) return failure(Errc::corrupt_data, std::string("zstd: ") + ZSTD_getErrorName(hint));
      at_frame_end_ = hint == 0;
      if (!at_frame_end_ && target.pos == 0 && in_.pos == before) {
        return failure(Errc::corrupt_data, "zstd frame cut short");
      }
    }
    return target.pos;
  }

 private:
  static constexpr std::size_t kBlockBytes = 128 * 1024;  // what one block holds at most

  /// At one go, straight into `out`: without a window, and without the copy out of it.
  Result<std::size_t> read_frame(MutableBytesView out) {
    const std::size_t frame = ZSTD_findFrameCompressedSize(in_.src, in_.size);
    if (ZSTD_isError(frame)) return failure(Errc::corrupt_data, "zstd frame cut short");
    const std::size_t size = ZSTD_decompressDCtx(state_.get(), out.data(), out.size(), in_.src, frame);
    if (ZSTD_isError(size)) return failure(Errc::corrupt_data, std::string("zstd: ") + ZSTD_getErrorName(size));
    in_.pos = frame;
    return size;
  }

  SpareState<DecompressTraits> state_;
  ZSTD_inBuffer in_;
  std::optional<std::size_t> said_bytes_;  // of the first frame
  bool at_frame_end_ = true;               // no bytes at all are no bytes
};

}  // namespace

Result<void> zstd_compress(int level, BytesView plain, Bytes& out) {
  const SpareState<CompressTraits> state;
  if (state.get() == nullptr) return failure(Errc::io_error, "zstd: no memory for a compressor");
  return zstd_compress(state.get(), level, plain, out);
}

Result<void> zstd_compress(ZSTD_CCtx_s* context, int level, BytesView plain, Bytes& out) {
  const std::size_t start = out.size();
  out.resize(start + ZSTD_compressBound(plain.size()));
  const std::size_t size =
      ZSTD_compressCCtx(context, out.data() + start, out.size() - start, plain.data(), plain.size(), level);
  if (ZSTD_isError(size)) {
    out.resize(start);
    return failure(Errc::io_error, std::string("zstd: ") + ZSTD_getErrorName(size));
  }
  out.resize(start + size);
  return {};
}

Result<std::unique_ptr<Decompressor>> zstd_decompressor(BytesView compressed) {
  auto reader = std::make_unique<ZstdReader>(compressed);
  if (!reader->ok()) return failure(Errc::io_error, "zstd: no memory for a decompressor");
  return reader;
}

}  // namespace barnabas::record::codecs
