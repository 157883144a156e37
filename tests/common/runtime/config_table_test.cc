#include "common/runtime/config_table.h"

#include <gtest/gtest.h>

#include "common/runtime/edit_distance.h"
#include "common/runtime/properties.h"

namespace barnabas::runtime {
namespace {

const ConfigTable& table() {
  static const ConfigTable rows(
      "producer",
      {
          {.name = "acks",
           .type = ConfigType::string,
           .default_value = "all",
           .allowed = {"all", "-1", "0", "1"},
           .doc = "Who | must have it"},
          {.name = "batch.size", .type = ConfigType::integer, .default_value = "16384", .min = 0},
          {.name = "linger.ms", .type = ConfigType::long_integer, .default_value = "5", .min = 0},
          {.name = "enable.idempotence", .type = ConfigType::boolean, .default_value = "true"},
          {.name = "backoff.jitter", .type = ConfigType::floating, .default_value = "0.2", .min = 0, .max = 1},
          {.name = "bootstrap.servers", .type = ConfigType::list, .default_value = ""},
          {.name = "client.id", .type = ConfigType::string},
          {.name = "replicas", .type = ConfigType::short_integer, .default_value = "1"},
          {.name = "ssl.key.password",
           .type = ConfigType::password,
           .status = ConfigStatus::refused,
           .differs = "TLS is not there yet"},
          {.name = "security.protocol",
           .type = ConfigType::string,
           .default_value = "PLAINTEXT",
           .allowed = {"PLAINTEXT", "SSL"},
           .status = ConfigStatus::refused,
           .differs = "TLS and SASL are not there yet",
           .any_case = true},
          {.name = "metadata.recovery.strategy",
           .type = ConfigType::string,
           .default_value = "rebootstrap",
           .allowed = {"none", "rebootstrap"},
           .any_case = true},
          {.name = "metric.reporters",
           .type = ConfigType::list,
           .default_value = "",
           .status = ConfigStatus::accepted,
           .differs = "Java classes"},
      });
  return rows;
}

std::string problem_of(const std::map<std::string, std::string>& given) {
  const auto parsed = table().parse(given);
  return parsed ? "no problem" : parsed.error().message();
}

TEST(ConfigTable, gives_defaults_and_what_was_set) {
  const auto parsed =
      table().parse({{"batch.size", " 32768 "}, {"bootstrap.servers", "a:1 , b:2"}, {"enable.idempotence", "FALSE"}});
  ASSERT_TRUE(parsed) << parsed.error().message();
  EXPECT_EQ(parsed->get_int("batch.size"), 32768);
  EXPECT_EQ(parsed->get_list("bootstrap.servers"), (std::vector<std::string>{"a:1", "b:2"}));
  EXPECT_FALSE(parsed->get_bool("enable.idempotence"));
  EXPECT_EQ(parsed->get_long("linger.ms"), 5);
  EXPECT_EQ(parsed->get_double("backoff.jitter"), 0.2);
  EXPECT_EQ(parsed->get_short("replicas"), 1);
  EXPECT_EQ(parsed->get_string("acks"), "all");
  EXPECT_TRUE(parsed->is_null("client.id"));
  EXPECT_EQ(parsed->get_string("client.id"), "");
  EXPECT_TRUE(parsed->is_set("batch.size"));
  EXPECT_FALSE(parsed->is_set("acks"));
  EXPECT_EQ(parsed->text("bootstrap.servers"), "a:1,b:2");
  EXPECT_EQ(parsed->text("client.id"), std::nullopt);
}

TEST(ConfigTable, suggests_the_nearest_name) {
  EXPECT_EQ(problem_of({{"akcs", "1"}}),
            "unknown producer setting 'akcs', did you mean 'acks'?: invalid configuration");
  EXPECT_EQ(problem_of({{"linger_ms", "1"}}),
            "unknown producer setting 'linger_ms', did you mean 'linger.ms'?: invalid configuration");
  EXPECT_EQ(problem_of({{"entirely.of.another.kind", "1"}}),
            "unknown producer setting 'entirely.of.another.kind': invalid configuration");
}

TEST(ConfigTable, refuses_ill_typed_values_and_those_out_of_range) {
  EXPECT_EQ(problem_of({{"batch.size", "many"}}), "batch.size=many (it takes an int): invalid configuration");
  EXPECT_EQ(problem_of({{"batch.size", "2147483648"}}),
            "batch.size=2147483648 (it takes an int): invalid configuration");
  EXPECT_EQ(problem_of({{"batch.size", "-1"}}), "batch.size=-1 (allowed: at least 0): invalid configuration");
  EXPECT_EQ(problem_of({{"backoff.jitter", "1.5"}}), "backoff.jitter=1.5 (allowed: 0 to 1): invalid configuration");
  EXPECT_EQ(problem_of({{"acks", "2"}}), "acks=2 (allowed: all, -1, 0, 1): invalid configuration");
  EXPECT_EQ(problem_of({{"enable.idempotence", "yes"}}),
            "enable.idempotence=yes (it takes a boolean): invalid configuration");
}

TEST(ConfigTable, refused_settings_may_only_say_their_default) {
  EXPECT_EQ(problem_of({{"security.protocol", "PLAINTEXT"}}), "no problem");
  EXPECT_EQ(problem_of({{"security.protocol", "SSL"}}),
            "security.protocol=SSL is refused: TLS and SASL are not there yet: invalid configuration");
}

TEST(ConfigTable, takes_a_word_in_any_case_where_the_setting_says_so) {
  const auto parsed = table().parse({{"metadata.recovery.strategy", "NONE"}, {"security.protocol", "plaintext"}});
  ASSERT_TRUE(parsed) << parsed.error().message();
  EXPECT_EQ(parsed->get_string("metadata.recovery.strategy"), "none");
  EXPECT_EQ(parsed->get_string("security.protocol"), "PLAINTEXT");
  EXPECT_EQ(problem_of({{"metadata.recovery.strategy", "maybe"}}),
            "metadata.recovery.strategy=maybe (allowed: none, rebootstrap (in any case)): invalid configuration");
  EXPECT_EQ(problem_of({{"acks", "ALL"}}), "acks=ALL (allowed: all, -1, 0, 1): invalid configuration");
}

TEST(ConfigTable, a_password_is_never_shown) {
  EXPECT_EQ(problem_of({{"ssl.key.password", "secret"}}).find("secret"), std::string::npos);
}

TEST(ConfigTable, says_all_that_is_wrong_at_once) {
  EXPECT_EQ(
      problem_of({{"acks", "2"}, {"akcs", "1"}}),
      "acks=2 (allowed: all, -1, 0, 1); unknown producer setting 'akcs', did you mean 'acks'?: invalid configuration");
}

TEST(ConfigTable, lists_what_was_accepted_without_effect) {
  const auto parsed = table().parse({{"metric.reporters", "x.Y"}});
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->without_effect(), (std::vector<std::string>{"metric.reporters"}));
}

TEST(ConfigTable, asks_for_what_is_required) {
  const ConfigTable required("consumer", {{.name = "bootstrap.servers", .type = ConfigType::list, .required = true}});
  EXPECT_EQ(required.parse({}).error().subject, "bootstrap.servers must be set");
  EXPECT_TRUE(required.parse({{"bootstrap.servers", "a:1"}}));
}

TEST(ConfigTable, renders_markdown) {
  const std::string page = table().to_markdown();
  EXPECT_NE(page.find("| `acks` | string | all | all, -1, 0, 1 | Who \\| must have it | acts |  |\n"),
            std::string::npos)
      << page;
  EXPECT_NE(page.find("| `security.protocol` | string | PLAINTEXT | PLAINTEXT, SSL (in any case) |  | refused | TLS "
                      "and SASL are not there yet |\n"),
            std::string::npos);
}

TEST(EditDistance, counts_insertions_deletions_replacements_and_swaps) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("abc", ""), 3u);
  EXPECT_EQ(edit_distance("acks", "akcs"), 1u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
}

TEST(Properties, reads_what_java_reads) {
  const auto parsed = parse_properties(
      "# comment\n! another\n\na=1\n  b : two words \nc three\nlong=one,\\\n    two,\\\r\n  three\n"
      "tab=a\\tb\\\\c\\n\nkey\\ with\\=odd=v=w\nuni=\\u00e4\\uD83D\\uDE00\nempty\nempty2=\na=last\r\nend=\\");
  ASSERT_TRUE(parsed) << parsed.error().message();
  const Properties expected{{"a", "last"},
                            {"b", "two words "},
                            {"c", "three"},
                            {"long", "one,two,three"},
                            {"tab", "a\tb\\c\n"},
                            {"key with=odd", "v=w"},
                            {"uni", "\xC3\xA4\xF0\x9F\x98\x80"},
                            {"empty", ""},
                            {"empty2", ""},
                            {"end", ""}};
  EXPECT_EQ(*parsed, expected);
}

TEST(Properties, names_the_line_of_a_malformed_escape) {
  const auto parsed = parse_properties("a=1\nb=\\u12g4\n");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code, Errc::invalid_config);
}

}  // namespace
}  // namespace barnabas::runtime
