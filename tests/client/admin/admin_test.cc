#include "barnabas/admin.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>
#include <atomic>
#include <chrono>
#include <future>
#include <thread>

#include "barnabas/admin_async.h"
#include "barnabas/embedded_broker.h"
#include "barnabas/runtime_async.h"
#include "common/protocol/errors.h"

namespace barnabas {
namespace {

using protocol::ErrorCode;
using namespace std::chrono_literals;

class AdminTest : public ::testing::Test {
 protected:
  Config config() const {
    return Config{{"bootstrap.servers", broker.bootstrap_servers()}, {"client.id", "admin-test"}};
  }

  EmbeddedBroker broker;
};

TEST_F(AdminTest, creates_lists_describes_and_deletes_topics) {
  Admin admin(config());
  const auto created = admin.create_topics({{.name = "orders", .partitions = 3}, {.name = "bills"}});
  ASSERT_EQ(created.size(), 2u);
  for (const CreatedTopic& topic : created) EXPECT_FALSE(topic.error) << topic.error.context;
  EXPECT_EQ(created[0].topic_id.size(), 22u);
  const auto listed = admin.list_topics();
  ASSERT_EQ(listed.size(), 2u);
  EXPECT_EQ(listed[0].name, "bills");
  EXPECT_EQ(listed[1].name, "orders");
  const auto described = admin.describe_topics({"orders"});
  ASSERT_EQ(described.size(), 1u);
  EXPECT_EQ(described[0].topic_id, created[0].topic_id);
  ASSERT_EQ(described[0].partitions.size(), 3u);
  EXPECT_EQ(described[0].partitions[2].partition, 2);
  EXPECT_EQ(described[0].partitions[2].leader, described[0].partitions[2].replicas.at(0));
  const auto deleted = admin.delete_topics({"orders"});
  ASSERT_EQ(deleted.size(), 1u);
  EXPECT_FALSE(deleted[0].error) << deleted[0].error.context;
  EXPECT_EQ(admin.list_topics().size(), 1u);
}

TEST_F(AdminTest, tells_what_is_wrong_with_each_topic) {
  Admin admin(config());
  const auto created = admin.create_topics({{.name = "fine"}, {.name = "bad/name"}, {.name = "none", .partitions = 0}});
  ASSERT_EQ(created.size(), 3u);
  for (const CreatedTopic& topic : created) {
    const std::error_code expected = topic.name == "fine"       ? std::error_code()
                                     : topic.name == "bad/name" ? make_error_code(ErrorCode::invalid_topic_exception)
                                                                : make_error_code(ErrorCode::invalid_partitions);
    EXPECT_EQ(topic.error.code, expected) << topic.name;
    EXPECT_TRUE(!topic.error || topic.error.context.find(topic.name) != std::string::npos) << topic.error.context;
  }
  EXPECT_EQ(admin.create_topics({{.name = "fine"}}).at(0).error.code, ErrorCode::topic_already_exists);
  EXPECT_EQ(admin.delete_topics({"unknown"}).at(0).error.code, ErrorCode::unknown_topic_or_partition);
  EXPECT_EQ(admin.describe_topics({"unknown"}).at(0).error.code, ErrorCode::unknown_topic_or_partition);
  EXPECT_EQ(admin.describe_topics({"unknown"}).at(0).name, "unknown");
  EXPECT_EQ(admin.list_topics().size(), 1u) << "describing a topic must not create it";
}

TEST_F(AdminTest, only_validates_when_told_so) {
  Admin admin(config());
  const auto created = admin.create_topics({{.name = "dry"}}, {.timeout = {}, .validate_only = true});
  ASSERT_EQ(created.size(), 1u);
  EXPECT_FALSE(created[0].error) << created[0].error.context;
  EXPECT_TRUE(admin.list_topics().empty());
}

TEST_F(AdminTest, describes_the_cluster_and_its_apis) {
  Admin admin(config());
  const auto cluster = admin.describe_cluster();
  ASSERT_EQ(cluster.brokers.size(), 1u);
  EXPECT_EQ(cluster.brokers[0].port, broker.port());
  EXPECT_FALSE(cluster.cluster_id.empty());
  const auto versions = admin.api_versions();
  ASSERT_EQ(versions.size(), 1u);
  EXPECT_EQ(versions[0].broker_id, cluster.brokers[0].id);
  const auto& apis = versions[0].apis;
  const auto fetch =
      std::find_if(apis.begin(), apis.end(), [](const ApiVersionRange& api) { return api.name == "Fetch"; });
  ASSERT_NE(fetch, apis.end());
  EXPECT_EQ(fetch->key, 1);
  EXPECT_GE(fetch->max_version, 13);
}

TEST_F(AdminTest, describes_configs_of_topics_and_brokers) {
  Admin admin(config());
  admin.create_topics({{.name = "kept", .configs = {{"retention.ms", "1234"}}}});
  const auto topic = admin.describe_configs({{ConfigResourceType::topic, "kept"}});
  ASSERT_EQ(topic.size(), 1u);
  EXPECT_FALSE(topic[0].error) << topic[0].error.context;
  const auto& entries = topic[0].entries;
  const auto retention = std::find_if(entries.begin(), entries.end(),
                                      [](const ConfigEntry& entry) { return entry.name == "retention.ms"; });
  ASSERT_NE(retention, entries.end());
  EXPECT_EQ(retention->value, "1234");
  EXPECT_EQ(retention->source, "DYNAMIC_TOPIC_CONFIG");
  EXPECT_FALSE(retention->is_default);
  const std::string id = std::to_string(admin.describe_cluster().brokers.at(0).id);
  EXPECT_FALSE(admin.describe_configs({{ConfigResourceType::broker, id}}).at(0).entries.empty());
  EXPECT_EQ(admin.describe_configs({{ConfigResourceType::topic, "unknown"}}).at(0).error.code,
            ErrorCode::unknown_topic_or_partition);
  EXPECT_THROW(admin.describe_configs({{ConfigResourceType::broker, "one"}}), Error);
}

TEST_F(AdminTest, lists_offsets_and_says_which_partition_is_unknown) {
  Admin admin(config());
  admin.create_topics({{.name = "t", .partitions = 2}});
  const auto offsets = admin.list_offsets({{{"t", 0}, OffsetSpec::earliest()},
                                           {{"t", 1}, OffsetSpec::latest()},
                                           {{"t", 7}, OffsetSpec::latest()},
                                           {{"unknown", 0}, OffsetSpec::latest()}});
  ASSERT_EQ(offsets.size(), 4u);
  EXPECT_EQ(offsets[0].offset, 0);
  EXPECT_EQ(offsets[1].offset, 0);
  EXPECT_EQ(offsets[2].error.code, ErrorCode::unknown_topic_or_partition);
  EXPECT_NE(offsets[2].error.context.find("t-7"), std::string::npos) << offsets[2].error.context;
  EXPECT_EQ(offsets[3].error.code, ErrorCode::unknown_topic_or_partition);
  EXPECT_EQ(admin.list_offsets({{{"t", 0}, OffsetSpec::max_timestamp()}}).at(0).offset, -1);
}

TEST_F(AdminTest, serves_callbacks_futures_and_coroutines_alike) {
  Admin admin(config());
  auto future = admin.async_create_topics({{.name = "a"}}, {}, asio::use_future);
  EXPECT_FALSE(future.get().at(0).error);
  asio::io_context io;
  std::size_t by_coroutine = 0;
  std::size_t by_callback = 0;
  asio::co_spawn(
      io,
      [](Admin* a, std::size_t* count) -> asio::awaitable<void> {
        const auto topics = co_await a->async_list_topics(false, {}, asio::use_awaitable);
        *count = topics.size();
      }(&admin, &by_coroutine),
      asio::detached);
  io.run();
  EXPECT_EQ(by_coroutine, 1u);
  std::promise<void> called;
  admin.async_list_topics(false, {}, [&](std::error_code error, const std::vector<TopicListing>& topics) {
    EXPECT_FALSE(error);
    by_callback = topics.size();
    called.set_value();
  });
  called.get_future().wait();
  EXPECT_EQ(by_callback, 1u);
}

TEST_F(AdminTest, shares_the_users_executor_and_refuses_to_block_on_it) {
  asio::io_context io;
  auto work = asio::make_work_guard(io);
  std::thread thread([&io] { io.run(); });
  const Runtime runtime = Runtime::on(io.get_executor());
  {
    Admin first(config(), {.runtime = runtime, .log = {}});
    Admin second(config(), {.runtime = runtime, .log = {}});
    EXPECT_FALSE(first.create_topics({{.name = "shared"}}).at(0).error);
    EXPECT_EQ(second.list_topics().size(), 1u);
    std::promise<std::error_code> blocked;
    asio::post(io, [&] {
      try {
        first.list_topics();
        blocked.set_value({});
      } catch (const Error& error) {
        blocked.set_value(error.code());
      }
    });
    EXPECT_EQ(blocked.get_future().get(), Errc::would_deadlock);
  }
  work.reset();
  thread.join();
}

TEST_F(AdminTest, finds_the_broker_again_after_a_restart) {
  Admin admin(config());
  admin.create_topics({{.name = "stays"}});
  broker.stop();
  EXPECT_THROW(admin.list_topics(false, 300ms), Error);
  broker.start();
  EXPECT_EQ(admin.list_topics(false, 20s).size(), 1u);
}

TEST(AdminWithoutBroker, times_out_and_says_what_was_tried) {
  Admin admin({{"bootstrap.servers", "127.0.0.1:1"}}, {.runtime = {}, .log = {.level = LogLevel::off, .write = {}}});
  const auto began = std::chrono::steady_clock::now();
  try {
    admin.list_topics(false, 400ms);
    FAIL() << "listed topics of nobody";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::timed_out);
    EXPECT_TRUE(error.is_retriable());
    EXPECT_NE(error.context().find("127.0.0.1:1"), std::string::npos) << error.context();
    EXPECT_NE(error.context().find("attempts"), std::string::npos) << error.context();
  }
  const auto took = std::chrono::steady_clock::now() - began;
  EXPECT_GE(took, 350ms);
  EXPECT_LT(took, 5s);
}

TEST(AdminWithoutBroker, ends_calls_under_way_when_it_is_destroyed) {
  std::future<std::vector<TopicListing>> listed;
  {
    Admin admin({{"bootstrap.servers", "127.0.0.1:1"}}, {.runtime = {}, .log = {.level = LogLevel::off, .write = {}}});
    listed = admin.async_list_topics(false, 60s, asio::use_future);
  }
  ASSERT_EQ(listed.wait_for(5s), std::future_status::ready);
  try {
    listed.get();
    FAIL();
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), Errc::closed);
  }
}

