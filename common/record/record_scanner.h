#pragma once

#include <cstdint>
#include <memory>

#include "common/protocol/errors.h"
#include "common/record/batch_header.h"

namespace barnabas::record {

/// What validation looks at in a record.
struct ScannedRecord {
  std::int32_t offset_delta = 0;
  std::int64_t timestamp_delta = 0;
  bool has_key = false;
};

/// Walks over the records of a compressed batch through a window, skipping keys, values and headers: however large the
/// plain records are, no more than the window (and the codec's own) is ever held. The window is of 64 KiB, an lz4
/// block, so that blocks are decompressed straight into it; up to 1 MiB where the codec says that the whole fits in.
/// Errors: as RecordReader's; corrupt_data from the codec.
class RecordScanner {
 public:
  RecordScanner(const BatchHeader& header, std::unique_ptr<Decompressor> source);

  /// Reads the next record into `out`; false at the end.
  Result<bool> next(ScannedRecord& out);

 private:
  enum class Step { ok, end, too_long, codec };

  bool walk(ScannedRecord& out) noexcept;
  bool read_slowly(ScannedRecord& out);
  Step refill();
  Step byte(std::uint8_t& out);
  Step unsigned_varint(std::uint64_t& bits, int most_bytes);
  Step skip(std::int64_t bytes);
  /// A field of the record's body: fails when the body or the stream ends first.
  bool body_varint(std::int32_t& value);
  bool body_varlong(std::int64_t& value);
  bool body_skip(std::int32_t bytes);
  bool read_body(ScannedRecord& out);
  bool skip_headers();
  tl::unexpected<Failure> why() const;

  std::unique_ptr<Decompressor> source_;
  std::size_t window_bytes_;
  std::unique_ptr<std::byte[]> window_;  // not zeroed: it is filled before it is read
  std::size_t position_ = 0;
  std::size_t size_ = 0;
  std::int64_t body_left_ = 0;
  std::int32_t count_;
  std::int32_t read_ = 0;
  Failure codec_failure_;
  bool codec_failed_ = false;
  protocol::ErrorCode code_ = protocol::ErrorCode::invalid_record;  // of problem_
  const char* problem_ = "found invalid record structure";
};

}  // namespace barnabas::record
