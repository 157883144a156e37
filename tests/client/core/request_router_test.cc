#include "client/core/request_router.h"

#include <gtest/gtest.h>

#include "client/core/errors.h"
#include "tests/client/core/scripted_broker.h"

namespace barnabas::client {
namespace {

using protocol::ApiKey;
using protocol::ErrorCode;
using std::chrono::milliseconds;
using std::chrono::seconds;

class RequestRouterTest : public ::testing::Test {
 protected:
  static ClientConfig config(std::vector<HostAndPort> servers) {
    ClientConfig config;
    config.bootstrap_servers = std::move(servers);
    config.client_id = "router-test";
    return config;
  }
  std::shared_ptr<RequestRouter> make_router(ClientConfig config, MetadataCache::Options metadata = {}) {
    RequestRouter::Options options{std::move(config), metadata, {}};
    router = RequestRouter::make(runtime, std::move(options), runtime::Logger("test", runtime::LogLevel::off));
    return router;
  }
  Result<std::shared_ptr<const TopicMetadata>> topic(const std::string& name, milliseconds timeout) {
    return runtime->wait(router->topic(name, env.clock().now() + timeout));
  }
  Result<ConnectionPtr> connect(std::int32_t broker, milliseconds timeout) {
    return runtime->wait(router->connection_to(broker, Channel::main, env.clock().now() + timeout));
  }
  void TearDown() override {
    if (!router) return;
    const auto began = env.clock().now();
    EXPECT_TRUE(runtime->wait(router->shutdown()));
    EXPECT_EQ(env.clock().now(), began) << "shutdown waited for something";
    EXPECT_EQ(router->metrics().connections_open, 0u);
    EXPECT_EQ(router->metrics().requests_in_flight, 0u);
  }

  runtime::VirtualEnv env;
  net::MemoryNetwork network{env};
  std::shared_ptr<ClientRuntime> runtime = ClientRuntime::make(env, network, "client");
  std::shared_ptr<RequestRouter> router;
};

TEST_F(RequestRouterTest, finds_a_topic_and_adopts_the_bootstrap_connection) {
  ScriptedBroker broker(env, network, "a", 9092);
  broker.serve_metadata(cluster({"a"}, {{"orders", {1, 1}}}));
  make_router(config({{"a", 9092}}));
  const auto found = topic("orders", seconds(5));
  ASSERT_TRUE(found) << found.error().message();
  EXPECT_EQ((*found)->partition_count(), 2);
  const auto connection = connect(1, seconds(1));
  ASSERT_TRUE(connection);
  EXPECT_EQ((*connection)->name(), "broker 1 (a:9092)");
  EXPECT_EQ(broker.connections(), 1);
}

TEST_F(RequestRouterTest, tries_the_other_bootstrap_servers) {
  ScriptedBroker broker(env, network, "c", 9092);
  broker.serve_metadata(cluster({"c"}, {{"t", {1}}}));
  make_router(config({{"a", 9092}, {"b", 9092}, {"c", 9092}}));
  const auto found = topic("t", seconds(5));
  EXPECT_TRUE(found) << found.error().message();
}

TEST_F(RequestRouterTest, says_what_it_tried_when_no_broker_answers) {
  make_router(config({{"nowhere", 9092}}));
  const auto began = env.clock().now();
  const auto found = topic("t", seconds(3));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Errc::timed_out);
  EXPECT_EQ(env.clock().now(), began + seconds(3));
  const std::string why = found.error().message();
  EXPECT_NE(why.find("topic 't'"), std::string::npos) << why;
  EXPECT_NE(why.find("nowhere:9092"), std::string::npos) << why;
  EXPECT_NE(why.find("failed attempts"), std::string::npos) << why;
}

TEST_F(RequestRouterTest, backs_off_between_attempts_to_connect) {
  make_router(config({{"nowhere", 9092}}));
  topic("t", seconds(10));
  // 50, 100, ... 1000 ms: some 13 attempts in ten seconds, not thousands.
  EXPECT_GE(router->metrics().connections_failed, 8u);
  EXPECT_LE(router->metrics().connections_failed, 20u);
}

TEST_F(RequestRouterTest, waits_for_a_topic_that_is_about_to_be_made) {
  ScriptedBroker broker(env, network, "a", 9092);
  auto answer = cluster({"a"}, {{"late", {}}});
  answer.topics[0].error_code = protocol::code_of(ErrorCode::unknown_topic_or_partition);
  broker.serve_metadata(answer);
  make_router(config({{"a", 9092}}));
  const auto unknown = topic("late", seconds(2));
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, Errc::timed_out);
  EXPECT_NE(unknown.error().subject.find("UNKNOWN_TOPIC_OR_PARTITION"), std::string::npos) << unknown.error().subject;
  EXPECT_LE(broker.requests(ApiKey::metadata), 20);
  broker.serve_metadata(cluster({"a"}, {{"late", {1}}}));
  EXPECT_TRUE(topic("late", seconds(2)));
}

