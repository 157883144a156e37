#include "broker/metadata/image_builder.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "broker/metadata/metadata_batches.h"
#include "broker/metadata/snapshot_records.h"
#include "common/protocol/messages/abort_transaction_record.h"
#include "common/protocol/messages/begin_transaction_record.h"
#include "common/protocol/messages/config_record.h"
#include "common/protocol/messages/end_transaction_record.h"
#include "common/protocol/messages/feature_level_record.h"
#include "common/protocol/messages/partition_change_record.h"
#include "common/protocol/messages/partition_record.h"
#include "common/protocol/messages/remove_topic_record.h"
#include "common/protocol/messages/topic_record.h"
#include "common/runtime/env.h"
#include "tests/broker/metadata/kafka_directory.h"

namespace barnabas::metadata {
namespace {

const Uuid kId(0x1111, 0x2222);

Bytes topic(const std::string& name, const Uuid& id) {
  protocol::TopicRecord record;
  record.name = name;
  record.topic_id = id;
  return frame_record(record, record_version::kOthers);
}

Bytes partition(const Uuid& id, std::int32_t number) {
  protocol::PartitionRecord record;
  record.topic_id = id;
  record.partition_id = number;
  record.replicas = {1};
  record.isr = {1};
  record.leader = 1;
  record.leader_epoch = 0;
  record.partition_epoch = 0;
  record.directories = {Uuid(5, 5)};
  return frame_record(record, record_version::kPartition);
}

Bytes feature(const std::string& name, std::int16_t level) {
  protocol::FeatureLevelRecord record;
  record.name = name;
  record.feature_level = level;
  return frame_record(record, record_version::kOthers);
}

/// Replays and expects that it works.
void replay(ImageBuilder& builder, const std::vector<Bytes>& records) {
  std::int64_t offset = 0;
  for (const Bytes& record : records) {
    const auto done = builder.replay(record, offset++, 1);
    ASSERT_TRUE(done) << done.error().message();
  }
}

/// All records of one of Kafka's files up to an offset.
void replay_file(ImageBuilder& builder, const std::string& path, std::int64_t end_offset) {
  const auto bytes = runtime::system_env().files().read(path);
  ASSERT_TRUE(bytes) << bytes.error().message();
  const auto done = visit_batches(*bytes, [&](const VisitedRecord& record) -> Result<void> {
    if (record.offset >= end_offset) return {};
    if (!record.control) return builder.replay(record.value, record.offset, record.epoch);
    builder.skip(record.offset, record.epoch);
    return {};
  });
  ASSERT_TRUE(done) << done.error().message();
}

std::vector<std::string> sorted_text(const std::vector<Bytes>& records) {
  std::vector<std::string> text;
  for (const Bytes& record : records) text.push_back(testing::to_hex(record));
  std::sort(text.begin(), text.end());
  return text;
}

std::vector<Bytes> records_of(const std::string& path) {
  std::vector<Bytes> records;
  const auto bytes = runtime::system_env().files().read(path);
  EXPECT_TRUE(bytes);
  const auto done = visit_batches(*bytes, [&](const VisitedRecord& record) -> Result<void> {
    if (!record.control) records.emplace_back(record.value.begin(), record.value.end());
    return {};
  });
  EXPECT_TRUE(done);
  return records;
}

TEST(ImageBuilder, reads_the_metadata_of_a_kafka_cluster) {
  const KafkaDirectory kafka("clean");
  ImageBuilder builder;
  replay_file(builder, kafka.log_path() + "/00000000000000000000.log", 1000);
  const ImagePtr image = builder.build();
  EXPECT_EQ(image->offset(), 150);
  EXPECT_EQ(image->epoch(), 1);
  EXPECT_EQ(image->topics().size(), 8u);
  ASSERT_TRUE(image->topic("plain"));
  EXPECT_FALSE(image->topic("gone"));
  EXPECT_EQ(image->topic("plain")->id.to_string(), "umBuyZTFS26j8lHd3UjLgA");
  EXPECT_EQ(image->topic("plain")->partitions.size(), 3u);
  EXPECT_EQ(image->partition_count(), 17u);
  const PartitionImage& plain_1 = *image->topic("plain")->partition(1);
  EXPECT_EQ(plain_1.leader, kNoLeader);
  EXPECT_EQ(plain_1.leader_epoch, 1);
  EXPECT_EQ(plain_1.partition_epoch, 1);
  EXPECT_EQ(plain_1.eligible_leader_replicas, std::vector<std::int32_t>{1});
  EXPECT_EQ(image->topic_configs("plain"), (ConfigMap{{"max.message.bytes", "500000"}, {"retention.ms", "-1"}}));
  EXPECT_EQ(image->topic_configs("gone"), ConfigMap{});
  EXPECT_EQ(image->configs({ConfigResourceType::group, "consumer-group"}).at("consumer.session.timeout.ms"), "50000");
  EXPECT_EQ(image->feature_level("metadata.version"), 30);
  EXPECT_EQ(image->next_producer_id(), 1000);
  ASSERT_TRUE(image->broker(1) != nullptr);
  EXPECT_TRUE(image->broker(1)->fenced);
  EXPECT_TRUE(image->broker(1)->in_controlled_shutdown);
  EXPECT_EQ(image->broker(1)->endpoint("PLAINTEXT")->port, 39094);
}

TEST(ImageBuilder, makes_the_same_snapshot_records_as_kafka) {
  const KafkaDirectory kafka("clean");
  for (const auto& [end_offset, name] : {std::pair{72, "00000000000000000072-0000000001.checkpoint"},
                                         std::pair{125, "00000000000000000125-0000000001.checkpoint"}}) {
    ImageBuilder from_log;
    replay_file(from_log, kafka.log_path() + "/00000000000000000000.log", end_offset);
    const auto theirs = records_of(kafka.log_path() + "/" + name);
    ImageBuilder from_snapshot;
    replay(from_snapshot, theirs);
    const auto ours = SnapshotRecords::of(*from_log.build());
    EXPECT_EQ(sorted_text(ours), sorted_text(SnapshotRecords::of(*from_snapshot.build()))) << name;
    EXPECT_EQ(ours.size(), theirs.size()) << name;
    // Kafka writes the features of a broker in the order of a hash map; everything else is the same byte for byte.
    std::vector<std::string> difference;
    const auto a = sorted_text(ours);
    const auto b = sorted_text(theirs);
    std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(difference));
    ASSERT_LE(difference.size(), 1u) << name;
    for (const auto& one : difference) EXPECT_EQ(one.substr(0, 6), "010004") << "a RegisterBroker record of version 4";
  }
}

TEST(ImageBuilder, follows_topics_through_their_life) {
  ImageBuilder builder;
  replay(builder, {topic("orders", kId), partition(kId, 0), partition(kId, 1)});
  const ImagePtr first = builder.build();
  EXPECT_EQ(builder.delta().created_topics.count(kId), 1u);
  EXPECT_EQ(first->partition_count(), 2u);

  ImageBuilder next(*first);
  protocol::PartitionChangeRecord change;
  change.topic_id = kId;
  change.partition_id = 1;
  change.leader = -1;
  change.isr.emplace();
  replay(next, {frame_record(change, record_version::kPartitionChange)});
  const ImagePtr second = next.build();
  EXPECT_EQ(next.delta().changed_topics.count(kId), 1u);
  EXPECT_EQ(second->topic(kId)->partition(1)->leader_epoch, 1);
  EXPECT_TRUE(second->topic(kId)->partition(1)->isr.empty());
  EXPECT_EQ(first->topic(kId)->partition(1)->leader_epoch, 0) << "a published image never changes";

  ImageBuilder last(*second);
  protocol::RemoveTopicRecord remove;
  remove.topic_id = kId;
  replay(last, {frame_record(remove, record_version::kOthers)});
  const ImagePtr third = last.build();
  EXPECT_FALSE(third->topic("orders"));
  EXPECT_EQ(third->partition_count(), 0u);
  ASSERT_EQ(last.delta().deleted_topics.size(), 1u);
  EXPECT_EQ(last.delta().deleted_topics[0]->partitions.size(), 2u);
}

TEST(ImageBuilder, holds_a_transaction_back_until_it_ends_and_forgets_an_aborted_one) {
  const Bytes begin = frame_record(protocol::BeginTransactionRecord{}, record_version::kOthers);
  const Bytes end = frame_record(protocol::EndTransactionRecord{}, record_version::kOthers);
  const Bytes abort = frame_record(protocol::AbortTransactionRecord{}, record_version::kOthers);
  ImageBuilder builder;
  replay(builder, {begin, topic("a", kId)});
  EXPECT_TRUE(builder.in_transaction());
  EXPECT_FALSE(builder.build()->topic("a"));
  replay(builder, {abort, begin, topic("b", kId), end});
  EXPECT_FALSE(builder.in_transaction());
  const ImagePtr image = builder.build();
  EXPECT_FALSE(image->topic("a"));
  EXPECT_TRUE(image->topic("b"));
  EXPECT_FALSE(builder.replay(end, 9, 1));
}

TEST(ImageBuilder, refuses_a_feature_beyond_what_we_know_by_name) {
  ImageBuilder builder;
  const auto newer = builder.replay(feature("metadata.version", 31), 0, 1);
  ASSERT_FALSE(newer);
  EXPECT_EQ(newer.error().code, Errc::unsupported_version);
  EXPECT_NE(newer.error().subject.find("metadata.version is finalised at level 31"), std::string::npos);
  EXPECT_FALSE(ImageBuilder().replay(feature("antigravity.version", 1), 0, 1));
  EXPECT_TRUE(ImageBuilder().replay(feature("antigravity.version", 0), 0, 1));
}

TEST(ImageBuilder, keeps_records_of_unknown_types_byte_for_byte) {
  const Bytes unknown = {std::byte{1}, std::byte{120}, std::byte{3}, std::byte{0xca}, std::byte{0xfe}};
  ImageBuilder builder;
  replay(builder, {unknown, topic("orders", kId), unknown});
  const auto records = SnapshotRecords::of(*builder.build());
  EXPECT_EQ(std::count(records.begin(), records.end(), unknown), 2);
}

TEST(ImageBuilder, refuses_records_that_contradict_the_log) {
  EXPECT_FALSE(ImageBuilder().replay(partition(kId, 0), 0, 1));
  ImageBuilder twice;
  replay(twice, {topic("orders", kId)});
  EXPECT_FALSE(twice.replay(topic("orders", Uuid(9, 9)), 1, 1));
  protocol::RemoveTopicRecord remove;
  remove.topic_id = kId;
  EXPECT_FALSE(ImageBuilder().replay(frame_record(remove, record_version::kOthers), 0, 1));
}

TEST(ImageBuilder, a_null_value_takes_a_setting_away) {
  protocol::ConfigRecord record;
  record.resource_type = 2;
  record.resource_name = "orders";
  record.name = "retention.ms";
  record.value = "5";
  ImageBuilder builder;
  replay(builder, {frame_record(record, record_version::kOthers)});
  EXPECT_EQ(builder.build()->topic_configs("orders").at("retention.ms"), "5");
  record.value.reset();
  replay(builder, {frame_record(record, record_version::kOthers)});
  EXPECT_TRUE(builder.build()->topic_configs("orders").empty());
}

}  // namespace
}  // namespace barnabas::metadata
