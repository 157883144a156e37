#include <gtest/gtest.h>
#include <openssl/sha.h>

#include <set>

#include "broker/log/log_manager.h"
#include "common/runtime/temporary_directory.h"
#include "tests/broker/log/log_fixture.h"
#include "tests/support/golden.h"

namespace barnabas::log {
namespace {

constexpr std::int64_t kMomentOfTheRun = 1'795'237'100'000;  // soon after Kafka wrote the directories
constexpr std::int32_t kEpochAfterRecovery = 4;

std::string sha256(BytesView bytes) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  return testing::to_hex(std::as_bytes(std::span(digest)));
}

LogConfig config_of(const std::string& topic) {
  LogConfig config;
  if (topic == "segments") config.index_interval_bytes = 128;
  return config;
}

/// One of the data directories that Apache Kafka 4.3.1 wrote, unpacked, and what its own classes read there.
class KafkaDirectory {
 public:
  explicit KafkaDirectory(const std::string& name) : name_(name) {
    const std::string archive = std::string(BARNABAS_SOURCE_DIR) + "/tests/golden/logdir/" + name + ".tar.gz";
    const std::string command = "tar -xzf '" + archive + "' -C '" + place_.path() + "'";
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
    env_.set_wall_ms(kMomentOfTheRun);
  }
  std::string path() const { return place_.path(name_); }
  LogTestEnv& env() { return env_; }
  std::unique_ptr<LogManager> open() {
    auto manager = LogManager::open(env_, path(), {}, runtime::Logger("test", runtime::LogLevel::warn));
    EXPECT_TRUE(manager) << manager.error().message();
    const auto loaded =
        (*manager)->load([](const std::string& topic, const Uuid&) { return LoadedTopic{config_of(topic)}; });
    EXPECT_TRUE(loaded) << loaded.error().message();
    EXPECT_TRUE((*manager)->problems().empty());
    return std::move(*manager);
  }
  Bytes read(const std::string& file) {
    auto bytes = env_.files().read(path() + '/' + file);
    EXPECT_TRUE(bytes) << bytes.error().message();
    return bytes.value_or(Bytes{});
  }
  std::set<std::string> files_of(const std::string& partition) {
    std::set<std::string> names;
    const auto entries = env_.files().list(path() + '/' + partition).value();
    for (const auto& entry : entries) names.insert(partition + '/' + entry.name);
    return names;
  }

