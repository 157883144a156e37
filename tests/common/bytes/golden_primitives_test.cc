#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "common/bytes/crc32c.h"
#include "common/bytes/reader.h"
#include "common/bytes/writer.h"
#include "tests/support/golden.h"

namespace barnabas {
namespace {

using testing::from_base64;
using testing::to_hex;

Bytes from_hex(const std::string& hex) {
  Bytes out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    out.push_back(static_cast<std::byte>(std::stoul(hex.substr(i, 2), nullptr, 16)));
  }
  return out;
}

/// The lines of one kind; fails where there is none.
std::vector<nlohmann::json> lines_of(const std::string& kind) {
  std::vector<nlohmann::json> lines;
  for (const nlohmann::json& line : testing::golden_lines("primitives.jsonl")) {
    if (line["kind"] == kind) lines.push_back(line);
  }
  EXPECT_FALSE(lines.empty()) << kind;
  return lines;
}

/// A way to read a number and one to write it, both as text.
struct NumberCodec {
  std::function<std::string(Reader&)> read;
  std::function<void(Writer&, const std::string&)> write;
};

const std::map<std::string, NumberCodec> kNumbers = {
    {"varint",
     {[](Reader& in) { return std::to_string(in.varint()); },
      [](Writer& out, const std::string& v) { out.varint(std::stoi(v)); }}},
    {"unsignedVarint",
     {[](Reader& in) { return std::to_string(in.unsigned_varint()); },
      [](Writer& out, const std::string& v) { out.unsigned_varint(static_cast<std::uint32_t>(std::stoul(v))); }}},
    {"varlong",
     {[](Reader& in) { return std::to_string(in.varlong()); },
      [](Writer& out, const std::string& v) { out.varlong(std::stoll(v)); }}},
    {"unsignedVarlong",
     {[](Reader& in) { return std::to_string(in.unsigned_varlong()); },
      [](Writer& out, const std::string& v) { out.unsigned_varlong(std::stoull(v)); }}},
};

TEST(GoldenPrimitives, numbers_of_variable_length_are_kafkas) {
  for (const auto& [kind, codec] : kNumbers) {
    for (const nlohmann::json& line : lines_of(kind)) {
      SCOPED_TRACE(line.dump());
      const Bytes bytes = from_hex(line["hex"]);
      Reader in(bytes);
      EXPECT_EQ(codec.read(in), line["value"]);
      EXPECT_FALSE(in.failed());
      EXPECT_EQ(in.remaining(), 0U);
      Writer out;
      codec.write(out, line["value"]);
      EXPECT_EQ(to_hex(out.view()), line["hex"]);
    }
  }
}

TEST(GoldenPrimitives, malformed_numbers_are_read_or_refused_as_kafka_does) {
  const std::map<std::string, std::function<std::string(Reader&)>> readers = {
      {"readVarint", [](Reader& in) { return std::to_string(in.varint()); }},
      {"readVarlong", [](Reader& in) { return std::to_string(in.varlong()); }},
      {"readUnsignedVarint",
       [](Reader& in) { return std::to_string(static_cast<std::int32_t>(in.unsigned_varint())); }},
  };
  for (const auto& [kind, read] : readers) {
    for (const nlohmann::json& line : lines_of(kind)) {
      SCOPED_TRACE(line.dump());
      const Bytes bytes = from_hex(line["hex"]);
      Reader in(bytes);
      const std::string value = read(in);
      EXPECT_EQ(in.failed(), line.contains("error"));
      if (line.contains("reads")) {
        EXPECT_EQ(value, line["reads"]);
      }
    }
  }
}

TEST(GoldenPrimitives, checksums_are_kafkas_by_hardware_and_by_table) {
  for (const nlohmann::json& line : lines_of("crc")) {
    const Bytes bytes = from_base64(line["base64"].get<std::string>());
    EXPECT_EQ(crc32c(bytes), line["crc32c"].get<std::uint32_t>());
    EXPECT_EQ(crc32c_portable(bytes), line["crc32c"].get<std::uint32_t>());
  }
}

TEST(GoldenPrimitives, uuids_are_written_and_parsed_as_kafka_does) {
  for (const nlohmann::json& line : lines_of("uuid")) {
    SCOPED_TRACE(line.dump());
    const Bytes bytes = from_hex(line["hex"]);
    Reader in(bytes);
    const Uuid id = in.uuid();
    EXPECT_EQ(id.to_string(), line["string"]);
    EXPECT_EQ(Uuid::parse(line["string"].get<std::string>()).value(), id);
    EXPECT_EQ(id.is_reserved(), line["reserved"].get<bool>());
    EXPECT_EQ(Uuid(id.most_significant(), id.least_significant()), id);
  }
  for (const nlohmann::json& line : lines_of("uuidParse")) {
    SCOPED_TRACE(line.dump());
    const Result<Uuid> id = Uuid::parse(line["string"].get<std::string>());
    EXPECT_EQ(id.has_value(), line.contains("canonical"));
    if (id) {
      EXPECT_EQ(id->to_string(), line["canonical"]);
    }
  }
}

/// The text that a line of kind "type" stands for.
std::string text_value(const std::string& value) {
  if (value.starts_with("'x' * ")) return std::string(std::stoul(value.substr(6)), 'x');
  return nlohmann::json::parse(value).get<std::string>();
}

bool write_type(Writer& out, const std::string& type, const std::string& value) {
  const bool null = value == "null";
  if (type == "STRING")
    out.string(text_value(value));
  else if (type == "COMPACT_STRING")
    out.compact_string(text_value(value));
  else if (type == "NULLABLE_STRING" && null)
    out.nullable_string(std::optional<std::string>{});
  else if (type == "COMPACT_NULLABLE_STRING" && null)
    out.compact_nullable_string(std::optional<std::string>{});
  else if (type == "BYTES")
    out.length_prefixed_bytes(from_hex(value));
  else if (type == "NULLABLE_BYTES" && null)
    out.nullable_length_prefixed_bytes(std::optional<Bytes>{});
  else if (type == "COMPACT_BYTES")
    out.compact_bytes(value == "empty" ? Bytes{} : from_hex(value));
  else if (type == "COMPACT_NULLABLE_BYTES" && null)
    out.compact_nullable_bytes(std::optional<Bytes>{});
  else if (type == "FLOAT64")
    out.float64(std::strtod(value.c_str(), nullptr));
  else if (type == "BOOLEAN")
    out.boolean(value == "true");
  else if (type == "UINT16")
    out.uint16(static_cast<std::uint16_t>(std::stoul(value)));
  else if (type == "UNSIGNED_INT32")
    out.uint32(static_cast<std::uint32_t>(std::stoul(value)));
  else if (type == "UUID")
    out.uuid(Uuid::parse(value).value());
  else
    return false;
  return true;
}

TEST(GoldenPrimitives, types_are_written_as_kafka_does) {
  for (const nlohmann::json& line : lines_of("type")) {
    if (line.contains("error")) continue;  // Text that is too long: the messages' encoder refuses it.
    SCOPED_TRACE(line.dump().substr(0, 200));
    Writer out;
    ASSERT_TRUE(write_type(out, line["type"], line["value"]));
    if (line.contains("hex")) {
      EXPECT_EQ(to_hex(out.view()), line["hex"]);
    } else {
      EXPECT_EQ(out.size(), line["length"].get<std::size_t>());
      EXPECT_EQ(to_hex(out.view().first(8)), line["first8hex"]);
    }
  }
}

}  // namespace
}  // namespace barnabas