TEST(AdminWithoutBroker, can_be_cancelled) {
  Admin admin({{"bootstrap.servers", "127.0.0.1:1"}}, {.runtime = {}, .log = {.level = LogLevel::off, .write = {}}});
  asio::cancellation_signal signal;
  std::promise<std::error_code> ended;
  admin.async_list_topics(
      false, 60s,
      asio::bind_cancellation_slot(
          signal.slot(), [&](std::error_code error, const std::vector<TopicListing>&) { ended.set_value(error); }));
  signal.emit(asio::cancellation_type::terminal);
  auto future = ended.get_future();
  ASSERT_EQ(future.wait_for(5s), std::future_status::ready);
  EXPECT_EQ(future.get(), Errc::cancelled);
}

TEST(AdminWithoutBroker, writes_its_log_to_the_users_sink) {
  std::promise<std::string> first;
  std::atomic<bool> got{false};
  LogSink sink;
  sink.write = [&](LogLevel level, std::string_view client, std::string_view line) {
    EXPECT_EQ(level, LogLevel::warning);
    EXPECT_EQ(client, "noisy");
    if (!got.exchange(true)) first.set_value(std::string(line));
  };
  const Admin admin({{"bootstrap.servers", "127.0.0.1:1"}, {"client.id", "noisy"}}, {.runtime = {}, .log = sink});
  auto line = first.get_future();
  ASSERT_EQ(line.wait_for(5s), std::future_status::ready);
  EXPECT_NE(line.get().find("127.0.0.1:1"), std::string::npos);
}

}  // namespace
}  // namespace barnabas
