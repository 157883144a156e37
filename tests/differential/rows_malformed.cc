// What no client should send: unknown APIs and versions, headers and bodies cut short, lengths that lie.
#include "common/protocol/message_registry.h"
#include "tests/differential/row.h"
#include "tests/support/golden.h"

namespace barnabas::differential {
namespace {

using protocol::ApiKey;

Frame with_body(ApiKey api, std::int16_t version, BytesView body) {
  Writer out;
  const std::size_t begin = protocol::begin_frame(out);
  if (!protocol::encode_request_header(out, api, version, kCorrelationId, "malformed")) {
    throw std::runtime_error("header");
  }
  out.bytes(body);
  protocol::end_frame(out, begin);
  return {out.take(), api, version};
}

/// A request with something in each of its fields, as Apache Kafka's own classes wrote it.
Bytes golden_body(ApiKey api, std::int16_t version, const std::string& sample) {
  static const std::vector<nlohmann::json> lines = testing::golden_lines("messages-requests.jsonl");
  const std::string message = std::string(protocol::to_string(api)) + "Request";
  for (const nlohmann::json& line : lines) {
    if (line["message"] == message && line["version"] == version && line["sample"] == sample) {
      return testing::from_base64(line["base64"].get<std::string>());
    }
  }
  throw std::runtime_error("no golden " + message);
}

void add(Rows& rows, std::string name, Frame frame) {
  rows.add({std::move(name), {[frame](const Scene&) { return frame; }}, {}});
}

/// Cut at one place each: behind the header, in the middle, before the last byte.
void add_truncated(Rows& rows, ApiKey api, std::int16_t version) {
  const Bytes body = golden_body(api, version, "full");
  if (body.empty()) return;
  add(rows, row_name(api, version, "without_body"), with_body(api, version, {}));
  const BytesView view(body);
  if (body.size() > 3)
    add(rows, row_name(api, version, "half_a_body"), with_body(api, version, view.first(view.size() / 2)));
  add(rows, row_name(api, version, "last_byte_missing"), with_body(api, version, view.first(view.size() - 1)));
}

/// The first list or text of the body is said to be as long as can be.
void add_lying_length(Rows& rows, ApiKey api, std::int16_t version) {
  const bool flexible = version >= protocol::find_api(api)->first_flexible;
  Writer body;
  if (flexible) {
    for (int i = 0; i < 40; ++i) body.bytes(as_bytes("\xff\xff\xff\xff\x07"));
  } else {
    for (int i = 0; i < 40; ++i) body.bytes(as_bytes("\x7f\xff\xff\xff"));
  }
  if (api == ApiKey::api_versions && !flexible) return;  // has no body
  if (api == ApiKey::describe_cluster || api == ApiKey::fetch || api == ApiKey::list_offsets)
    return;  // starts with numbers
  add(rows, row_name(api, version, "lengths_that_lie"), with_body(api, version, body.view()));
}

Frame raw(std::string_view bytes) {
  const BytesView view = as_bytes(bytes);
  return {Bytes(view.begin(), view.end())};
}

template <std::size_t size>
Frame raw(const char (&text)[size]) {
  return raw(std::string_view(text, size - 1));
}

/// ApiVersions of version 3 with tag 9, two bytes, in its header.
Frame with_header_tag() {
  Writer out;
  const std::size_t begin = protocol::begin_frame(out);
  out.int16(18);
  out.int16(3);
  out.int32(kCorrelationId);
  out.string("malformed");
  for (const std::uint32_t number : {1U, 9U, 2U}) out.unsigned_varint(number);
  out.text("xy");
  out.compact_string("name");
  out.compact_string("1");
  out.unsigned_varint(0);
  protocol::end_frame(out, begin);
  return {out.take(), ApiKey::api_versions, 3};
}

void add_frames(Rows& rows) {
  add(rows, "Frame_of_no_bytes", raw("\0\0\0\0"));
  add(rows, "Frame_of_minus_one_bytes", raw("\xff\xff\xff\xff"));
  add(rows, "Frame_of_two_gigabytes", raw("\x7f\xff\xff\xff"));
  add(rows, "Frame_one_byte_above_the_limit", raw("\x06\x40\x00\x01"));
  add(rows, "Frame_of_one_byte", raw("\0\0\0\x01\0"));
  add(rows, "Frame_with_half_a_header", raw("\0\0\0\x06\0\x12\0\0\0\0"));
  add(rows, "Frame_with_a_client_id_longer_than_the_frame",
      raw("\0\0\0\x0b\0\x12\0\0\0\0\0\x07\x7f\xff"
          "a"));
  add(rows, "Frame_with_a_client_id_of_negative_length", raw("\0\0\0\x0a\0\x12\0\0\0\0\0\x07\xff\xfe"));
  add(rows, "Frame_with_a_null_client_id", raw("\0\0\0\x0a\0\x12\0\0\0\0\0\x07\xff\xff"));
  add(rows, "Frame_with_an_empty_client_id", raw("\0\0\0\x0a\0\x12\0\0\0\0\0\x07\0\0"));
  add(rows, "Frame_that_is_HTTP", raw("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  add(rows, "Frame_that_is_TLS", raw("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"));
  Frame half = raw("\0\0\0\x20\0\x12\0\0");
  half.then_finish = true;
  add(rows, "Frame_cut_by_the_end_of_the_stream", half);
  Frame whole = raw("\0\0\0\x0a\0\x12\0\0\0\0\0\x07\xff\xff");
  whole.then_finish = true;
  add(rows, "Frame_answered_behind_the_end_of_the_stream", whole);
  add(rows, "Frame_with_an_unknown_header_tag", with_header_tag());
}

void add_unknown(Rows& rows) {
  constexpr std::int16_t kNotServed[] = {4, 5, 6, 7, 52, 58, 62, 93, 999, 32767, -1};
  for (const std::int16_t key : kNotServed) {
    const std::string text = key < 0 ? "minus_1" : std::to_string(key);
    Writer out;
    const std::size_t begin = protocol::begin_frame(out);
    out.int16(key);
    out.int16(0);
    out.int32(kCorrelationId);
    out.nullable_string(std::optional<std::string>("malformed"));
    for (int i = 0; i < 8; ++i) out.int32(0);
    protocol::end_frame(out, begin);
    add(rows, "Unknown_api_" + text, {out.take()});
  }
  for (const ApiKey api : kServed) {
    const protocol::ApiInfo& info = *protocol::find_api(api);
    const Bytes lowest = golden_body(api, info.min_version, "default");
    const Bytes highest = golden_body(api, info.max_stable_version, "default");
    const auto above = static_cast<std::int16_t>(info.max_stable_version + 1);
    add(rows, row_name(api, above, "above_the_highest"), with_body(api, above, highest));
    add(rows, row_name(api, INT16_MAX, "far_above_the_highest"), with_body(api, 32767, highest));
    add(rows, std::string(protocol::to_string(api)) + "_of_version_minus_1", with_body(api, -1, lowest));
    if (info.min_version == 0) continue;
    const auto below = static_cast<std::int16_t>(info.min_version - 1);
    add(rows, row_name(api, below, "below_the_lowest"), with_body(api, below, lowest));
  }
}

}  // namespace

void add_malformed_rows(Rows& rows) {
  add_frames(rows);
  add_unknown(rows);
  for (const ApiKey api : kServed) {
    for_versions(api, {}, [&](std::int16_t version) {
      add_truncated(rows, api, version);
      add_lying_length(rows, api, version);
    });
  }
}

}  // namespace barnabas::differential
