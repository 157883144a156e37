#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string_view>

#include "common/bytes/reader.h"
#include "common/bytes/result.h"
#include "common/bytes/writer.h"

namespace barnabas::protocol {

enum class MessageKind { request, response, header, data, metadata, coordinator_key, coordinator_value };

/// One generated message, for code that takes any of them: tests, fuzzing, tools that show bytes as JSON.
struct MessageInfo {
  std::string_view name;  ///< Kafka's, such as "ProduceRequest".
  MessageKind kind;
  std::int16_t key;  ///< API key of a request or response, record type of a record; -1 for what has neither.
  std::int16_t min_version;
  std::int16_t max_version;
  std::int16_t first_flexible_version;  ///< 32767 where no version is flexible.
  /// Decodes one message, then writes it to `out` and its JSON to `json`, each where it is not null.
  Result<void> (*recode)(Reader& in, std::int16_t version, Writer* out, nlohmann::json* json);
};

/// All messages, in the order of their schema files' names.
std::span<const MessageInfo> all_messages() noexcept;
/// Null where there is none.
const MessageInfo* find_message(std::string_view name) noexcept;
const MessageInfo* find_message(MessageKind kind, std::int16_t key) noexcept;

}  // namespace barnabas::protocol
