#include "broker/metadata/controller.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "broker/metadata/metadata_batches.h"
#include "broker/metadata/metadata_log.h"
#include "broker/metadata/producer_id_manager.h"
#include "common/protocol/errors.h"
#include "common/protocol/messages/begin_transaction_record.h"
#include "common/protocol/messages/feature_level_record.h"
#include "common/protocol/messages/topic_record.h"
#include "tests/broker/metadata/controller_fixture.h"
#include "tests/broker/metadata/kafka_directory.h"

namespace barnabas::metadata {
namespace {

using protocol::ErrorCode;

constexpr const char* kLogFile = "/data/__cluster_metadata-0/00000000000000000000.log";

/// Types of the records of a log file, control records as their type plus 1000.
std::vector<int> record_types(runtime::Files& files, const std::string& path) {
  std::vector<int> types;
  const auto bytes = files.read(path);
  EXPECT_TRUE(bytes) << path;
  const auto done = visit_batches(*bytes, [&types](const VisitedRecord& record) -> Result<void> {
    types.push_back(record.control ? 1000 + static_cast<int>(*record.control) : read_record_frame(record.value)->type);
    return {};
  });
  EXPECT_TRUE(done);
  return types;
}

std::string text_of(runtime::Files& files, const std::string& path) {
  const auto bytes = files.read(path);
  return bytes ? std::string(as_text(*bytes)) : "(none)";
}

TEST(Controller, writes_the_records_of_a_fresh_directory_that_kafka_writes) {
  ControllerFixture fixture;
  fixture.start();
  const auto types = record_types(fixture.env.files(), kLogFile);
  // LeaderChange, KRaftVersion, KRaftVoters; Begin, six features, one setting, End; the controller, the broker,
  // unfenced.
  const std::vector<int> expected = {1002, 1005, 1006, 23, 12, 12, 12, 12, 12, 12, 4, 24, 27, 0, 17, 17};
  EXPECT_EQ(types, expected);
  const ImagePtr image = fixture.controller->image();
  EXPECT_EQ(image->feature_level("metadata.version"), 30);
  EXPECT_EQ(image->configs({ConfigResourceType::broker, ""}).at("min.insync.replicas"), "1");
  EXPECT_FALSE(image->broker(1)->fenced);
  EXPECT_EQ(fixture.controller->broker_epoch(), 13);
  EXPECT_EQ(text_of(fixture.env.files(), "/data/__cluster_metadata-0/partition.metadata"),
            "version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAQ");
  EXPECT_EQ(
      text_of(fixture.env.files(), "/data/__cluster_metadata-0/quorum-state"),
      R"({"leaderId":1,"leaderEpoch":1,"votedId":-1,"votedDirectoryId":"AAAAAAAAAAAAAAAAAAAAAA","data_version":1})");
  EXPECT_TRUE(fixture.env.files().exists("/data/bootstrap.checkpoint"));
  EXPECT_TRUE(fixture.env.files().exists("/data/__cluster_metadata-0/00000000000000000000-0000000000.checkpoint"));
}

TEST(Controller, makes_a_topic_durable_and_known_before_it_answers) {
  ControllerFixture fixture;
  fixture.start();
  auto wanted = ControllerFixture::topic("orders", 3);
  wanted.configs.emplace_back();
  wanted.configs.back().name = "retention.ms";
  wanted.configs.back().value = "1000";
  const auto result = fixture.create_one(std::move(wanted));
  EXPECT_EQ(result.error_code, 0) << result.error_message.value_or("");
  EXPECT_EQ(result.num_partitions, 3);
  EXPECT_EQ(result.replication_factor, 1);
  ASSERT_FALSE(fixture.listener.deltas.empty());
  EXPECT_EQ(fixture.listener.deltas.back().created_topics, std::set<Uuid>{result.topic_id});
  EXPECT_EQ(fixture.listener.images.back()->topic("orders")->partitions.size(), 3u);

  fixture.crash();
  fixture.start();
  const auto topic = fixture.controller->image()->topic("orders");
  ASSERT_TRUE(topic);
  EXPECT_EQ(topic->id, result.topic_id);
  EXPECT_EQ(fixture.controller->image()->topic_configs("orders").at("retention.ms"), "1000");
  EXPECT_EQ(topic->partition(2)->leader, 1);
  EXPECT_EQ(topic->partition(2)->leader_epoch, 1) << "a start raises the leader epochs";
  EXPECT_EQ(topic->partition(2)->directories, fixture.directories.ids);
  EXPECT_EQ(fixture.controller->leader_epoch(), 2);
  EXPECT_EQ(fixture.listener.deltas.front().created_topics.count(topic->id), 1u) << "the first delta is everything";
}

TEST(Controller, deletes_topics_by_name_and_id) {
  ControllerFixture fixture;
  fixture.start();
  const auto made = fixture.create({ControllerFixture::topic("a"), ControllerFixture::topic("b")});
  protocol::DeleteTopicsRequest request;
  request.topics.resize(4);
  request.topics[0].name = "a";
  request.topics[1].topic_id = made[1].topic_id;
  request.topics[2].name = "none";
  request.topics[3].topic_id = Uuid(7, 7);
  const auto response = fixture.wait(fixture.controller->delete_topics(request));
  ASSERT_EQ(response.responses.size(), 4u);
  EXPECT_EQ(response.responses[0].error_code, 0);
  EXPECT_EQ(response.responses[0].topic_id, made[0].topic_id);
  EXPECT_EQ(response.responses[1].error_code, 0);
  EXPECT_EQ(response.responses[1].name, "b");
  EXPECT_EQ(response.responses[2].error_code, static_cast<int>(ErrorCode::unknown_topic_or_partition));
  EXPECT_NE(response.responses[2].error_message->find("'none'"), std::string::npos);
  EXPECT_EQ(response.responses[3].error_code, static_cast<int>(ErrorCode::unknown_topic_id));
  EXPECT_TRUE(fixture.controller->image()->topics().empty());
  EXPECT_EQ(fixture.listener.deltas.back().deleted_topics.size(), 2u);
}

TEST(Controller, never_hands_out_a_producer_id_twice_whatever_happens) {
  ControllerFixture fixture;
  std::set<std::int64_t> seen;
  for (int round = 0; round < 5; ++round) {
    fixture.start();
    ProducerIdManager ids(*fixture.controller);
    for (int i = 0; i < 1500; ++i) {
      const auto id = fixture.wait(ids.next());
      ASSERT_TRUE(id) << id.error().message();
      ASSERT_TRUE(seen.insert(*id).second) << *id << " in round " << round;
    }
    if (round % 2 == 0)
      fixture.crash();
    else
      fixture.stop();
  }
}

TEST(Controller, a_full_disk_changes_nothing_and_says_so) {
  ControllerFixture fixture;
  fixture.start();
  fixture.env.memory_files().fail_next(runtime::FileOperation::write, "00000000000000000000.log", Errc::storage_full);
  const auto refused = fixture.create_one(ControllerFixture::topic("orders"));
  EXPECT_EQ(refused.error_code, static_cast<int>(ErrorCode::kafka_storage_error));
  EXPECT_FALSE(fixture.controller->image()->topic("orders"));
  EXPECT_TRUE(fixture.fatal.empty());
  EXPECT_EQ(fixture.create_one(ControllerFixture::topic("orders")).error_code, 0);
  fixture.crash();
  fixture.start();
  EXPECT_TRUE(fixture.controller->image()->topic("orders"));
}

TEST(Controller, a_failed_sync_is_the_end_of_all_changes) {
  ControllerFixture fixture;
  fixture.start();
  fixture.env.memory_files().fail_next(runtime::FileOperation::sync, "00000000000000000000.log", Errc::io_error);
  EXPECT_EQ(fixture.create_one(ControllerFixture::topic("orders")).error_code,
            static_cast<int>(ErrorCode::kafka_storage_error));
  EXPECT_EQ(fixture.fatal.size(), 1u);
  EXPECT_EQ(fixture.create_one(ControllerFixture::topic("others")).error_code,
            static_cast<int>(ErrorCode::kafka_storage_error));
  EXPECT_TRUE(fixture.controller->image()->topics().empty());
}

TEST(Controller, starts_again_whatever_a_crash_left_of_the_first_start) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    ControllerFixture fixture({}, seed);
    fixture.env.memory_files().keep_torn_tails(true);
    fixture.start();
    if (seed % 2 == 0) fixture.env.run_for(std::chrono::milliseconds(1));
    fixture.crash();
    fixture.start();
    EXPECT_EQ(fixture.create_one(ControllerFixture::topic("orders")).error_code, 0) << "seed " << seed;
    fixture.crash();
    fixture.start();
    EXPECT_TRUE(fixture.controller->image()->topic("orders")) << "seed " << seed;
    EXPECT_EQ(fixture.controller->image()->feature_level("metadata.version"), 30) << "seed " << seed;
    const auto types = record_types(fixture.env.files(), kLogFile);
    EXPECT_EQ(std::count(types.begin(), types.end(), 1006), 1) << "the voters are in the log, seed " << seed;
  }
}

