#include "broker/log/log_manager.h"

#include <algorithm>

#include "tests/broker/log/log_fixture.h"

namespace barnabas::log {
namespace {

class LogManagerTest : public ::testing::Test {
 protected:
  runtime::MemoryFiles files;
  LogTestEnv env{files};
  const Uuid id = Uuid(1, 2);
  std::unique_ptr<LogManager> manager;

  void open(bool wanted = true) {
    auto opened = LogManager::open(env, "/data", {}, runtime::Logger("test", runtime::LogLevel::off));
    ASSERT_TRUE(opened) << opened.error().message();
    manager = std::move(*opened);
    ASSERT_TRUE(manager->load([&](const std::string&, const Uuid& topic_id) {
      EXPECT_EQ(topic_id, id);
      return LoadedTopic{LogConfig{}, wanted};
    }));
  }
  void append(PartitionLog& log) {
    Bytes batch = make_batch({.records = 3});
    ASSERT_TRUE(log.append_as_leader(batch, 0));
    log.set_high_watermark(log.log_end_offset());
  }
};

TEST_F(LogManagerTest, keeps_the_directory_for_itself) {
  open();
  const auto second = LogManager::open(env, "/data", {}, runtime::Logger("test", runtime::LogLevel::off));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, make_error_code(Errc::locked));
}

TEST_F(LogManagerTest, finds_logs_and_marks_again_after_a_clean_stop) {
  open();
  append(**manager->create({"orders", 3}, id, {}));
  ASSERT_TRUE(manager->shutdown(42));
  EXPECT_EQ(as_text(files.read("/data/.kafka_cleanshutdown").value()), R"({"version":0,"brokerEpoch":42})");
  EXPECT_EQ(as_text(files.read("/data/recovery-point-offset-checkpoint").value()), "0\n1\norders 3 3\n");
  manager.reset();
  open();
  EXPECT_TRUE(manager->was_clean());
  EXPECT_EQ(manager->previous_broker_epoch(), 42);
  EXPECT_FALSE(files.exists("/data/.kafka_cleanshutdown")) << "a crash from here on is not clean";
  const auto log = manager->find({"orders", 3});
  ASSERT_TRUE(log);
  EXPECT_EQ(log->high_watermark(), 3);
}

TEST_F(LogManagerTest, made_logs_survive_a_power_cut) {
  open();
  const auto log = *manager->create({"orders", 0}, id, {});
  append(*log);
  ASSERT_TRUE(log->flush());
  ASSERT_TRUE(manager->checkpoint());
  manager.reset();
  files.crash();
  open();
  EXPECT_FALSE(manager->was_clean());
  ASSERT_TRUE(manager->find({"orders", 0}));
  EXPECT_EQ(manager->find({"orders", 0})->log_end_offset(), 3);
}

TEST_F(LogManagerTest, making_a_log_syncs_nothing_and_neither_does_closing_it_empty) {
  open();
  files.fail_next(runtime::FileOperation::sync, "orders-", make_error_code(Errc::io_error), 100);
  files.fail_next(runtime::FileOperation::sync_directory, "/data", make_error_code(Errc::io_error), 1);
  const auto log = manager->create({"orders", 0}, id, {});
  ASSERT_TRUE(log) << log.error().message();
  (*log)->assign_leader_epoch(1);
  ASSERT_TRUE((*log)->flush_if_due());
  EXPECT_TRUE((*log)->close());
}

TEST_F(LogManagerTest, a_power_cut_takes_empty_logs_and_spares_those_that_were_flushed) {
  open();
  const auto flushed = *manager->create({"orders", 0}, id, {});
  append(*flushed);
  append(**manager->create({"orders", 1}, id, {}));
  ASSERT_TRUE(manager->create({"orders", 2}, id, {}));
  ASSERT_TRUE(flushed->flush());
  ASSERT_TRUE(files.sync_directory("/data"));
  manager.reset();
  files.crash();
  EXPECT_TRUE(files.exists("/data/orders-1"));
  EXPECT_FALSE(files.exists("/data/orders-1/partition.metadata"));
  auto opened = LogManager::open(env, "/data", {}, runtime::Logger("test", runtime::LogLevel::off));
  manager = std::move(*opened);
  std::vector<Uuid> asked;
  ASSERT_TRUE(manager->load([&](const std::string&, const Uuid& topic_id) {
    asked.push_back(topic_id);
    return LoadedTopic{LogConfig{}, true};
  }));
  EXPECT_EQ(asked, (std::vector<Uuid>{id, Uuid{}, Uuid{}}));
  for (const std::int32_t partition : {0, 1, 2}) {
    const auto log = manager->create({"orders", partition}, id, {});
    ASSERT_TRUE(log);
    EXPECT_EQ((*log)->log_end_offset(), partition == 0 ? 3 : 0);
    append(**log);
  }
  ASSERT_TRUE(manager->shutdown(1));
  manager.reset();
  files.crash();
  open();
  EXPECT_TRUE(manager->was_clean());
  for (const std::int32_t partition : {0, 1, 2}) {
    EXPECT_EQ(manager->find({"orders", partition})->log_end_offset(), partition == 0 ? 6 : 3);
  }
}

TEST_F(LogManagerTest, deletes_by_renaming_first) {
  open();
  const auto log = *manager->create({"orders", 0}, id, {});
  append(*log);
  const auto slice = log->read(0, 1000, true, ReadBound::log_end);
  ASSERT_TRUE(manager->remove({{"orders", 0}}));
  EXPECT_FALSE(manager->find({"orders", 0}));
  EXPECT_FALSE(files.exists("/data/orders-0"));
  Bytes batch = make_batch({});
  EXPECT_EQ(log->append_as_leader(batch, 0).error().code, protocol::ErrorCode::not_leader_or_follower);
  EXPECT_TRUE(slice->bytes()) << "who reads may finish";
  ASSERT_TRUE(manager->create({"orders", 0}, id, {}));
  const auto deleted = [this] {
    const auto entries = files.list("/data").value();
    return std::count_if(entries.begin(), entries.end(), [](const auto& one) { return one.name.ends_with("-delete"); });
  };
  ASSERT_TRUE(manager->purge_deleted());
  EXPECT_EQ(deleted(), 1) << "file.delete.delay.ms is not over";
  env.set_wall_ms(env.clock().wall_ms() + LogConfig{}.file_delete_delay_ms);
  ASSERT_TRUE(manager->purge_deleted());
  EXPECT_EQ(deleted(), 0);
  EXPECT_EQ(manager->find({"orders", 0})->log_end_offset(), 0);
}

TEST_F(LogManagerTest, leaves_nothing_of_a_log_that_could_not_be_made) {
  open();
  files.fail_next(runtime::FileOperation::write, "partition.metadata", make_error_code(Errc::storage_full));
  const auto refused = manager->create({"orders", 0}, id, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, make_error_code(Errc::storage_full));
  EXPECT_FALSE(files.exists("/data/orders-0"));
  EXPECT_FALSE(manager->find({"orders", 0}));
  ASSERT_TRUE(manager->create({"orders", 0}, id, {}));
}

TEST_F(LogManagerTest, a_new_topic_never_gets_the_records_of_a_deleted_one_of_its_name) {
  open();
  append(**manager->create({"orders", 0}, id, {}));
  ASSERT_TRUE(manager->shutdown(1));
  manager.reset();
  files.fail_next(runtime::FileOperation::open, "orders-0/0000", make_error_code(Errc::io_error));
  open();
  ASSERT_EQ(manager->problems().size(), 1U);
  EXPECT_EQ((*manager->create({"orders", 0}, id, {}))->log_end_offset(), 3) << "the same topic goes on";
  ASSERT_TRUE(manager->shutdown(1));
  manager.reset();
  files.fail_next(runtime::FileOperation::open, "orders-0/0000", make_error_code(Errc::io_error));
  open();
  EXPECT_EQ((*manager->create({"orders", 0}, Uuid(9, 9), {}))->log_end_offset(), 0);
}

TEST_F(LogManagerTest, a_stop_syncs_no_log_that_has_nothing_new) {
  open();
  append(**manager->create({"orders", 0}, id, {}));
  ASSERT_TRUE(manager->create({"orders", 1}, id, {}));
  ASSERT_TRUE(manager->shutdown(1));
  manager.reset();
  open();
  files.fail_next(runtime::FileOperation::sync, "orders-", make_error_code(Errc::io_error), 100);
  files.fail_next(runtime::FileOperation::sync_directory, "orders-", make_error_code(Errc::io_error), 100);
  EXPECT_TRUE(manager->shutdown(2)) << "no sync was asked for";
}

TEST_F(LogManagerTest, drops_logs_of_topics_that_are_gone) {
  open();
  append(**manager->create({"orders", 0}, id, {}));
  ASSERT_TRUE(manager->shutdown(1));
  manager.reset();
  open(false);
  EXPECT_FALSE(manager->find({"orders", 0}));
  EXPECT_FALSE(files.exists("/data/orders-0"));
}

TEST_F(LogManagerTest, one_log_that_cannot_be_opened_does_not_stop_the_others) {
  open();
  append(**manager->create({"bad", 0}, id, {}));
  append(**manager->create({"good", 0}, id, {}));
  ASSERT_TRUE(manager->shutdown(1));
  manager.reset();
  ASSERT_TRUE(files.write_atomically("/data/bad-0/leader-epoch-checkpoint", as_bytes("nonsense")));
  open();
  EXPECT_EQ(manager->problems().size(), 1U);
  EXPECT_FALSE(manager->find({"bad", 0}));
  EXPECT_EQ(manager->find({"good", 0})->log_end_offset(), 3);
  ASSERT_TRUE(manager->shutdown(1));
  EXPECT_FALSE(files.exists("/data/.kafka_cleanshutdown"));
}

}  // namespace
}  // namespace barnabas::log
