#include "broker/partition/replica_manager.h"

#include <gtest/gtest.h>

#include "tests/broker/log/log_fixture.h"

namespace barnabas::partition {
namespace {

using protocol::ErrorCode;

class ReplicaManagerTest : public ::testing::Test {
 protected:
  runtime::MemoryFiles files;
  log::LogTestEnv env{files};
  const Uuid orders = Uuid(1, 1);
  std::unique_ptr<ReplicaManager> replicas;
  const metadata::ImagePtr empty_image = std::make_shared<metadata::MetadataImage>();

  void open() {
    ReplicaManagerOptions options;
    options.directory = "/data";
    options.topic_config = [](const std::map<std::string, std::string>&, const metadata::MetadataImage&) {
      return log::LogConfig{};
    };
    auto opened = ReplicaManager::open(env, options, runtime::Logger("test", runtime::LogLevel::off));
    ASSERT_TRUE(opened) << opened.error().message();
    replicas = std::move(*opened);
    replicas->on_metadata({}, empty_image);
  }
};

TEST_F(ReplicaManagerTest, finds_what_was_created_by_id_and_by_name) {
  open();
  const auto made = replicas->create_partition({orders, "orders", 2}, {}, 7);
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_EQ(replicas->find(orders, 2), *made);
  EXPECT_EQ(replicas->find("orders", 2), *made);
  EXPECT_EQ(replicas->find("orders", 1), nullptr);
  EXPECT_EQ(replicas->find("other", 0), nullptr);
  EXPECT_EQ((*made)->leader_epoch(), 7);
  EXPECT_TRUE(files.exists("/data/orders-2/partition.metadata"));
  EXPECT_EQ(*replicas->create_partition({orders, "orders", 2}, {}, 8), *made) << "a new epoch is not a new partition";
  EXPECT_EQ((*made)->leader_epoch(), 8);
}

TEST_F(ReplicaManagerTest, a_topic_made_anew_begins_empty) {
  open();
  const auto old = *replicas->create_partition({orders, "orders", 0}, {}, 0);
  Bytes batch = log::make_batch({});
  ASSERT_TRUE(old->append(batch, -1));
  replicas->delete_topic(orders);
  EXPECT_EQ(replicas->find("orders", 0), nullptr);
  EXPECT_EQ(old->check_leader(-1), ErrorCode::unknown_topic_or_partition);
  const Uuid again(1, 2);
  const auto fresh = *replicas->create_partition({again, "orders", 0}, {}, 0);
  EXPECT_EQ(fresh->log().log_end_offset(), 0);
  EXPECT_EQ(replicas->find("orders", 0), fresh);
  EXPECT_EQ(replicas->find(orders, 0), nullptr);
  ASSERT_TRUE(replicas->maintain());
  EXPECT_TRUE(replicas->problems().empty());
}

TEST_F(ReplicaManagerTest, passes_changed_settings_on) {
  open();
  const auto made = *replicas->create_partition({orders, "orders", 0}, {}, 0);
  log::LogConfig config;
  config.max_message_bytes = 20;
  replicas->update_config("orders", config);
  Bytes batch = log::make_batch({});
  EXPECT_EQ(made->append(batch, -1).error().code, ErrorCode::message_too_large);
}

TEST_F(ReplicaManagerTest, answers_nothing_after_its_shutdown) {
  open();
  const auto made = *replicas->create_partition({orders, "orders", 0}, {}, 0);
  ASSERT_TRUE(replicas->shutdown(3));
  EXPECT_EQ(made->check_leader(-1), ErrorCode::not_leader_or_follower);
  EXPECT_TRUE(files.exists("/data/.kafka_cleanshutdown"));
}

}  // namespace
}  // namespace barnabas::partition
