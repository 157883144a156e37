#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "common/bytes/bytes.h"
#include "common/bytes/result.h"

namespace barnabas::record {

/// Kafka's codecs, with the ids of the batch attributes.
enum class CompressionType : std::uint8_t { none = 0, gzip = 1, snappy = 2, lz4 = 3, zstd = 4 };

std::string_view to_string(CompressionType type) noexcept;
/// By the name of `compression.type`: "none", "gzip", "snappy", "lz4", "zstd".
std::optional<CompressionType> compression_from_name(std::string_view name) noexcept;

/// Defaults of compression.{gzip,lz4,zstd}.level; snappy and none have no level.
int default_level(CompressionType type) noexcept;

/// Appends the compressed form of `plain` to `out`, in the framing that Kafka's Java clients write.
/// snappy: xerial stream of 32 KiB blocks; lz4: frame of independent 64 KiB blocks, level 9 (Kafka's default) being the
/// fast compressor; gzip: one member; zstd: one frame. `none` appends as it is.
/// Threads: any.  Errors: io_error when the library fails.
Result<void> compress(CompressionType type, int level, BytesView plain, Bytes& out);

/// Reads plain bytes out of compressed ones piece by piece, so that nobody holds the whole.
/// Threads: one at a time. Its codec state is kept for the thread's next one.
class Decompressor {
 public:
  virtual ~Decompressor() = default;
  /// Fills at most `out`; 0 bytes mean the end. `out` must not be empty.
  /// Errors: corrupt_data for what Kafka refuses too (bytes behind a gzip, snappy or lz4 stream pass, behind zstd not).
  virtual Result<std::size_t> read(MutableBytesView out) = 0;
  /// What the compressed bytes say of their plain size; none where they do not. They may lie.
  virtual std::optional<std::size_t> said_plain_bytes() const { return std::nullopt; }
  /// What the codec's library takes for it until it is destroyed, at most. For zstd this is what the writer of the
  /// frame asked for, up to 128 MiB; it takes none of it where the first read() has room for said_plain_bytes().
  virtual std::size_t window_bytes() const { return 0; }
};

/// `compressed` is borrowed for the life of the decompressor.
/// Errors: corrupt_data where the stream's head is wrong already.
Result<std::unique_ptr<Decompressor>> make_decompressor(CompressionType type, BytesView compressed);

/// Appends all plain bytes to `out`; never grows it by more than `limit_bytes`.
/// Errors: corrupt_data; buffer_full when there is more than the limit.
Result<void> decompress(CompressionType type, BytesView compressed, Bytes& out, std::size_t limit_bytes);

}  // namespace barnabas::record