TEST(Controller, hands_the_partitions_back_when_it_stops_and_takes_them_when_it_starts) {
  ControllerFixture fixture;
  fixture.start();
  fixture.create({ControllerFixture::topic("orders")});
  fixture.stop();
  ImageBuilder builder;
  const auto bytes = fixture.env.files().read(kLogFile);
  std::int64_t offset = 0;
  ASSERT_TRUE(visit_batches(*bytes, [&](const VisitedRecord& record) -> Result<void> {
    if (record.control) return {};
    return builder.replay(record.value, offset++, 1);
  }));
  const ImagePtr stopped = builder.build();
  EXPECT_TRUE(stopped->broker(1)->fenced);
  EXPECT_EQ(stopped->topic("orders")->partition(0)->leader, kNoLeader);
  EXPECT_EQ(stopped->topic("orders")->partition(0)->eligible_leader_replicas, std::vector<std::int32_t>{1});
  fixture.start();
  const auto topic = fixture.controller->image()->topic("orders");
  EXPECT_EQ(topic->partition(0)->leader, 1);
  EXPECT_EQ(topic->partition(0)->leader_epoch, 2);
  EXPECT_EQ(topic->partition(0)->isr, std::vector<std::int32_t>{1});
  EXPECT_TRUE(topic->partition(0)->eligible_leader_replicas.empty());
}