TEST_F(RequestRouterTest, fails_at_once_for_a_topic_that_may_not_be_read) {
  ScriptedBroker broker(env, network, "a", 9092);
  auto answer = cluster({"a"}, {{"secret", {}}});
  answer.topics[0].error_code = protocol::code_of(ErrorCode::topic_authorization_failed);
  broker.serve_metadata(answer);
  make_router(config({{"a", 9092}}));
  const auto began = env.clock().now();
  const auto found = topic("secret", seconds(60));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::topic_authorization_failed);
  EXPECT_LT(env.clock().now(), began + seconds(1));
}

TEST_F(RequestRouterTest, refreshes_by_age_and_notices_new_partitions) {
  ScriptedBroker broker(env, network, "a", 9092);
  broker.serve_metadata(cluster({"a"}, {{"t", {1}}}));
  make_router(config({{"a", 9092}}), {.max_age = milliseconds(5000)});
  ASSERT_TRUE(topic("t", seconds(1)));
  broker.serve_metadata(cluster({"a"}, {{"t", {1, 1, 1}}}));
  env.run_for(seconds(6));
  EXPECT_EQ(router->metadata().snapshot()->topic("t")->partition_count(), 3);
}

TEST_F(RequestRouterTest, refreshes_when_a_broker_goes_away_and_finds_the_new_leader) {
  ScriptedBroker first(env, network, "a", 9092);
  ScriptedBroker second(env, network, "b", 9092);
  first.serve_metadata(cluster({"a", "b"}, {{"t", {1}}}));
  second.serve_metadata(cluster({"a", "b"}, {{"t", {1}}}));
  make_router(config({{"a", 9092}, {"b", 9092}}));
  const auto deadline = env.clock().now() + seconds(30);
  auto leader = runtime->wait(router->connection_to_leader({"t", 0}, Channel::main, deadline));
  ASSERT_TRUE(leader);
  EXPECT_EQ((*leader)->broker_id(), 1);
  auto moved = cluster({"a", "b"}, {{"t", {2}}});
  moved.topics[0].partitions[0].leader_epoch = 2;
  second.serve_metadata(moved);
  first.stop();
  router->request_metadata_update();
  env.run_for(seconds(2));
  leader = runtime->wait(router->connection_to_leader({"t", 0}, Channel::main, deadline));
  ASSERT_TRUE(leader) << leader.error().message();
  EXPECT_EQ((*leader)->broker_id(), 2);
}

