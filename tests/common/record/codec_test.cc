#include "common/record/compress/codec.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>

#include "tests/support/golden.h"

namespace barnabas::record {
namespace {

constexpr std::array kAll{CompressionType::none, CompressionType::gzip, CompressionType::snappy, CompressionType::lz4,
                          CompressionType::zstd};

/// Half words, half noise, so that blocks of both kinds appear.
Bytes sample(std::size_t size) {
  Bytes bytes(size);
  std::uint32_t state = 12345;
  for (std::size_t i = 0; i < size; ++i) {
    state = state * 1664525U + 1013904223U;
    const bool noise = (i / 50'000) % 2 == 1;
    bytes[i] = noise ? static_cast<std::byte>(state >> 24) : static_cast<std::byte>("barnabas "[i % 9]);
  }
  return bytes;
}

Result<Bytes> read_all(CompressionType type, BytesView compressed, std::size_t window_bytes) {
  auto reader = make_decompressor(type, compressed);
  if (!reader) return failure(reader.error());
  Bytes window(window_bytes);
  Bytes out;
  for (;;) {
    const auto count = (*reader)->read(window);
    if (!count) return failure(count.error());
    if (*count == 0) return out;
    out.insert(out.end(), window.begin(), window.begin() + static_cast<std::ptrdiff_t>(*count));
  }
}

TEST(Codec, gives_back_what_it_took_through_any_window) {
  for (const CompressionType type : kAll) {
    for (const std::size_t size : {0U, 1U, 11U, 32767U, 32768U, 65537U, 200'000U}) {
      SCOPED_TRACE(std::string(to_string(type)) + " " + std::to_string(size));
      const Bytes plain = sample(size);
      Bytes compressed;
      ASSERT_TRUE(compress(type, default_level(type), plain, compressed));
      for (const std::size_t window : {7U, 4096U, 1'000'000U}) {
        if (size > 70'000 && window < 100) continue;
        const auto back = read_all(type, compressed, window);
        if (compressed.empty()) continue;
        ASSERT_TRUE(back) << back.error().message();
        EXPECT_EQ(*back, plain);
      }
    }
  }
}

TEST(Codec, levels_compress_and_read_back) {
  const Bytes plain = sample(20'000);
  const std::vector<std::pair<CompressionType, std::vector<int>>> levels{{CompressionType::gzip, {-1, 1, 9}},
                                                                         {CompressionType::lz4, {1, 9, 12, 17}},
                                                                         {CompressionType::zstd, {-7, 1, 19}}};
  for (const auto& [type, values] : levels) {
    for (const int level : values) {
      Bytes compressed;
      ASSERT_TRUE(compress(type, level, plain, compressed)) << to_string(type) << level;
      EXPECT_LT(compressed.size(), plain.size());
      EXPECT_EQ(*read_all(type, compressed, 5000), plain);
    }
  }
}

TEST(Codec, decompress_keeps_to_its_limit) {
  const Bytes plain = sample(100'000);
  for (const CompressionType type : kAll) {
    Bytes compressed;
    ASSERT_TRUE(compress(type, default_level(type), plain, compressed));
    Bytes out;
    ASSERT_TRUE(decompress(type, compressed, out, plain.size())) << to_string(type);
    EXPECT_EQ(out, plain);
    Bytes small;
    const auto over = decompress(type, compressed, small, plain.size() - 1);
    ASSERT_FALSE(over);
    EXPECT_EQ(over.error().code, Errc::buffer_full);
  }
}

TEST(Codec, streams_cut_at_any_byte_end_in_an_error_and_never_in_a_crash) {
  const Bytes plain = sample(3'000);
  for (const CompressionType type : kAll) {
    if (type == CompressionType::none) continue;
    Bytes compressed;
    ASSERT_TRUE(compress(type, default_level(type), plain, compressed));
    int read_short = 0;
    for (std::size_t i = 0; i < compressed.size(); ++i) {
      const auto back = read_all(type, BytesView(compressed).first(i), 512);
      if (back) {
        ++read_short;
        EXPECT_TRUE(std::equal(back->begin(), back->end(), plain.begin()));
        EXPECT_LT(back->size(), plain.size());
      }
    }
    // Only snappy's stream may end between two blocks, and zstd's may be empty.
    EXPECT_LE(read_short, type == CompressionType::snappy ? 5 : 1) << to_string(type);
  }
}

TEST(Codec, java_streams_read_and_ours_have_the_same_head) {
  int read = 0;
  for (const auto& line : testing::golden_lines("primitives.jsonl")) {
    if (line["kind"] != "codecStream" || line["magic"] != 2) continue;
    SCOPED_TRACE(line.dump());
    const auto type = compression_from_name(line["codec"].get<std::string>());
    ASSERT_TRUE(type);
    const auto words = line["plain"].get<std::string>();
    const std::size_t size = std::stoul(words.substr(words.find("cut to ") + 7));
    Bytes plain;
    while (plain.size() < size) {
      const BytesView hello = as_bytes("hello hello");
      plain.insert(plain.end(), hello.begin(), hello.end());
    }
    plain.resize(size);
    Bytes ours;
    ASSERT_TRUE(compress(*type, default_level(*type), plain, ours));
    EXPECT_EQ(*read_all(*type, ours, 4096), plain);
    const auto head = line["first32hex"].get<std::string>();
    // Head of the framing: snappy's 16 bytes, lz4's 7, gzip's 10 (but its two flag bytes), zstd's magic.
    const std::map<CompressionType, std::size_t> same{{CompressionType::snappy, 16},
                                                      {CompressionType::lz4, 7},
                                                      {CompressionType::gzip, 8},
                                                      {CompressionType::zstd, 4}};
    EXPECT_EQ(testing::to_hex(BytesView(ours).first(same.at(*type))), head.substr(0, same.at(*type) * 2));
    if (line.contains("base64")) {
      const Bytes theirs = testing::from_base64(line["base64"].get<std::string>());
      const auto back = read_all(*type, theirs, 4096);
      ASSERT_TRUE(back) << back.error().message();
      EXPECT_EQ(*back, plain);
      ++read;
    }
  }
  EXPECT_GE(read, 6);
}

}  // namespace
}  // namespace barnabas::record
