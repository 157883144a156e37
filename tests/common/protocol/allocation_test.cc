#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <new>
#include <nlohmann/json.hpp>

#include "common/bytes/reader.h"
#include "common/bytes/writer.h"
#include "common/protocol/message_registry.h"
#include "common/protocol/messages/fetch.h"
#include "common/protocol/messages/metadata.h"

namespace {

// The largest piece of memory asked for at once.
thread_local std::size_t largest_allocation = 0;

}  // namespace

// Not inlined: GCC would see malloc and delete in one place and call them mismatched.
[[gnu::noinline]] void* operator new(std::size_t size) {
  largest_allocation = std::max(largest_allocation, size);
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  largest_allocation = std::max(largest_allocation, size);
  return std::malloc(size == 0 ? 1 : size);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace barnabas::protocol {
namespace {

TEST(LengthsThatLie, are_refused_before_memory_is_taken) {
  for (const std::int32_t count : {std::numeric_limits<std::int32_t>::max(), 1'000'000, 1000, -2}) {
    Writer classic;
    classic.int32(count);
    classic.int8(0);
    Reader in(classic.view());
    largest_allocation = 0;
    const auto request = MetadataRequest::decode(in, 1);
    EXPECT_LT(largest_allocation, 1000U) << count;
    ASSERT_FALSE(request) << count;
    EXPECT_EQ(request.error().code, Errc::corrupt_data);
  }
  for (const std::uint32_t encoded : {0xffffffffU, 0x80000000U, 0x7fffffffU, 1000U}) {
    Writer flexible;
    flexible.unsigned_varint(encoded);
    flexible.int8(0);
    Reader in(flexible.view());
    largest_allocation = 0;
    EXPECT_FALSE(MetadataRequest::decode(in, 9)) << encoded;
    EXPECT_LT(largest_allocation, 1000U) << encoded;
  }
}

TEST(LengthsThatLie, make_room_only_for_items_that_the_bytes_can_hold) {
  // A megabyte that claims a million partitions of at least 30 bytes each.
  constexpr std::size_t kBytes = std::size_t{1} << 20;
  Writer out;
  out.int32(0);
  out.int32(1);
  out.string("t");
  out.int32(1'000'000);
  out.bytes(Bytes(kBytes, std::byte{0xff}));
  Reader in(out.view());
  largest_allocation = 0;
  EXPECT_FALSE(FetchResponse::decode(in, 4));
  // Twice: the vector grows once more for the item that is cut short.
  EXPECT_LE(largest_allocation, 2 * kBytes / 30 * sizeof(FetchResponse::PartitionData));
}

TEST(LengthsThatLie, never_take_much_more_memory_than_there_are_bytes_in_any_message) {
  // All ones: every length is as large as can be, or null, or negative. All 0x7f: compact lengths of 126.
  for (const int fill : {0xff, 0x7f, 0x01}) {
    const Bytes bytes(4096, static_cast<std::byte>(fill));
    for (const MessageInfo& info : all_messages()) {
      for (std::int16_t version = info.min_version; version <= info.max_version; ++version) {
        Reader in(bytes);
        largest_allocation = 0;
        (void)info.recode(in, version, nullptr, nullptr);
        EXPECT_LT(largest_allocation, bytes.size() * 300) << info.name << " v" << version;
      }
    }
  }
}

}  // namespace
}  // namespace barnabas::protocol
