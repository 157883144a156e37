#include <zstd.h>

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
};

class ZstdReader final : public Decompressor {
 public:
  explicit ZstdReader(BytesView compressed) : in_{compressed.data(), compressed.size(), 0} {
    if (state_.get() != nullptr) ZSTD_DCtx_reset(state_.get(), ZSTD_reset_session_only);
  }
  bool ok() const { return state_.get() != nullptr; }

  /// Several frames may follow each other; anything else behind a frame is an error, as in Kafka.
  Result<std::size_t> read(MutableBytesView out) override {
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
  SpareState<DecompressTraits> state_;
  ZSTD_inBuffer in_;
  bool at_frame_end_ = true;  // no bytes at all are no bytes
};

}  // namespace

Result<void> zstd_compress(int level, BytesView plain, Bytes& out) {
  SpareState<CompressTraits> state;
  if (state.get() == nullptr) return failure(Errc::io_error, "zstd: no memory for a compressor");
  const std::size_t start = out.size();
  out.resize(start + ZSTD_compressBound(plain.size()));
  const std::size_t size =
      ZSTD_compressCCtx(state.get(), out.data() + start, out.size() - start, plain.data(), plain.size(), level);
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