 private:
  runtime::TemporaryDirectory place_;
  std::string name_;
  LogTestEnv env_{runtime::system_env().files()};
};

std::map<std::string, nlohmann::json> described(const std::string& name) {
  std::map<std::string, nlohmann::json> files;
  for (auto& line : testing::golden_lines("logdir/" + name + ".jsonl")) {
    const std::string path = line["path"];
    files[path] = std::move(line);
  }
  return files;
}

bool belongs_to(const std::string& path, const TopicPartition& partition) {
  return path.starts_with(partition.to_string() + '/') && !path.ends_with(".deleted");
}

void expect_batches(const PartitionLog& log, const nlohmann::json& batches) {
  for (const auto& expected : batches) {
    const std::int64_t base = expected["baseOffset"];
    const std::int64_t last = expected["lastOffset"];
    if (last < log.log_start_offset()) continue;
    const auto slice = log.read(std::max(base, log.log_start_offset()), 1, true, ReadBound::log_end);
    ASSERT_TRUE(slice) << slice.error().message();
    const Bytes bytes = slice->bytes().value();
    const auto batch = record::BatchView::read(bytes);
    ASSERT_TRUE(batch) << batch.error().message();
    EXPECT_EQ(slice->position, expected["position"].get<std::uint64_t>());
    EXPECT_EQ(batch->header().base_offset, base);
    EXPECT_EQ(batch->header().last_offset(), last);
    EXPECT_EQ(batch->header().crc, expected["crc"].get<std::uint32_t>());
    EXPECT_EQ(batch->header().producer_id, expected["producerId"].get<std::int64_t>());
    EXPECT_EQ(batch->header().partition_leader_epoch, expected["leaderEpoch"].get<std::int32_t>());
    EXPECT_TRUE(batch->is_crc_valid());
  }
}

TEST(KafkaDirectory, clean_is_read_as_kafka_reads_it) {
  KafkaDirectory directory("clean");
  const auto files = described("clean");
  const auto manager = directory.open();
  EXPECT_TRUE(manager->was_clean());
  EXPECT_EQ(manager->previous_broker_epoch(), 13);
  EXPECT_EQ(manager->logs().size(), 17U);
  for (const auto& [partition, log] : manager->logs()) {
    SCOPED_TRACE(partition.to_string());
    std::int64_t end = log->log_start_offset();
    for (const auto& [path, file] : files) {
      if (!belongs_to(path, partition) || !path.ends_with(".log")) continue;
      expect_batches(*log, file["batches"]);
      if (!file["batches"].empty()) end = std::max(end, file["batches"].back()["lastOffset"].get<std::int64_t>() + 1);
    }
    EXPECT_EQ(log->log_end_offset(), end);
    EXPECT_EQ(log->high_watermark(), end);
    EXPECT_EQ(log->log_start_offset(), partition.topic == "trimmed" ? 8 : 0);
    // Where nothing was written in an epoch, opening the log forgets it.
    EXPECT_EQ(log->latest_epoch(), end == 0 ? std::nullopt : std::optional(0));
  }
}

TEST(KafkaDirectory, clean_stays_as_it_is_when_opened_and_closed) {
  KafkaDirectory directory("clean");
  const auto files = described("clean");
  auto manager = directory.open();
  std::vector<TopicPartition> partitions;
  std::set<std::string> empty_logs;
  for (const auto& [partition, log] : manager->logs()) {
    partitions.push_back(partition);
    if (log->log_end_offset() == 0) empty_logs.insert(partition.to_string() + "/leader-epoch-checkpoint");
  }
  ASSERT_TRUE(manager->shutdown(13));
  manager.reset();
  for (const TopicPartition& partition : partitions) {
    std::set<std::string> expected;
    for (const auto& [path, file] : files) {
      if (!belongs_to(path, partition)) continue;
      expected.insert(path);
      // Where nothing was written in an epoch, opening the log forgets it.
      if (empty_logs.contains(path)) continue;
      EXPECT_EQ(sha256(directory.read(path)), file["sha256"]) << path;
    }
    EXPECT_EQ(directory.files_of(partition.to_string()), expected);
  }
  EXPECT_EQ(as_text(directory.read(".kafka_cleanshutdown")), files.at(".kafka_cleanshutdown")["text"]);
  EXPECT_EQ(as_text(directory.read("log-start-offset-checkpoint")), files.at("log-start-offset-checkpoint")["text"]);
  const auto again = directory.open();
  EXPECT_TRUE(again->was_clean());
  EXPECT_EQ(again->find({"compacted", 0})->recovery_point(), 60);
}

TEST(KafkaDirectory, unclean_recovers_to_the_bytes_that_kafka_recovers_to) {
  KafkaDirectory directory("unclean");
  const auto before = described("unclean");
  const auto after = described("recovered");
  auto manager = directory.open();
  EXPECT_FALSE(manager->was_clean());
  std::vector<TopicPartition> partitions;
  for (const auto& [partition, log] : manager->logs()) {
    partitions.push_back(partition);
    log->assign_leader_epoch(kEpochAfterRecovery);
    log->set_high_watermark(log->log_end_offset());
  }
  EXPECT_EQ(manager->find({"txn", 0})->last_stable_offset(), 23);
  ASSERT_TRUE(manager->shutdown(17));
  manager.reset();
  std::size_t compared = 0;
  for (const TopicPartition& partition : partitions) {
    std::set<std::string> expected;
    for (const auto& [path, file] : after) {
      if (!belongs_to(path, partition)) continue;
      expected.insert(path);
      EXPECT_EQ(sha256(directory.read(path)), file["sha256"]) << path;
      ++compared;
    }
    EXPECT_EQ(directory.files_of(partition.to_string()), expected);
  }
  EXPECT_GT(compared, 90U);
}

TEST(KafkaDirectory, producer_snapshots_are_written_back_to_the_same_bytes) {
  KafkaDirectory directory("clean");
  std::size_t seen = 0;
  for (const auto& [path, file] : described("clean")) {
    if (!path.ends_with(".snapshot") && !path.ends_with(".snapshot.deleted")) continue;
    const Bytes bytes = directory.read(path);
    const auto entries = decode_producer_snapshot(bytes);
    ASSERT_TRUE(entries) << path;
    EXPECT_EQ(encode_producer_snapshot(*entries), bytes) << path;
    ASSERT_EQ(entries->size(), file["producers"].size()) << path;
    for (std::size_t i = 0; i < entries->size(); ++i) {
      EXPECT_EQ((*entries)[i].producer_id, file["producers"][i]["producerId"].get<std::int64_t>());
      EXPECT_EQ((*entries)[i].last_sequence, file["producers"][i]["lastSequence"].get<std::int32_t>());
      EXPECT_EQ((*entries)[i].timestamp_ms, file["producers"][i]["timestamp"].get<std::int64_t>());
      EXPECT_EQ((*entries)[i].transaction_first_offset,
                file["producers"][i]["currentTxnFirstOffset"].get<std::int64_t>());
    }
    ++seen;
  }
  EXPECT_GT(seen, 15U);
}

TEST(KafkaDirectory, aborted_transactions_are_told_to_who_reads_committed) {
  KafkaDirectory directory("clean");
  const auto manager = directory.open();
  const auto log = manager->find({"txn", 0});
  const auto slice = log->read(0, 1 << 20, true, ReadBound::last_stable_offset);
  ASSERT_TRUE(slice);
  EXPECT_TRUE(slice->aborted.empty()) << "the first segment ends before either began";
  const auto second = log->read(5, 1 << 20, true, ReadBound::last_stable_offset);
  ASSERT_TRUE(second);
  ASSERT_EQ(second->aborted.size(), 2U);
  EXPECT_EQ(second->aborted[0], (AbortedTransaction{5, 6, 14, 7}));
  EXPECT_EQ(second->aborted[1], (AbortedTransaction{6, 20, 22, 23}));
}

}  // namespace
}  // namespace barnabas::log
