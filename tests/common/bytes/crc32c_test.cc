#include "common/bytes/crc32c.h"

#include <gtest/gtest.h>

#include <random>

namespace barnabas {
namespace {

Bytes random_bytes(std::size_t size) {
  std::mt19937 engine(20240917);
  Bytes bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(engine() & 0xff);
  return bytes;
}

TEST(Crc32c, has_the_check_value_of_the_standard) {
  EXPECT_EQ(crc32c(as_bytes("123456789")), 0xe3069283U);
}

TEST(Crc32c, is_the_same_by_hardware_and_by_table_at_every_length_and_alignment) {
  const Bytes bytes = random_bytes(9000);
  const BytesView view(bytes);
  for (std::size_t size = 0; size < 600; ++size) {
    for (std::size_t from : {0U, 1U, 7U}) {
      ASSERT_EQ(crc32c(view.subspan(from, size)), crc32c_portable(view.subspan(from, size))) << from << " " << size;
    }
  }
  EXPECT_EQ(crc32c(view), crc32c_portable(view));
}

TEST(Crc32c, goes_on_from_what_came_before) {
  const Bytes bytes = random_bytes(1000);
  const BytesView view(bytes);
  for (const std::size_t cut : {0U, 1U, 500U, 999U, 1000U}) {
    EXPECT_EQ(crc32c(view.subspan(cut), crc32c(view.first(cut))), crc32c(view));
    EXPECT_EQ(crc32c_portable(view.subspan(cut), crc32c(view.first(cut))), crc32c(view));
  }
}

}  // namespace
}  // namespace barnabas
