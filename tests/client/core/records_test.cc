#include "barnabas/records.h"

#include <gtest/gtest.h>

#include "common/bytes/writer.h"

namespace barnabas {
namespace {

/// One encoded v2 record.
void append(Writer& out, std::int64_t timestamp_delta, std::int32_t offset_delta, std::optional<std::string> key,
            std::optional<std::string> value,
            const std::vector<std::pair<std::string, std::optional<std::string>>>& headers) {
  const auto text = [](Writer& to, const std::optional<std::string>& part) {
    to.varint(part ? static_cast<std::int32_t>(part->size()) : -1);
    if (part) to.text(*part);
  };
  Writer body;
  body.int8(0);
  body.varlong(timestamp_delta);
  body.varint(offset_delta);
  text(body, key);
  text(body, value);
  body.varint(static_cast<std::int32_t>(headers.size()));
  for (const auto& [name, content] : headers) {
    text(body, name);
    text(body, content);
  }
  out.varint(static_cast<std::int32_t>(body.size()));
  out.bytes(body.view());
}

RecordRun run_of(const std::shared_ptr<Bytes>& bytes, std::size_t count, std::int64_t base_offset) {
  RecordRun run;
  run.owner = bytes;
  run.topic = std::make_shared<const std::string>("orders");
  run.partition = 3;
  run.leader_epoch = 9;
  run.base_offset = base_offset;
  run.base_timestamp_ms = 1000;
  run.first = bytes->data();
  run.count = count;
  return run;
}

TEST(Records, walk_over_runs_and_decode_every_field) {
  Writer first;
  append(first, -5, 0, "k", "value", {{"a", "1"}, {"b", std::nullopt}, {"a", "2"}});
  append(first, 300, 2, std::nullopt, std::nullopt, {});
  Writer second;
  append(second, 0, 0, "", "", {});
  const auto bytes = std::make_shared<Bytes>(first.take());
  const auto more = std::make_shared<Bytes>(second.take());
  const Records records({run_of(bytes, 2, 100), run_of(more, 0, 0), run_of(more, 1, 200)});
  EXPECT_EQ(records.size(), 3u);
  const auto owned = records.to_owned();
  ASSERT_EQ(owned.size(), 3u);
  EXPECT_EQ(owned[0].topic, "orders");
  EXPECT_EQ(owned[0].partition, 3);
  EXPECT_EQ(owned[0].leader_epoch, 9);
  EXPECT_EQ(owned[0].offset, 100);
  EXPECT_EQ(owned[0].timestamp.time_since_epoch().count(), 995);
  EXPECT_EQ(owned[0].key, "k");
  EXPECT_EQ(owned[0].value, "value");
  ASSERT_EQ(owned[0].headers.size(), 3u);
  EXPECT_EQ(owned[0].headers[1].key, "b");
  EXPECT_EQ(owned[0].headers[1].value, std::nullopt);
  EXPECT_EQ(owned[1].offset, 102);
  EXPECT_EQ(owned[1].key, std::nullopt);
  EXPECT_EQ(owned[1].value, std::nullopt);
  EXPECT_EQ(owned[2].offset, 200);
  EXPECT_EQ(owned[2].key, "");
  EXPECT_EQ(records.begin()->headers().find("a")->value, "2");
  EXPECT_FALSE(records.begin()->headers().find("c"));
}

TEST(Records, give_the_brokers_time_where_it_counts) {
  Writer writer;
  append(writer, 77, 0, "k", "v", {});
  const auto bytes = std::make_shared<Bytes>(writer.take());
  RecordRun run = run_of(bytes, 1, 0);
  run.timestamp_type = TimestampType::log_append_time;
  const Records records({run});
  EXPECT_EQ(records.begin()->timestamp().time_since_epoch().count(), 1000);
}

TEST(Records, keep_the_bytes_alive_as_long_as_a_copy_lives) {
  Writer writer;
  append(writer, 0, 0, "key", "v", {});
  auto bytes = std::make_shared<Bytes>(writer.take());
  const std::weak_ptr<Bytes> watched = bytes;
  Records copy;
  {
    const Records records({run_of(bytes, 1, 0)});
    bytes.reset();
    copy = records;
  }
  EXPECT_FALSE(watched.expired());
  EXPECT_EQ(copy.begin()->key(), "key");
  copy = Records();
  EXPECT_TRUE(watched.expired());
  EXPECT_TRUE(copy.empty());
  EXPECT_EQ(copy.begin(), copy.end());
}

}  // namespace
}  // namespace barnabas
