#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "common/bytes/reader.h"
#include "common/bytes/writer.h"
#include "common/protocol/headers.h"
#include "common/protocol/message_registry.h"
#include "tests/support/golden.h"

namespace barnabas::protocol {
namespace {

using testing::from_base64;
using testing::golden_lines;
using testing::to_hex;

std::string described(const nlohmann::json& line) {
  return line["message"].get<std::string>() + " v" + line["version"].dump() + " " + line["sample"].get<std::string>();
}

class GoldenMessages : public ::testing::TestWithParam<const char*> {
 protected:
  std::vector<nlohmann::json> lines = golden_lines(GetParam());
};

TEST_P(GoldenMessages, decode_to_the_same_json_and_encode_to_the_same_bytes) {
  ASSERT_FALSE(lines.empty());
  for (const nlohmann::json& line : lines) {
    SCOPED_TRACE(described(line));
    const MessageInfo* info = find_message(line["message"].get<std::string>());
    ASSERT_NE(info, nullptr);
    const Bytes bytes = from_base64(line["base64"].get<std::string>());
    Reader in(bytes);
    Writer out;
    nlohmann::json json;
    const Result<void> done = info->recode(in, line["version"].get<std::int16_t>(), &out, &json);
    ASSERT_TRUE(done) << done.error().message();
    EXPECT_EQ(in.remaining(), 0U);
    EXPECT_EQ(to_hex(out.view()), to_hex(bytes));
    EXPECT_EQ(json, line["json"]) << nlohmann::json::diff(line["json"], json);
  }
}

TEST_P(GoldenMessages, are_flexible_in_the_versions_that_kafka_says) {
  for (const nlohmann::json& line : lines) {
    const MessageInfo* info = find_message(line["message"].get<std::string>());
    ASSERT_NE(info, nullptr) << described(line);
    EXPECT_EQ(line["version"].get<int>() >= info->first_flexible_version, line["flexible"].get<bool>())
        << described(line);
  }
}

TEST_P(GoldenMessages, cut_short_anywhere_are_refused) {
  for (const nlohmann::json& line : lines) {
    const MessageInfo& info = *find_message(line["message"].get<std::string>());
    const Bytes bytes = from_base64(line["base64"].get<std::string>());
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const Bytes prefix(bytes.begin(),
                         bytes.begin() + static_cast<std::ptrdiff_t>(size));  // Own memory: the sanitizer sees.
      Reader in(prefix);
      const Result<void> done = info.recode(in, line["version"].get<std::int16_t>(), nullptr, nullptr);
      ASSERT_FALSE(done) << described(line) << " cut to " << size << " of " << bytes.size();
      ASSERT_EQ(done.error().code, Errc::corrupt_data);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Files, GoldenMessages,
                         ::testing::Values("messages-requests.jsonl", "messages-responses.jsonl",
                                           "messages-other.jsonl"),
                         [](const auto& file) {
                           return std::string(file.param).substr(9, std::string(file.param).size() - 15);
                         });

TEST(GoldenVersions, are_all_those_that_we_have) {
  std::set<std::string> golden;
  for (const char* file : {"messages-requests.jsonl", "messages-responses.jsonl", "messages-other.jsonl"}) {
    for (const nlohmann::json& line : golden_lines(file)) {
      golden.insert(line["message"].get<std::string>() + " " + line["version"].dump());
    }
  }
  std::set<std::string> ours;
  for (const MessageInfo& info : all_messages()) {
    for (int version = info.min_version; version <= info.max_version; ++version) {
      ours.insert(std::string(info.name) + " " + std::to_string(version));
    }
  }
  EXPECT_EQ(ours, golden);
}

TEST(GoldenStorageFraming, is_the_prefix_that_the_kind_of_message_asks_for) {
  std::size_t seen = 0;
  for (const nlohmann::json& line : golden_lines("messages-other.jsonl")) {
    if (!line.contains("framedBase64")) continue;
    SCOPED_TRACE(described(line));
    const MessageInfo& info = *find_message(line["message"].get<std::string>());
    Writer out;
    if (info.kind == MessageKind::metadata) {
      out.unsigned_varint(1);
      out.unsigned_varint(static_cast<std::uint32_t>(info.key));
      out.unsigned_varint(line["version"].get<std::uint32_t>());
    } else {
      out.int16(info.kind == MessageKind::coordinator_key ? info.key : line["version"].get<std::int16_t>());
    }
    const Bytes bytes = from_base64(line["base64"].get<std::string>());
    Reader in(bytes);
    ASSERT_TRUE(info.recode(in, line["version"].get<std::int16_t>(), &out, nullptr));
    EXPECT_EQ(to_hex(out.view()), to_hex(from_base64(line["framedBase64"].get<std::string>())));
    ++seen;
  }
  EXPECT_GT(seen, 100U);
}

Result<void> recode_body(Reader& in, Writer& out, MessageKind kind, std::int16_t key, std::int16_t version) {
  const MessageInfo* info = find_message(kind, key);
  return info == nullptr ? failure(Errc::not_found) : info->recode(in, version, &out, nullptr);
}

Result<void> recode_request(Reader& in, Writer& out) {
  const Result<RequestHeader> header = decode_request_header(in);
  if (!header) return failure(header.error());
  const auto key = static_cast<ApiKey>(header->request_api_key);
  const std::size_t begin = begin_frame(out);
  const std::int16_t version = header->request_api_version;
  if (auto done = header->encode(out, request_header_version(key, version)); !done) return done;
  if (auto done = recode_body(in, out, MessageKind::request, header->request_api_key, version); !done) return done;
  end_frame(out, begin);
  return {};
}

Result<void> recode_response(Reader& in, Writer& out, std::int16_t key, std::int16_t version) {
  const auto api = static_cast<ApiKey>(key);
  const Result<ResponseHeader> header = decode_response_header(in, api, version);
  if (!header) return failure(header.error());
  const std::size_t begin = begin_frame(out);
  if (auto done = header->encode(out, response_header_version(api, version)); !done) return done;
  if (auto done = recode_body(in, out, MessageKind::response, key, version); !done) return done;
  end_frame(out, begin);
  return {};
}

TEST(GoldenFrames, decode_by_their_headers_and_encode_to_the_same_bytes) {
  const std::vector<nlohmann::json> lines = golden_lines("frames.jsonl");
  ASSERT_FALSE(lines.empty());
  for (const nlohmann::json& line : lines) {
    SCOPED_TRACE(line.dump().substr(0, 200));
    const Bytes frame = from_base64(line["base64"].get<std::string>());
    Reader in(frame);
    const std::int32_t size = in.int32();
    ASSERT_EQ(size, static_cast<std::int32_t>(in.remaining()));
    Writer out;
    const auto done = line["type"] == "request" ? recode_request(in, out)
                                                : recode_response(in, out, line["apiKey"].get<std::int16_t>(),
                                                                  line["version"].get<std::int16_t>());
    ASSERT_TRUE(done) << done.error().message();
    EXPECT_EQ(in.remaining(), 0U);
    EXPECT_EQ(to_hex(out.view()), to_hex(frame));
  }
}

}  // namespace
}  // namespace barnabas::protocol
