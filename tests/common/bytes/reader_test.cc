#include "common/bytes/reader.h"

#include <gtest/gtest.h>

#include <limits>

#include "common/bytes/writer.h"

namespace barnabas {
namespace {

TEST(Reader, reads_back_what_the_writer_wrote) {
  Writer out;
  out.int8(-1);
  out.int16(-2);
  out.uint16(0xfffe);
  out.int32(std::numeric_limits<std::int32_t>::min());
  out.uint32(0xffffffff);
  out.int64(std::numeric_limits<std::int64_t>::min());
  out.float64(1.5);
  out.boolean(true);
  out.string("text");
  out.compact_nullable_string(std::optional<std::string>("more"));
  out.nullable_length_prefixed_bytes(std::optional<Bytes>(Bytes(3)));
  Reader in(out.view());
  EXPECT_EQ(in.int8(), -1);
  EXPECT_EQ(in.int16(), -2);
  EXPECT_EQ(in.uint16(), 0xfffe);
  EXPECT_EQ(in.int32(), std::numeric_limits<std::int32_t>::min());
  EXPECT_EQ(in.uint32(), 0xffffffff);
  EXPECT_EQ(in.int64(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(in.float64(), 1.5);
  EXPECT_TRUE(in.boolean());
  EXPECT_EQ(in.string(), "text");
  EXPECT_EQ(in.compact_nullable_string(), "more");
  EXPECT_EQ(in.nullable_length_prefixed_bytes()->size(), 3U);
  EXPECT_EQ(in.remaining(), 0U);
  EXPECT_FALSE(in.failed());
}

TEST(Reader, gives_nothing_more_after_its_first_failure) {
  const Bytes bytes(6, std::byte{1});
  Reader in(bytes);
  EXPECT_EQ(in.int32(), 0x01010101);
  EXPECT_EQ(in.int32(), 0) << "only two bytes are left";
  EXPECT_TRUE(in.failed());
  EXPECT_EQ(in.int8(), 0) << "a byte that was there is not read any more";
  EXPECT_EQ(in.remaining(), 0U);
  EXPECT_EQ(in.unsigned_varint(), 0U);
  EXPECT_EQ(in.string(), "");
  EXPECT_TRUE(in.uuid().is_zero());
}

TEST(Reader, refuses_lengths_that_lie) {
  Writer out;
  out.int16(100);
  out.text("short");
  Reader too_long(out.view());
  EXPECT_EQ(too_long.string(), "");
  EXPECT_TRUE(too_long.failed());

  Writer below_null;
  below_null.int16(-2);
  Reader in(below_null.view());
  EXPECT_EQ(in.nullable_string(), std::nullopt);
  EXPECT_TRUE(in.failed()) << "-1 is null, -2 is nothing";

  Writer null;
  null.int16(-1);
  Reader not_nullable(null.view());
  EXPECT_EQ(not_nullable.string(), "");
  EXPECT_TRUE(not_nullable.failed());

  Writer huge;
  huge.unsigned_varint(0xffffffff);
  Reader compact(huge.view());
  EXPECT_EQ(compact.compact_bytes().size(), 0U);
  EXPECT_TRUE(compact.failed());
}

TEST(Reader, reads_nothing_from_no_bytes) {
  Reader in{BytesView{}};
  EXPECT_FALSE(in.failed());
  EXPECT_EQ(in.bytes(0).size(), 0U);
  EXPECT_FALSE(in.failed());
  in.skip(1);
  EXPECT_TRUE(in.failed());
}

TEST(Writer, notes_where_bytes_from_elsewhere_belong) {
  Writer out;
  out.int32(0);
  out.external(1000);
  out.int8(1);
  out.external(24);
  out.patch_int32(0, 7);
  ASSERT_EQ(out.external_parts().size(), 2U);
  EXPECT_EQ(out.external_parts()[0].position, 4U);
  EXPECT_EQ(out.external_parts()[1].position, 5U);
  EXPECT_EQ(out.external_bytes(), 1024U);
  EXPECT_EQ(out.size(), 5U);
  EXPECT_EQ(Reader(out.view()).int32(), 7);
}

}  // namespace
}  // namespace barnabas
