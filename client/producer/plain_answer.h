#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "common/bytes/bytes.h"
#include "common/bytes/reader.h"
#include "common/bytes/uuid.h"

namespace barnabas::client {

/// What a plain answer says of a partition: its batch is stored.
struct StoredBatch {
  std::string_view topic;  ///< Up to version 12; later the id.
  Uuid topic_id;
  std::int32_t partition = 0;
  std::int64_t base_offset = -1;
  std::int64_t log_append_time_ms = -1;
};

/// Goes through the body of a ProduceResponse without making the lists of it that decode() makes, as long as it says
/// nothing but that each batch was stored. Most answers are like that; the others are decode()'s.
class PlainAnswer {
 public:
  PlainAnswer(BytesView body, std::int16_t version);
  /// Whether it is one, and whole.
  static bool is_plain(BytesView body, std::int16_t version);
  /// The next partition; false at the end, or at something else. Views into the body.
  bool next(StoredBatch& stored);

 private:
  bool next_topic(StoredBatch& stored);
  std::size_t count();
  bool has_no_text();
  bool has_no_tags();

  const std::int16_t version_;
  const bool is_flexible_;
  bool ended_ = false;  // all of it was read
  Reader in_;
  std::size_t topics_left_;
  std::size_t partitions_left_ = 0;
};

}  // namespace barnabas::client
