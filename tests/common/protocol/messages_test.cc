#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "common/bytes/reader.h"
#include "common/bytes/writer.h"
#include "common/protocol/headers.h"
#include "common/protocol/message_registry.h"
#include "common/protocol/messages/fetch.h"
#include "common/protocol/messages/heartbeat.h"
#include "common/protocol/messages/metadata.h"
#include "common/protocol/messages/produce.h"
#include "tests/support/golden.h"

namespace barnabas::protocol {
namespace {

TEST(Messages, whose_tag_has_a_size_that_lies_are_refused) {
  FetchRequest request;
  request.cluster_id = "cluster";
  Writer good;
  ASSERT_TRUE(request.encode(good, 12));
  Bytes bytes = good.take();
  // ... 1 tag: number 0, 8 bytes, compact string of 7.
  const std::size_t size_at = bytes.size() - 9;
  ASSERT_EQ(bytes[size_at], std::byte{8});
  for (const int size : {7, 9, 127}) {
    bytes[size_at] = static_cast<std::byte>(size);
    Reader in(bytes);
    EXPECT_FALSE(FetchRequest::decode(in, 12)) << size;
  }
}

TEST(Messages, keep_unknown_tagged_fields_in_the_order_of_their_tags) {
  FetchRequest request;
  request.cluster_id = "c";
  request.unknown_tagged_fields.fields = {{1000, Bytes(2, std::byte{7})}, {500, {}}};
  Writer out;
  ASSERT_TRUE(request.encode(out, 12));
  Reader in(out.view());
  const auto back = FetchRequest::decode(in, 12);
  ASSERT_TRUE(back);
  ASSERT_EQ(back->unknown_tagged_fields.fields.size(), 2U);
  EXPECT_EQ(back->unknown_tagged_fields.fields[0].tag, 500U);
  EXPECT_EQ(back->unknown_tagged_fields.fields[1].data.size(), 2U);
  EXPECT_EQ(back->cluster_id, "c");
  Writer old;
  const auto refused = request.encode(old, 11);
  ASSERT_FALSE(refused) << "version 11 has no tagged fields";
  EXPECT_EQ(refused.error().code, Errc::unsupported_version);
}

TEST(Messages, that_would_lose_a_value_in_an_older_version_are_not_written) {
  Writer out;
  EXPECT_FALSE(MetadataResponse{}.encode(out, 99)) << "no such version";
  ProduceRequest::TopicProduceData by_id;
  by_id.topic_id = Uuid(1, 2);
  ProduceRequest produce;
  produce.topic_data.push_back(by_id);
  EXPECT_TRUE(produce.encode(out, 12)) << "Kafka's schema says that the id may be left out";

  FetchResponse response;
  response.responses.emplace_back().partitions.emplace_back().preferred_read_replica = 3;
  EXPECT_TRUE(response.encode(out, 11));
  const auto lost = response.encode(out, 10);
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().subject, "FetchResponse version 10: preferredReadReplica");
}

TEST(Messages, with_a_text_beyond_32767_bytes_are_not_written) {
  MetadataRequest request;
  request.topics.emplace().emplace_back().name = std::string(32767, 'x');
  Writer out;
  EXPECT_TRUE(request.encode(out, 12));
  request.topics->back().name->push_back('x');
  const auto refused = request.encode(out, 12);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::invalid_argument);
}

TEST(Messages, leave_room_for_records_that_come_from_a_file) {
  FetchResponse response;
  auto& partition = response.responses.emplace_back().partitions.emplace_back();
  partition.records = RecordsRef{{}, 1000};
  Writer out;
  ASSERT_TRUE(encode_response_frame(out, response, 4, 77));
  ASSERT_EQ(out.external_parts().size(), 1U);
  EXPECT_EQ(out.external_parts()[0].length, 1000U);
  EXPECT_EQ(out.external_parts()[0].position, out.size()) << "the records are the last field of version 4";
  EXPECT_EQ(Reader(out.view()).int32(), static_cast<std::int32_t>(out.size() - 4 + 1000));

  Bytes whole = out.take();
  whole.resize(whole.size() + 1000);
  Reader in(whole);
  in.skip(4);
  ASSERT_TRUE(decode_response_header(in, ApiKey::fetch, 4));
  const auto back = FetchResponse::decode(in, 4);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->responses[0].partitions[0].records->bytes.size(), 1000U);
  EXPECT_EQ(in.remaining(), 0U);
}

// docs/formats/frame.md
TEST(Frames, are_as_the_format_page_shows) {
  HeartbeatRequest request;
  request.group_id = "g1";
  request.generation_id = 3;
  request.member_id = "m1";
  Writer out;
  ASSERT_TRUE(encode_request_frame(out, request, 4, 7, "demo"));
  EXPECT_EQ(testing::to_hex(out.view()), "0000001b000c000400000007000464656d6f0003673100000003036d310000");
  Writer answer;
  ASSERT_TRUE(encode_response_frame(answer, HeartbeatResponse{}, 4, 7));
  EXPECT_EQ(testing::to_hex(answer.view()), "0000000c000000070000000000000000");
}

TEST(RequestHeaders, of_unknown_apis_are_told_from_broken_ones) {
  Writer unknown;
  unknown.int16(9999);
  unknown.int16(0);
  unknown.int32(1);
  unknown.int16(-1);
  Reader in(unknown.view());
  EXPECT_EQ(decode_request_header(in).error().code, Errc::unsupported_version);
  Reader cut(unknown.view().first(3));
  EXPECT_EQ(decode_request_header(cut).error().code, Errc::corrupt_data);
}

/// Every message, fed with bytes that are not its own, ends; what it accepts it can write and read again.
TEST(AllMessages, survive_bytes_that_are_not_theirs) {
  std::uint64_t state = 88172645463325252ULL;
  for (const MessageInfo& info : all_messages()) {
    for (std::int16_t version = info.min_version; version <= info.max_version; ++version) {
      for (int round = 0; round < 20; ++round) {
        Bytes bytes(static_cast<std::size_t>(round) * 7);
        for (std::byte& byte : bytes) {
          state ^= state << 13;
          state ^= state >> 7;
          state ^= state << 17;
          byte = static_cast<std::byte>(round % 2 == 0 ? state & 0xff : state & 0x03);
        }
        Reader in(bytes);
        Writer out;
        if (!info.recode(in, version, &out, nullptr)) continue;
        Reader again(out.view());
        ASSERT_TRUE(info.recode(again, version, nullptr, nullptr)) << info.name << " v" << version;
      }
    }
  }
}

}  // namespace
}  // namespace barnabas::protocol