TEST(Controller, starts_from_a_snapshot_with_the_same_image) {
  ControllerFixture fixture(runtime::Properties{{"metadata.log.max.record.bytes.between.snapshots", "2000"}});
  fixture.start();
  for (int i = 0; i < 40; ++i) fixture.create({ControllerFixture::topic("topic-" + std::to_string(i), 2)});
  std::size_t snapshots = 0;
  const auto entries = fixture.env.files().list("/data/__cluster_metadata-0");
  ASSERT_TRUE(entries);
  for (const auto& entry : *entries) {
    if (SnapshotId::parse(entry.name)) ++snapshots;
  }
  EXPECT_GT(snapshots, 2u);
  const ImagePtr before = fixture.controller->image();
  fixture.crash();
  fixture.start();
  const ImagePtr after = fixture.controller->image();
  ASSERT_EQ(after->topics().size(), 40u);
  EXPECT_EQ(after->features(), before->features());
  for (const auto& [name, topic] : before->topics()) EXPECT_EQ(after->topic(name)->id, topic->id);
}

TEST(Controller, refuses_a_topic_that_a_listener_cannot_make_and_leaves_no_trace_of_it) {
  ControllerFixture fixture;
  fixture.start();
  fixture.listener.out_of_room = true;
  const std::size_t told = fixture.listener.deltas.size();
  const auto refused = fixture.create_one(ControllerFixture::topic("orders", 3));
  EXPECT_EQ(refused.error_code, static_cast<std::int16_t>(protocol::ErrorCode::kafka_storage_error));
  EXPECT_NE(refused.error_message.value_or("").find("no room"), std::string::npos);
  EXPECT_TRUE(refused.topic_id.is_zero());
  EXPECT_EQ(refused.num_partitions, -1);
  EXPECT_EQ(fixture.controller->image()->topic("orders"), nullptr);
  EXPECT_EQ(fixture.listener.deltas.size(), told);
  fixture.listener.out_of_room = false;
  EXPECT_EQ(fixture.create_one(ControllerFixture::topic("orders", 3)).error_code, 0);
  fixture.crash();
  fixture.start();
  EXPECT_EQ(fixture.controller->image()->topics().size(), 1U);
}