TEST_F(RequestRouterTest, asks_the_bootstrap_servers_again_when_all_known_brokers_are_gone) {
  auto broker = std::make_unique<ScriptedBroker>(env, network, "old", 9092);
  ScriptedBroker bootstrap(env, network, "vip", 9092);
  bootstrap.serve_metadata(cluster({"old"}, {{"t", {1}}}));
  broker->serve_metadata(cluster({"old"}, {{"t", {1}}}));
  make_router(config({{"vip", 9092}}), {.max_age = milliseconds(1000)});
  ASSERT_TRUE(topic("t", seconds(5)));
  env.run_for(seconds(3));
  ScriptedBroker renewed(env, network, "new", 9092);
  renewed.serve_metadata(cluster({"new"}, {{"t", {1}}}));
  bootstrap.serve_metadata(cluster({"new"}, {{"t", {1}}}));
  broker.reset();
  env.run_for(seconds(20));
  const auto connection = connect(1, seconds(5));
  ASSERT_TRUE(connection) << connection.error().message();
  EXPECT_EQ((*connection)->name(), "broker 1 (new:9092)");
  EXPECT_GE(router->metrics().rebootstraps, 1u);
}

TEST_F(RequestRouterTest, a_broker_that_is_forgotten_while_it_is_tried_may_come_back) {
  ScriptedBroker broker(env, network, "a", 9092);
  broker.serve_metadata(cluster({"a"}, {{"t", {1}}}));
  make_router(config({{"a", 9092}}));
  ASSERT_TRUE(topic("t", seconds(5)));
  broker.stop();
  const auto lost = connect(1, seconds(30));
  ASSERT_FALSE(lost);
  EXPECT_TRUE(is_retriable(lost.error())) << lost.error().message();
  EXPECT_GE(router->metrics().rebootstraps, 1u);
}

TEST_F(RequestRouterTest, recovers_when_its_only_broker_restarts) {
  ScriptedBroker broker(env, network, "a", 9092);
  broker.serve_metadata(cluster({"a"}, {{"t", {1}}}));
  make_router(config({{"a", 9092}}), {.max_age = milliseconds(500)});
  ASSERT_TRUE(topic("t", seconds(5)));
  broker.stop();
  env.run_for(seconds(10));
  EXPECT_FALSE(connect(1, seconds(1)));
  broker.start();
  const auto again = connect(1, seconds(5));
  EXPECT_TRUE(again) << again.error().message();
}

TEST_F(RequestRouterTest, closes_idle_connections) {
  ScriptedBroker broker(env, network, "a", 9092);
  broker.serve_metadata(cluster({"a"}));
  auto settings = config({{"a", 9092}});
  settings.connections_max_idle = seconds(10);
  make_router(settings);
  env.run_for(seconds(5));
  EXPECT_EQ(router->metrics().connections_open, 1u);
  env.run_for(seconds(20));
  EXPECT_EQ(router->metrics().connections_open, 0u);
  EXPECT_TRUE(connect(1, seconds(1)));
}

TEST_F(RequestRouterTest, ends_every_wait_at_shutdown) {
  make_router(config({{"nowhere", 9092}}));
  std::optional<Result<std::shared_ptr<const TopicMetadata>>> result;
  const auto waiting = [](auto r, auto* out) -> asio::awaitable<void> {
    auto got = co_await r->topic("t", runtime::MonotonicTime::max());
    out->emplace(std::move(got));
  };
  runtime->spawn(waiting(router, &result));
  env.run_for(seconds(1));
  ASSERT_TRUE(runtime->wait(router->shutdown()));
  env.run_for(milliseconds(1));
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->error().code, Errc::closed);
}

TEST_F(RequestRouterTest, gives_up_an_attempt_that_gets_no_answer) {
  network.stall(true);
  ScriptedBroker broker(env, network, "a", 9092);
  broker.serve_metadata(cluster({"a"}, {{"t", {1}}}));
  auto settings = config({{"a", 9092}});
  settings.connection_setup_timeout = seconds(1);
  settings.connection_setup_timeout_max = seconds(1);
  make_router(settings);
  EXPECT_FALSE(topic("t", seconds(5)));
  EXPECT_GE(router->metrics().connections_failed + router->metrics().connections_opened, 3u);
  network.stall(false);
  EXPECT_TRUE(topic("t", seconds(5)));
}

}  // namespace
}  // namespace barnabas::client
