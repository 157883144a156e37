#include "client/consumer/decompression.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include "common/protocol/errors.h"
#include "common/record/compress/codec.h"

namespace barnabas::client {
namespace {

constexpr std::size_t kWindowBytes = 16 * 1024;
constexpr std::size_t kSmallestBufferBytes = 16 * 1024;
constexpr std::size_t kUsualRatio = 4;

/// Moves what it holds into a buffer of `bytes`; false where the budget has not that much besides.
bool move_to(CountedBuffer& buffer, std::size_t used, std::size_t bytes, BufferPool& buffers) {
  auto lease = buffers.budget().try_take(bytes);
  if (!lease && buffers.drop_idle()) lease = buffers.budget().try_take(bytes);
  if (!lease) return false;
  Bytes larger;
  larger.reserve(bytes);
  larger.insert(larger.end(), buffer.bytes.begin(), buffer.bytes.begin() + static_cast<std::ptrdiff_t>(used));
  larger.resize(bytes);
  buffer = CountedBuffer{std::move(larger), std::move(*lease)};
  return true;
}

/// The budget's part that the codec's library needs besides; none where the budget has not that much.
std::optional<MemoryBudget::Lease> room_for_window(const record::Decompressor& plain, const CountedBuffer& buffer,
                                                   BufferPool& buffers) {
  const auto said = plain.said_plain_bytes();
  if (plain.window_bytes() == 0 || (said && *said <= buffer.bytes.size())) return MemoryBudget::Lease();
  auto lease = buffers.budget().try_take(plain.window_bytes());
  if (!lease && buffers.drop_idle()) lease = buffers.budget().try_take(plain.window_bytes());
  return lease;
}

/// Fills `buffer`, which grows as it must; the bytes used, or none where it could not grow.
Result<std::optional<std::size_t>> fill(CountedBuffer& buffer, record::Decompressor& plain, BufferPool& buffers) {
  std::size_t used = 0;
  for (;;) {
    std::byte one{};
    const bool is_full = used == buffer.bytes.size();
    const auto room = is_full ? MutableBytesView(&one, 1) : MutableBytesView(buffer.bytes).subspan(used);
    const auto count = plain.read(room);
    if (!count) return failure(count.error());
    if (*count == 0) return std::optional(used);
    if (is_full) {
      if (!move_to(buffer, used, used * 2 + kSmallestBufferBytes, buffers)) return std::optional<std::size_t>();
      buffer.bytes[used] = one;
    }
    used += *count;
  }
}

/// How many bytes there are, or one more than `most`.
Result<std::size_t> measure(record::Decompressor& plain, std::size_t most) {
  std::array<std::byte, kWindowBytes> window;
  std::size_t total = 0;
  for (;;) {
    const auto count = plain.read(window);
    if (!count) return failure(count.error());
    total += *count;
    if (*count == 0) return total;
    if (total > most) return most + 1;
  }
}

}  // namespace

Result<std::shared_ptr<const Bytes>> decompress_batch(const record::BatchView& batch, BufferPool& buffers) {
  const record::BatchHeader& header = batch.header();
  if (!header.is_known_compression()) {
    return failure(protocol::ErrorCode::unknown_server_error,
                   "unknown compression type id " + std::to_string(header.compression_id()));
  }
  auto plain = record::make_decompressor(header.compression(), batch.records());
  if (!plain) return failure(plain.error());
  CountedBuffer buffer = buffers.take();
  const std::size_t said = (*plain)->said_plain_bytes().value_or(0);
  if (buffer.bytes.size() < said) {
    buffer = {};
    static_cast<void>(move_to(buffer, 0, said, buffers));
  } else if (buffer.bytes.empty()) {
    static_cast<void>(
        move_to(buffer, 0, std::max(kSmallestBufferBytes, batch.records().size() * kUsualRatio), buffers));
  }
  const auto window = room_for_window(**plain, buffer, buffers);
  if (!window) return failure(Errc::buffer_full);
  auto filled = fill(buffer, **plain, buffers);
  if (!filled) return failure(filled.error());
  if (!*filled) {
    buffer = {};
    plain->reset();
    plain = record::make_decompressor(header.compression(), batch.records());
    if (!plain) return failure(plain.error());
    const auto size = measure(**plain, buffers.budget().limit_bytes());
    if (!size) return failure(size.error());
    if (!move_to(buffer, 0, *size, buffers)) return failure(Errc::buffer_full);
    plain->reset();
    plain = record::make_decompressor(header.compression(), batch.records());
    if (!plain) return failure(plain.error());
    filled = fill(buffer, **plain, buffers);
    if (!filled) return failure(filled.error());
    if (!*filled) return failure(Errc::buffer_full);
  }
  buffer.bytes.resize(**filled);
  return buffers.share(std::move(buffer));
}

}  // namespace barnabas::client
