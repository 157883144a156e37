#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "barnabas/record.h"
#include "common/bytes/result.h"

namespace barnabas::cli {

/// One record as a line of JSON, with its line end: topic, partition, offset, timestamp (milliseconds), key, value, and
/// headers as a list of {key, value}. Bytes that are no UTF-8 stand in base64 under key_base64 or value_base64.
void append_record_json(const RecordView& record, std::string& out);

/// A record that a line described, with bytes of its own.
struct RecordLine {
  std::optional<std::int32_t> partition;
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<std::pair<std::string, std::optional<std::string>>> headers;
  std::optional<std::int64_t> timestamp_ms;
};

/// Reads a line as append_record_json writes it (topic and offset are skipped over). Headers may also be an object of
/// texts; a key or value that is a number, object, ... is taken as its JSON text.
/// Errors: Errc::invalid_argument that names the field.
Result<RecordLine> parse_record_json(std::string_view line);

}  // namespace barnabas::cli
