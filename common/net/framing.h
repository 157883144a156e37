#pragma once

#include <asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "common/bytes/bytes.h"
#include "common/bytes/result.h"
#include "common/bytes/writer.h"
#include "common/net/byte_stream.h"

namespace barnabas::net {

/// Where memory for a frame may come from.
class FrameMemory {
 public:
  virtual ~FrameMemory() = default;
  /// Memory that was used before, of any size, or none, for a frame of this many bytes.
  virtual Bytes take(std::size_t bytes) = 0;
};

/// Takes Kafka's frames (int32 size, then that many bytes) off a stream. Small frames that arrive together cost one
/// read. Memory grows with what has arrived, never with what a size claims: at most kFrameBytesOnTrust ahead, or as
/// much as the same peer has delivered in one frame before. Threads: the stream's executor. The stream must live
/// longer.
class FrameReader {
 public:
  /// `memory` must live longer, too.
  FrameReader(ByteStream& stream, std::int32_t frame_bytes_max, FrameMemory* memory = nullptr)
      : stream_(stream), memory_(memory), frame_bytes_max_(frame_bytes_max) {}

  /// The next frame, without its size; `spare` is memory to use again (its own comes before that of `memory`).
  /// Errors: Errc::corrupt_data for a size that is negative or too large, or a peer that speaks HTTP or TLS;
  /// Errc::disconnected when the peer left (the subject says if in the middle of a frame). Subjects name the peer.
  asio::awaitable<Result<Bytes>> next(Bytes spare = {});

  /// Whether the peer left in the middle of a frame.
  bool is_cut_short() const noexcept { return cut_short_; }

  /// Whether bytes of a further frame have arrived already.
  bool has_buffered() const noexcept { return start_ < end_; }
  /// Whether the next frame is here as a whole: next() need not wait.
  bool has_whole_frame() const noexcept;

 private:
  MutableBytesView room_for_size();
  Result<std::size_t> take_size();
  std::size_t take_buffered(Bytes& frame, std::size_t size);
  asio::awaitable<Result<void>> read_rest(Bytes& frame, std::size_t received, std::size_t size);
  std::size_t buffered() const noexcept { return end_ - start_; }

  ByteStream& stream_;
  FrameMemory* memory_;
  std::int32_t frame_bytes_max_;
  bool cut_short_ = false;
  std::size_t trusted_bytes_ = 0;  // the largest frame that came whole
  Bytes buffer_;                   // [start_, end_) was read ahead
  std::size_t start_ = 0;
  std::size_t end_ = 0;
};

constexpr std::size_t kFrameBytesOnTrust = 64 * 1024;

/// What belongs at a Writer's ExternalPart: a region of a file, or bytes in memory where `file` is null.
struct ExternalSource {
  std::shared_ptr<runtime::File> file;
  std::uint64_t position = 0;
  std::uint64_t length = 0;
  Bytes bytes;
};

/// Sends size and frame: `own` with each of `sources` at its place of `places` (Writer::external_parts()).
/// `own` must live until it completes. Errors: Errc::invalid_argument where sources and places do not fit each other;
/// else the stream's. After any failure the stream is of no more use.
asio::awaitable<Result<void>> write_frame(ByteStream& stream, BytesView own, std::vector<ExternalPart> places = {},
                                          std::vector<ExternalSource> sources = {});

}  // namespace barnabas::net