TEST(Controller, takes_back_what_was_made_for_a_topic_that_the_log_has_no_room_for) {
  ControllerFixture fixture;
  fixture.start();
  ASSERT_EQ(fixture.create_one(ControllerFixture::topic("first")).error_code, 0);
  fixture.listener.prepared.clear();
  fixture.env.memory_files().fail_next(runtime::FileOperation::write, "__cluster_metadata-0",
                                       make_error_code(Errc::storage_full));
  EXPECT_EQ(fixture.create_one(ControllerFixture::topic("orders")).error_code,
            static_cast<std::int16_t>(protocol::ErrorCode::kafka_storage_error));
  EXPECT_EQ(fixture.listener.taken_back, fixture.listener.prepared);
  EXPECT_EQ(fixture.listener.prepared.size(), 1U);
  EXPECT_EQ(fixture.create_one(ControllerFixture::topic("orders")).error_code, 0) << "a full disk is no end";
  EXPECT_TRUE(fixture.fatal.empty());
}

TEST(Controller, a_disk_that_is_full_when_it_starts_ends_nothing) {
  ControllerFixture fixture;
  fixture.start();
  fixture.env.memory_files().fail_next(runtime::FileOperation::write, "leader-epoch-checkpoint",
                                       make_error_code(Errc::storage_full), 3);
  for (const char* name : {"a", "b", "c", "d"}) {
    EXPECT_EQ(fixture.create_one(ControllerFixture::topic(name)).error_code, 0) << name;
  }
  EXPECT_TRUE(fixture.fatal.empty());
  EXPECT_TRUE(fixture.env.files().exists("/data/__cluster_metadata-0/leader-epoch-checkpoint"));
}

TEST(Controller, trims_its_log_and_old_snapshots_and_starts_from_what_is_left) {
  ControllerFixture fixture(runtime::Properties{{"metadata.log.max.record.bytes.between.snapshots", "2000"},
                                                {"internal.metadata.log.segment.bytes", "3000"},
                                                {"metadata.max.retention.bytes", "30000"}});
  fixture.start();
  const auto bytes = [&fixture] {
    std::uint64_t total = 0;
    const auto entries = fixture.env.files().list("/data/__cluster_metadata-0");
    for (const auto& entry : *entries) {
      const auto file = fixture.env.files().open("/data/__cluster_metadata-0/" + entry.name, runtime::OpenMode::read);
      total += (*file)->size().value();
    }
    return total;
  };
  for (int i = 0; i < 200; ++i) {
    ASSERT_EQ(fixture.create_one(ControllerFixture::topic("topic", 2)).error_code, 0);
    protocol::DeleteTopicsRequest removal;
    removal.topics.emplace_back();
    removal.topics.back().name = "topic";
    fixture.wait(fixture.controller->delete_topics(std::move(removal)));
  }
  EXPECT_LT(bytes(), 45'000U) << "200 rounds wrote far more";
  EXPECT_FALSE(fixture.env.files().exists("/data/__cluster_metadata-0/00000000000000000000.log"));
  ASSERT_EQ(fixture.create_one(ControllerFixture::topic("last", 2)).error_code, 0);
  fixture.crash();
  fixture.start();
  EXPECT_EQ(fixture.controller->image()->topics().size(), 1U);
  EXPECT_EQ(fixture.create_one(ControllerFixture::topic("more", 2)).error_code, 0);
  fixture.stop();
  fixture.start();
  EXPECT_EQ(fixture.controller->image()->topics().size(), 2U);
}

TEST(Controller, drops_a_transaction_that_a_crash_left_open_and_ends_it_in_the_log) {
  ControllerFixture fixture;
  fixture.start();
  fixture.stop();
  MetadataLogOptions options;
  options.directory = "/data";
  options.directory_id = fixture.directories.metadata_directory_id;
  auto log = MetadataLog::open(fixture.env, options);
  ASSERT_TRUE(log) << log.error().message();
  ImageBuilder builder;
  ASSERT_TRUE((*log)->replay(builder));
  ASSERT_TRUE((*log)->become_leader());
  protocol::TopicRecord topic;
  topic.name = "half";
  topic.topic_id = Uuid(1234, 5678);
  const std::vector<Bytes> records = {frame_record(protocol::BeginTransactionRecord{}, record_version::kOthers),
                                      frame_record(topic, record_version::kOthers)};
  ASSERT_TRUE((*log)->append(records));
  ASSERT_TRUE((*log)->sync());
  log->reset();
  fixture.start();
  EXPECT_FALSE(fixture.controller->image()->topic("half"));
  fixture.crash();
  fixture.start();
  EXPECT_FALSE(fixture.controller->image()->topic("half"));
}

TEST(Controller, refuses_a_directory_whose_features_are_beyond_it) {
  ControllerFixture fixture;
  fixture.start();
  fixture.stop();
  MetadataLogOptions options;
  options.directory = "/data";
  options.directory_id = fixture.directories.metadata_directory_id;
  auto log = MetadataLog::open(fixture.env, options);
  ASSERT_TRUE(log);
  protocol::FeatureLevelRecord feature;
  feature.name = "metadata.version";
  feature.feature_level = 31;
  ASSERT_TRUE((*log)->append(std::vector<Bytes>{frame_record(feature, record_version::kOthers)}));
  ASSERT_TRUE((*log)->sync());
  log->reset();
  const auto refused = fixture.try_start();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::unsupported_version);
  EXPECT_NE(refused.error().subject.find("metadata.version"), std::string::npos) << refused.error().subject;
  EXPECT_NE(refused.error().subject.find("/data"), std::string::npos) << refused.error().subject;
}

