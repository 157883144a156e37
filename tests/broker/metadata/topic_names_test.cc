#include "broker/metadata/topic_names.h"

#include <gtest/gtest.h>

#include "tests/support/golden.h"

namespace barnabas::metadata {
namespace {

TEST(TopicNames, are_valid_internal_and_colliding_where_kafka_says_so) {
  const std::string prefix = "common.errors.InvalidTopicException: ";
  std::size_t seen = 0;
  for (const auto& line : testing::golden_lines("primitives.jsonl")) {
    if (line["kind"] == "topicCollision") {
      EXPECT_EQ(topic_names_collide(line["a"].get<std::string>(), line["b"].get<std::string>()),
                line["collides"].get<bool>());
    }
    if (line["kind"] != "topicName") continue;
    ++seen;
    const std::string name = line["name"];
    const auto checked = check_topic_name(name);
    EXPECT_EQ(checked.has_value(), line["valid"].get<bool>()) << name;
    if (!checked) {
      EXPECT_EQ(prefix + checked.error().subject, line["error"].get<std::string>());
    }
    EXPECT_EQ(is_internal_topic(name), line["internal"].get<bool>()) << name;
    EXPECT_EQ(has_collision_characters(name), line["hasCollisionChars"].get<bool>()) << name;
  }
  EXPECT_GT(seen, 15u);
}

}  // namespace
}  // namespace barnabas::metadata
