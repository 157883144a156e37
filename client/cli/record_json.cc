#include "client/cli/record_json.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "client/cli/base64.h"

namespace barnabas::cli {
namespace {

using Json = nlohmann::ordered_json;

/// Length of the UTF-8 sequence at the front, 0 where there is none.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xC2 && first < 0xE0   ? 2
                             : first >= 0xE0 && first < 0xF0 ? 3
                             : first >= 0xF0 && first < 0xF5 ? 4
                                                             : 0;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t at = 1; at < length; ++at) {
    if ((byte(at) & 0xC0) != 0x80) return 0;
  }
  const unsigned char second = byte(1);
  const bool overlong_or_surrogate = (first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
                                     (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F);
  return overlong_or_surrogate ? 0 : length;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

void put(Json& object, const char* name, const std::optional<std::string_view>& bytes) {
  if (!bytes) {
    object[name] = nullptr;
  } else if (is_utf8(*bytes)) {
    object[name] = std::string(*bytes);
  } else {
    object[std::string(name) + "_base64"] = to_base64(*bytes);
  }
}

tl::unexpected<Failure> wrong(std::string_view field, std::string_view wanted) {
  return failure(Errc::invalid_argument, fmt::format("field '{}' must be {}", field, wanted));
}

/// The text under `name`, or what its base64 twin holds; none where there is neither or null.
Result<std::optional<std::string>> text_of(const Json& object, const std::string& name) {
  if (const auto encoded = object.find(name + "_base64"); encoded != object.end()) {
    if (!encoded->is_string()) return wrong(name + "_base64", "a text");
    auto bytes = from_base64(encoded->get_ref<const std::string&>());
    if (!bytes) return wrong(name + "_base64", "base64");
    return std::optional<std::string>(std::move(*bytes));
  }
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return std::optional<std::string>();
  if (found->is_string()) return std::optional<std::string>(found->get<std::string>());
  return std::optional<std::string>(found->dump());
}

Result<void> read_headers(const Json& headers, RecordLine& record) {
  if (headers.is_null()) return {};
  if (!headers.is_object() && !headers.is_array()) return wrong("headers", "an object or a list");
  for (const auto& [name, header] : headers.items()) {
    const Json entry = headers.is_object() ? Json{{"key", name}, {"value", header}} : header;
    if (!entry.is_object() || !entry.contains("key") || !entry["key"].is_string()) {
      return wrong("headers", "a list of objects with 'key' and 'value'");
    }
    auto value = text_of(entry, "value");
    if (!value) return failure(value.error());
    record.headers.emplace_back(entry["key"].get<std::string>(), std::move(*value));
  }
  return {};
}

Result<void> read_fields(const Json& object, RecordLine& record) {
  auto key = text_of(object, "key");
  if (!key) return failure(key.error());
  record.key = std::move(*key);
  auto value = text_of(object, "value");
  if (!value) return failure(value.error());
  record.value = std::move(*value);
  if (const auto partition = object.find("partition"); partition != object.end() && !partition->is_null()) {
    if (!partition->is_number_integer()) return wrong("partition", "a whole number");
    record.partition = partition->get<std::int32_t>();
  }
  if (const auto time = object.find("timestamp"); time != object.end() && !time->is_null()) {
    if (!time->is_number_integer()) return wrong("timestamp", "milliseconds since 1970");
    record.timestamp_ms = time->get<std::int64_t>();
  }
  const auto headers = object.find("headers");
  return headers == object.end() ? Result<void>{} : read_headers(*headers, record);
}

}  // namespace

void append_record_json(const RecordView& record, std::string& out) {
  Json line{{"topic", record.topic()},
            {"partition", record.partition()},
            {"offset", record.offset()},
            {"timestamp", record.timestamp().time_since_epoch().count()}};
  put(line, "key", record.key());
  put(line, "value", record.value());
  Json headers = Json::array();
  for (const HeaderView& header : record.headers()) {
    Json entry{{"key", std::string(header.key)}};
    put(entry, "value", header.value);
    headers.push_back(std::move(entry));
  }
  line["headers"] = std::move(headers);
  out += line.dump(-1, ' ', false, Json::error_handler_t::replace);
  out += '\n';
}

Result<RecordLine> parse_record_json(std::string_view line) {
  const Json object = Json::parse(line, nullptr, false);
  if (!object.is_object()) return failure(Errc::invalid_argument, "not an object of JSON");
  RecordLine record;
  if (auto read = read_fields(object, record); !read) return failure(read.error());
  return record;
}

}  // namespace barnabas::cli