/// Kafka's own directory, its configuration and ours.
struct Takeover {
  explicit Takeover(const KafkaDirectory& kafka) : config(config::BrokerConfig::parse({}).value()) {
    auto& env = runtime::system_env();
    const auto directories = open_data_directories(env, {kafka.path()}, kafka.path(), 1);
    EXPECT_TRUE(directories) << directories.error().message();
    ControllerOptions options;
    options.directory = kafka.path();
    options.directory_id = directories->metadata_directory_id;
    options.log_directories = directories->ids;
    options.config = &config.values();
    auto opened = Controller::open(env, std::move(options));
    EXPECT_TRUE(opened) << opened.error().message();
    if (opened) controller = std::move(*opened);
  }
  config::BrokerConfig config;
  std::unique_ptr<Controller> controller;
};

TEST(Controller, takes_over_kafkas_own_directory_after_a_clean_stop) {
  const KafkaDirectory kafka("clean");
  {
    Takeover takeover(kafka);
    ASSERT_TRUE(takeover.controller);
    EXPECT_EQ(takeover.controller->leader_epoch(), 2);
    ASSERT_TRUE(takeover.controller->register_broker({{{"PLAINTEXT", "localhost", 9092, 0}}, std::nullopt}));
    EXPECT_EQ(takeover.controller->broker_epoch(), 153);  // as Kafka's next start gave it, in unclean.jsonl
    const ImagePtr image = takeover.controller->image();
    EXPECT_EQ(image->topics().size(), 8u);
    EXPECT_EQ(image->topic("plain")->partition(0)->leader, 1);
    EXPECT_EQ(image->topic("plain")->partition(0)->leader_epoch, 2);
    ASSERT_TRUE(takeover.controller->shutdown());
  }
  Takeover again(kafka);
  ASSERT_TRUE(again.controller);
  EXPECT_EQ(again.controller->leader_epoch(), 3);
  EXPECT_EQ(again.controller->image()->topic("plain")->partition(0)->leader, kNoLeader);
}

TEST(Controller, takes_over_kafkas_own_directory_after_a_kill) {
  const KafkaDirectory kafka("unclean");
  Takeover takeover(kafka);
  ASSERT_TRUE(takeover.controller);
  EXPECT_EQ(takeover.controller->leader_epoch(), 3);
  ASSERT_TRUE(takeover.controller->register_broker({{{"PLAINTEXT", "localhost", 9092, 0}}, std::nullopt}));
  const ImagePtr image = takeover.controller->image();
  EXPECT_EQ(image->next_producer_id(), 2000);
  EXPECT_EQ(image->topic("txn")->partition(0)->leader, 1);
  EXPECT_EQ(image->topic("txn")->partition(0)->leader_epoch, 3);
}

}  // namespace
}  // namespace barnabas::metadata
