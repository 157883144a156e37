#include "common/protocol/messages/create_topics.h"

#include <gtest/gtest.h>

#include "common/runtime/memory_files.h"
#include "tests/broker/server/test_broker.h"
#include "tests/support/env_with_files.h"

namespace barnabas::broker {
namespace {

using namespace barnabas::testing;
using protocol::CreateTopicsRequest;
using protocol::CreateTopicsResponse;
using protocol::ErrorCode;

CreateTopicsRequest creation(const std::string& name) {
  CreateTopicsRequest request;
  auto& topic = request.topics.emplace_back();
  topic.name = name;
  topic.num_partitions = 2;
  topic.replication_factor = 1;
  return request;
}

TEST(CreateTopics, works_in_every_version_and_the_topic_is_usable_at_once) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  for (std::int16_t version = 2; version <= 7; ++version) {
    const std::string name = "t" + std::to_string(version);
    const auto response = ask<CreateTopicsResponse>(socket, creation(name), version);
    ASSERT_TRUE(response) << version;
    const auto& result = response->topics.at(0);
    EXPECT_EQ(result.error_code, 0) << result.error_message.value_or("");
    EXPECT_EQ(result.name, name);
    EXPECT_FALSE(result.error_message);
    if (version >= 5) {
      EXPECT_EQ(result.num_partitions, 2);
      EXPECT_FALSE(result.configs->empty());
    }
    EXPECT_EQ(result.topic_id.is_zero(), version < 7);
    EXPECT_EQ(produce(socket, name, batch_of({"x"}), -1, 1).error_code, 0);
  }
}

TEST(CreateTopics, answers_a_refusal_with_code_and_message) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  const auto response = ask<CreateTopicsResponse>(socket, creation("bad name"), 7);
  ASSERT_TRUE(response);
  EXPECT_EQ(static_cast<ErrorCode>(response->topics.at(0).error_code), ErrorCode::invalid_topic_exception);
  EXPECT_NE(response->topics.at(0).error_message->find("'bad name'"), std::string::npos);
  EXPECT_EQ(response->topics.at(0).num_partitions, -1);
}

TEST(CreateTopics, refuses_what_there_is_no_room_for_and_makes_it_later) {
  constexpr std::uint64_t kRoomy = 1U << 30;
  runtime::MemoryFiles files;
  files.set_capacity_bytes(kRoomy);
  EnvWithFiles env(files);
  runtime::Properties properties = config::BrokerConfig::without_configuration();
  properties["listeners"] = "PLAINTEXT://127.0.0.1:0";
  properties["log.dirs"] = "/data";
  BrokerOptions options;
  options.logger = runtime::Logger("broker", runtime::LogLevel::off);
  auto broker = Broker::start(env, net::tcp_network(), config::BrokerConfig::parse(properties).value(), options);
  ASSERT_TRUE(broker) << broker.error().message();
  RawSocket socket((*broker)->port());
  create_topic(socket, "before");
  int refused = 0;
  for (std::uint64_t room = 0; room < 4000; room += 20) {
    files.set_capacity_bytes(kRoomy);
    files.set_capacity_bytes(kRoomy - files.free_bytes("/data").value() + room);
    const std::string name = "topic-" + std::to_string(room);
    const auto response = ask<CreateTopicsResponse>(socket, creation(name), 7);
    ASSERT_TRUE(response);
    const auto error = static_cast<ErrorCode>(response->topics.at(0).error_code);
    files.set_capacity_bytes(kRoomy);
    if (error != ErrorCode::none) {
      EXPECT_EQ(error, ErrorCode::kafka_storage_error) << room;
      EXPECT_FALSE(files.exists("/data/" + name + "-0")) << "nothing is left of it";
      create_topic(socket, name, 2);
      ++refused;
    }
    // What was announced works, at once.
    for (int partition = 0; partition < 2; ++partition) {
      ASSERT_EQ(produce(socket, name, batch_of({"x"}), -1, partition).error_code, 0) << room;
    }
    if (error == ErrorCode::none) break;
  }
  EXPECT_GT(refused, 5);
}

}  // namespace
}  // namespace barnabas::broker
