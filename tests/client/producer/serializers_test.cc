#include "barnabas/serializers.h"

#include <gtest/gtest.h>

#include <limits>

#include "barnabas/json_serializer.h"
#include "tests/support/golden.h"

namespace {

struct Point {
  std::int32_t x = 0;
  std::int32_t y = 0;
  bool operator==(const Point&) const = default;
};

}  // namespace

template <>
struct barnabas::Serializer<Point> {
  static std::vector<std::byte> serialize(const Point& point) {
    auto bytes = Serializer<std::int32_t>::serialize(point.x);
    const auto more = Serializer<std::int32_t>::serialize(point.y);
    bytes.insert(bytes.end(), more.begin(), more.end());
    return bytes;
  }
  static std::optional<Point> deserialize(std::span<const std::byte> bytes) {
    if (bytes.size() != 8) return std::nullopt;
    return Point{*Serializer<std::int32_t>::deserialize(bytes.first(4)),
                 *Serializer<std::int32_t>::deserialize(bytes.last(4))};
  }
};

namespace barnabas {
namespace {

TEST(Serializer, integers_are_big_endian_and_read_back) {
  EXPECT_EQ(testing::to_hex(serialize(std::int32_t{1}).bytes()), "00000001");
  EXPECT_EQ(testing::to_hex(serialize(std::int16_t{-2}).bytes()), "fffe");
  EXPECT_EQ(testing::to_hex(serialize(std::uint8_t{200}).bytes()), "c8");
  for (const std::int64_t value : {std::int64_t{0}, std::int64_t{-1}, std::numeric_limits<std::int64_t>::min(),
                                   std::numeric_limits<std::int64_t>::max()}) {
    EXPECT_EQ(deserialize<std::int64_t>(serialize(value).bytes()), value);
  }
  EXPECT_FALSE(deserialize<std::int32_t>(serialize(std::int64_t{1}).bytes()));
}

TEST(Serializer, text_bytes_json_and_own_types_read_back) {
  EXPECT_EQ(deserialize<std::string>(serialize(std::string("hé")).bytes()), "hé");
  const std::vector<std::byte> raw{std::byte{1}, std::byte{0}};
  EXPECT_EQ(deserialize<std::vector<std::byte>>(serialize(raw).bytes()), raw);
  const nlohmann::json json{{"a", 1}, {"b", {true, nullptr}}};
  EXPECT_EQ(deserialize<nlohmann::json>(serialize(json).bytes()), json);
  EXPECT_FALSE(deserialize<nlohmann::json>(serialize(std::string("{")).bytes()));
  EXPECT_EQ(deserialize<Point>(serialize(Point{3, -4}).bytes()), (Point{3, -4}));
  EXPECT_FALSE(deserialize<Point>(std::optional<std::span<const std::byte>>{}));
}

TEST(Serializer, a_serialized_value_is_a_records_value) {
  const auto size = [](const Record& record) { return record.key.size() + record.value.size(); };
  EXPECT_EQ(size({.topic = "t", .key = serialize(42), .value = serialize(Point{1, 2})}), 12U);
}

}  // namespace
}  // namespace barnabas
