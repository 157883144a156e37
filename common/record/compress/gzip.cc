#include <zlib.h>

#include <algorithm>
#include <limits>

#include "common/record/compress/codecs.h"

namespace barnabas::record::codecs {
namespace {

constexpr int kGzipWindowBits = 15 + 16;  // 16 asks zlib for the gzip framing
constexpr int kMemoryLevel = 8;

Bytef* as_zlib(const std::byte* bytes) {
  return const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes));  // zlib's input pointer is not const
}
uInt chunk(std::size_t size) {
  return static_cast<uInt>(std::min<std::size_t>(size, std::numeric_limits<uInt>::max()));
}

struct InflateTraits {
  using Handle = z_stream*;
  static Handle make() {
    auto stream = std::make_unique<z_stream>();
    if (inflateInit2(stream.get(), kGzipWindowBits) != Z_OK) return nullptr;
    return stream.release();
  }
  static void free(Handle stream) {
    inflateEnd(stream);
    delete stream;
  }
};

class GzipReader final : public Decompressor {
 public:
  explicit GzipReader(BytesView compressed) : rest_(compressed) {
    if (state_.get() != nullptr) inflateReset(state_.get());
  }
  bool ok() const { return state_.get() != nullptr; }

  Result<std::size_t> read(MutableBytesView out) override {
    z_stream& stream = *state_.get();
    while (!ended_) {
      stream.next_in = as_zlib(rest_.data());
      stream.avail_in = chunk(rest_.size());
      stream.next_out = as_zlib(out.data());
      stream.avail_out = chunk(out.size());
      const uInt in_before = stream.avail_in;
      const uInt out_before = stream.avail_out;
      const int status = inflate(&stream, Z_NO_FLUSH);
      rest_ = rest_.subspan(in_before - stream.avail_in);
      const std::size_t produced = out_before - stream.avail_out;
      if (status == Z_STREAM_END) {
        begin_next_member();
      } else if (status != Z_OK) {
        const bool cut_short = status == Z_BUF_ERROR;
        return failure(Errc::corrupt_data, cut_short ? "gzip stream cut short" : "gzip stream is damaged");
      }
      if (produced > 0) return produced;
    }
    return std::size_t{0};
  }

 private:
  /// Another member may follow; anything else behind the stream is ignored, as Java's GZIPInputStream does.
  void begin_next_member() {
    const bool another = rest_.size() > 2 && rest_[0] == std::byte{0x1f} && rest_[1] == std::byte{0x8b};
    ended_ = !another;
    if (another) inflateReset(state_.get());
  }

  SpareState<InflateTraits> state_;
  BytesView rest_;
  bool ended_ = false;
};

}  // namespace

Result<void> gzip_compress(int level, BytesView plain, Bytes& out) {
  z_stream stream{};
  if (deflateInit2(&stream, level, Z_DEFLATED, kGzipWindowBits, kMemoryLevel, Z_DEFAULT_STRATEGY) != Z_OK) {
    return failure(Errc::io_error, "gzip: no compressor for level " + std::to_string(level));
  }
  const std::size_t start = out.size();
  out.resize(start + deflateBound(&stream, static_cast<uLong>(plain.size())));
  stream.next_in = as_zlib(plain.data());
  stream.avail_in = chunk(plain.size());
  stream.next_out = as_zlib(out.data() + start);
  stream.avail_out = chunk(out.size() - start);
  const int status = deflate(&stream, Z_FINISH);
  const std::size_t written = stream.total_out;
  deflateEnd(&stream);
  out.resize(start + written);
  if (status != Z_STREAM_END) return failure(Errc::io_error, "gzip: the compressor did not finish");
  return {};
}

Result<std::unique_ptr<Decompressor>> gzip_decompressor(BytesView compressed) {
  auto reader = std::make_unique<GzipReader>(compressed);
  if (!reader->ok()) return failure(Errc::io_error, "gzip: no memory for a decompressor");
  if (compressed.empty()) return failure(Errc::corrupt_data, "gzip stream is empty");
  return reader;
}

}  // namespace barnabas::record::codecs
