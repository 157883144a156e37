#include "client/cli/record_json.h"

#include <gtest/gtest.h>

#include "client/cli/base64.h"
#include "client/cli/record_format.h"

namespace barnabas::cli {
namespace {

const std::string kTopic = "orders";

RecordView view(const std::optional<std::string>& key, const std::optional<std::string>& value) {
  RecordView::Parts parts;
  parts.topic = &kTopic;
  parts.partition = 3;
  parts.offset = 42;
  parts.timestamp_ms = 1000;
  if (key) {
    parts.key = reinterpret_cast<const std::byte*>(key->data());
    parts.key_bytes = static_cast<std::int32_t>(key->size());
  }
  if (value) {
    parts.value = reinterpret_cast<const std::byte*>(value->data());
    parts.value_bytes = static_cast<std::int32_t>(value->size());
  }
  return RecordView(parts);
}

TEST(RecordJson, writes_one_line_that_reads_back_alike) {
  const std::optional<std::string> texts[] = {std::nullopt,  "", "plain", "\"quoted\"\n", "umlaut \xc3\xa4",
                                              "\xff\x00\xfe"};
  for (const auto& key : texts) {
    for (const auto& value : texts) {
      std::string line;
      append_record_json(view(key, value), line);
      EXPECT_EQ(line.find('\n'), line.size() - 1) << line;
      const auto read = parse_record_json(line);
      ASSERT_TRUE(read) << line;
      EXPECT_EQ(read->key, key);
      EXPECT_EQ(read->value, value);
      EXPECT_EQ(read->partition, 3);
      EXPECT_EQ(read->timestamp_ms, 1000);
    }
  }
}

TEST(RecordJson, takes_headers_as_a_list_or_an_object_and_other_values_as_their_text) {
  const auto object = parse_record_json(R"({"value":{"a":[1,2]},"key":7,"headers":{"h":"1","n":null}})");
  ASSERT_TRUE(object);
  EXPECT_EQ(*object->value, R"({"a":[1,2]})");
  EXPECT_EQ(*object->key, "7");
  ASSERT_EQ(object->headers.size(), 2U);
  EXPECT_EQ(object->headers[0], (std::pair<std::string, std::optional<std::string>>("h", "1")));
  EXPECT_EQ(object->headers[1].second, std::nullopt);
  const auto list = parse_record_json(R"({"headers":[{"key":"h","value":"1"},{"key":"h","value_base64":"/w=="}]})");
  ASSERT_TRUE(list);
  EXPECT_EQ(list->headers[1].second, "\xff");
  EXPECT_FALSE(list->value);
}

TEST(RecordJson, names_the_field_that_is_wrong) {
  const std::pair<const char*, const char*> cases[] = {{"[]", "JSON"},
                                                       {"{", "JSON"},
                                                       {R"({"partition":"x"})", "partition"},
                                                       {R"({"timestamp":1.5})", "timestamp"},
                                                       {R"({"headers":7})", "headers"},
                                                       {R"({"headers":[7]})", "headers"},
                                                       {R"({"value_base64":"*"})", "value_base64"}};
  for (const auto& [line, field] : cases) {
    const auto read = parse_record_json(line);
    ASSERT_FALSE(read) << line;
    EXPECT_NE(read.error().subject.find(field), std::string::npos) << read.error().subject;
  }
}

TEST(RecordFormat, fills_in_kcats_letters) {
  const auto format = RecordFormat::parse(R"(%t %p %o %k=%s %T %K %S %%\t)");
  ASSERT_TRUE(format);
  std::string out;
  format->append(view("key", std::nullopt), out);
  EXPECT_EQ(out, "orders 3 42 key= 1000 3 -1 %\t\n");
}

TEST(RecordFormat, ends_every_record_with_one_line_end) {
  for (const char* text : {"%s", "%s\\n"}) {
    std::string out;
    RecordFormat::parse(text)->append(view(std::nullopt, "v"), out);
    EXPECT_EQ(out, "v\n");
  }
  EXPECT_FALSE(RecordFormat::parse("%q"));
}

TEST(Base64, goes_there_and_back_at_every_length) {
  std::string bytes;
  for (int i = 0; i < 70; ++i) {
    EXPECT_EQ(from_base64(to_base64(bytes)), bytes);
    bytes += static_cast<char>(i * 37);
  }
  for (const char* bad : {"a", "ab=", "====", "a===", "ab*=", "=abc"}) EXPECT_FALSE(from_base64(bad)) << bad;
}

}  // namespace
}  // namespace barnabas::cli
