#include "common/net/framing.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>

#include "common/bytes/big_endian.h"

namespace barnabas::net {
namespace {

constexpr std::size_t kSizeBytes = 4;
constexpr std::size_t kReadAheadBytes = 16 * 1024;
constexpr std::size_t kTrustedBytesMax = 1024 * 1024;

/// What the peer takes us for, judged by the four bytes where a size should be; empty when nothing is known.
std::string_view foreign_protocol(BytesView start) {
  constexpr std::array<std::string_view, 8> kHttpStarts{"GET ", "POST", "PUT ", "HEAD", "DELE", "OPTI", "PATC", "HTTP"};
  if (std::find(kHttpStarts.begin(), kHttpStarts.end(), as_text(start)) != kHttpStarts.end()) return "HTTP";
  if (start[0] == std::byte{0x16} && start[1] == std::byte{0x03}) return "TLS";
  return {};
}

}  // namespace

asio::awaitable<Result<Bytes>> FrameReader::next(Bytes spare) {
  while (buffered() < kSizeBytes) {
    const MutableBytesView room = room_for_size();
    Result<std::size_t> read = co_await stream_.read_some(room);
    if (!read) {
      if (buffered() == 0 || read.error().code != Errc::disconnected) co_return failure(std::move(read.error()));
      cut_short_ = true;
      co_return failure(Errc::disconnected, stream_.peer_name() + " left in the middle of a frame's size");
    }
    end_ += *read;
  }
  const Result<std::size_t> size = take_size();
  if (!size) co_return failure(size.error());
  if (spare.empty() && memory_ != nullptr) spare = memory_->take(*size);
  const std::size_t received = take_buffered(spare, *size);
  if (received < *size) {
    Result<void> read = co_await read_rest(spare, received, *size);
    if (!read) co_return failure(std::move(read.error()));
  }
  trusted_bytes_ = std::min(std::max(trusted_bytes_, *size), kTrustedBytesMax);
  co_return std::move(spare);
}

/// Where to read ahead; what is buffered already moves to the front where the rest of a size would not fit.
MutableBytesView FrameReader::room_for_size() {
  if (buffer_.empty()) buffer_.resize(kReadAheadBytes);
  if (start_ == end_) start_ = end_ = 0;
  if (buffer_.size() - start_ < kSizeBytes) {
    std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(start_),
              buffer_.begin() + static_cast<std::ptrdiff_t>(end_), buffer_.begin());
    end_ -= start_;
    start_ = 0;
  }
  return MutableBytesView(buffer_).subspan(end_);
}

bool FrameReader::has_whole_frame() const noexcept {
  if (buffered() < kSizeBytes) return false;
  const auto size = big_endian::load<std::int32_t>(buffer_.data() + start_);
  return size < 0 || buffered() - kSizeBytes >= static_cast<std::size_t>(size);
}

Result<std::size_t> FrameReader::take_size() {
  const BytesView start = BytesView(buffer_).subspan(start_, kSizeBytes);
  const auto size = big_endian::load<std::int32_t>(start.data());
  if (size < 0)
    return failure(Errc::corrupt_data, stream_.peer_name() + " sent a frame of negative size " + std::to_string(size));
  if (size > frame_bytes_max_) {
    const std::string_view protocol = foreign_protocol(start);
    if (!protocol.empty()) {
      return failure(Errc::corrupt_data,
                     stream_.peer_name() + " speaks " + std::string(protocol) + ", not Kafka's protocol");
    }
    return failure(Errc::corrupt_data, stream_.peer_name() + " sent a frame of " + std::to_string(size) +
                                           " bytes, allowed are " + std::to_string(frame_bytes_max_));
  }
  start_ += kSizeBytes;
  return static_cast<std::size_t>(size);
}

/// Moves what was read ahead of the frame into it; how much that is.
std::size_t FrameReader::take_buffered(Bytes& frame, std::size_t size) {
  const std::size_t ready = std::min(size, buffered());
  const auto first = buffer_.begin() + static_cast<std::ptrdiff_t>(start_);
  if (frame.capacity() < size) frame.clear();  // it will be moved: its bytes need not
  frame.reserve(std::min(size, std::max(kFrameBytesOnTrust, trusted_bytes_)));
  // What the memory held before stays until it is received over: to zero it costs as much as a third of receiving.
  frame.resize(std::max(ready, std::min(frame.size(), size)));
  std::copy_n(first, ready, frame.begin());
  start_ += ready;
  return ready;
}

asio::awaitable<Result<void>> FrameReader::read_rest(Bytes& frame, std::size_t received, std::size_t size) {
  while (received < size) {
    // As much again as has arrived, so that a claim of 100 MB costs its sender as many bytes as it costs us.
    const std::size_t allowed = std::max({received * 2, kFrameBytesOnTrust, trusted_bytes_});
    if (frame.size() < std::min(size, allowed)) frame.resize(std::min(size, allowed));
    const MutableBytesView room = MutableBytesView(frame).subspan(received);
    Result<std::size_t> read = co_await stream_.read_some(room);
    if (!read) {
      if (read.error().code != Errc::disconnected) co_return failure(std::move(read.error()));
      cut_short_ = true;
      co_return failure(Errc::disconnected, stream_.peer_name() + " left in the middle of a frame (" +
                                                std::to_string(received) + " of " + std::to_string(size) + " bytes)");
    }
    received += *read;
  }
  co_return Result<void>{};
}

asio::awaitable<Result<void>> write_frame(ByteStream& stream, BytesView own, std::vector<ExternalPart> places,
                                          std::vector<ExternalSource> sources) {
  std::uint64_t total = own.size();
  bool fits = places.size() == sources.size();
  for (std::size_t i = 0; fits && i < places.size(); ++i) {
    const std::uint64_t length = sources[i].file ? sources[i].length : sources[i].bytes.size();
    fits = places[i].length == length && places[i].position <= own.size() &&
           (i == 0 || places[i - 1].position <= places[i].position);
    total += length;
  }
  if (!fits || total > static_cast<std::uint64_t>(std::numeric_limits<std::int32_t>::max())) {
    co_return failure(Errc::invalid_argument, "a frame's external parts do not fit it");
  }
  std::array<std::byte, kSizeBytes> size{};
  big_endian::store(size.data(), static_cast<std::int32_t>(total));
  std::vector<BytesView> parts{BytesView(size)};
  std::size_t written = 0;  // of `own`
  for (std::size_t i = 0; i < places.size(); ++i) {
    parts.push_back(own.subspan(written, places[i].position - written));
    written = places[i].position;
    if (!sources[i].file) {
      parts.push_back(sources[i].bytes);
      continue;
    }
    if (Result<void> sent = co_await stream.write(parts); !sent) co_return sent;
    parts.clear();
    const runtime::File& file = *sources[i].file;
    if (Result<void> sent = co_await stream.write_file(file, sources[i].position, sources[i].length); !sent)
      co_return sent;
  }
  parts.push_back(own.subspan(written));
  co_return co_await stream.write(parts);
}

}  // namespace barnabas::net
