#include "client/core/broker_connection.h"

#include <gtest/gtest.h>

#include "common/protocol/messages/list_offsets.h"
#include "common/protocol/messages/produce.h"
#include "tests/client/core/scripted_broker.h"

namespace barnabas::client {
namespace {

using protocol::ApiKey;
using std::chrono::seconds;

class BrokerConnectionTest : public ::testing::Test {
 protected:
  Result<void> open(seconds timeout = seconds(5)) {
    connection = std::make_shared<BrokerConnection>(runtime, 3, HostAndPort{"a", 9092},
                                                    ConnectionOptions{"test", -1, -1, counters});
    return runtime->wait(connection->open(env.clock().now() + timeout));
  }
  template <typename Response, typename Request>
  Result<Reply<Response>> call(Request request, CallOptions options = {}, seconds timeout = seconds(5)) {
    return runtime->wait(
        connection->call<Response>(std::move(request), env.clock().now() + timeout, std::move(options)));
  }
  void TearDown() override {
    if (connection) connection->close({Errc::closed, "test over"});
    connection.reset();
    env.run_for(seconds(0));
  }

  runtime::VirtualEnv env;
  net::MemoryNetwork network{env};
  ScriptedBroker broker{env, network, "a", 9092};
  std::shared_ptr<ClientRuntime> runtime = ClientRuntime::make(env, network, "client");
  std::shared_ptr<ConnectionCounters> counters = std::make_shared<ConnectionCounters>();
  std::shared_ptr<BrokerConnection> connection;
};

TEST_F(BrokerConnectionTest, speaks_the_highest_version_of_both) {
  broker.serve_metadata(cluster({"a"}));
  ASSERT_TRUE(open());
  const auto reply = call<protocol::MetadataResponse>(protocol::MetadataRequest{});
  ASSERT_TRUE(reply) << reply.error().message();
  EXPECT_EQ(reply->version, 12);
  EXPECT_EQ(reply->body.cluster_id, "test-cluster");
  const auto older = call<protocol::MetadataResponse>(protocol::MetadataRequest{}, {.versions = VersionRange{0, 9}});
  ASSERT_TRUE(older);
  EXPECT_EQ(older->version, 9);
}

TEST_F(BrokerConnectionTest, falls_back_when_the_broker_knows_an_older_api_versions_only) {
  std::vector<std::int16_t> asked;
  broker.on(ApiKey::api_versions, 0, 1, [&asked](std::int16_t version, Reader&, Writer& out) {
    asked.push_back(version);
    protocol::ApiVersionsResponse body;
    body.error_code = version > 1 ? 35 : 0;
    auto& row = body.api_keys.emplace_back();
    row.api_key = static_cast<std::int16_t>(ApiKey::api_versions);
    row.max_version = 1;
    return body.encode(out, version > 1 ? std::int16_t{0} : version).has_value();
  });
  ASSERT_TRUE(open());
  EXPECT_EQ(asked, (std::vector<std::int16_t>{4, 1}));
}

TEST_F(BrokerConnectionTest, says_which_api_the_broker_lacks) {
  ASSERT_TRUE(open());
  const auto reply = call<protocol::ListOffsetsResponse>(protocol::ListOffsetsRequest{});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Errc::unsupported_version);
  EXPECT_EQ(reply.error().subject, "broker 3 (a:9092): the broker does not serve ListOffsets");
}

TEST_F(BrokerConnectionTest, names_the_broker_when_no_answer_comes_and_closes) {
  broker.on(ApiKey::metadata, 0, 12, [](std::int16_t, Reader&, Writer&) { return false; });
  ASSERT_TRUE(open());
  const auto reply = call<protocol::MetadataResponse>(protocol::MetadataRequest{}, {}, seconds(2));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Errc::timed_out);
  EXPECT_EQ(reply.error().subject, "Metadata to broker 3 (a:9092): no answer within 2000 ms");
  EXPECT_FALSE(connection->is_open());
  EXPECT_EQ(counters->read().requests_timed_out, 1u);
  EXPECT_EQ(counters->read().requests_in_flight, 0u);
}

TEST_F(BrokerConnectionTest, fails_calls_under_way_when_the_peer_leaves) {
  broker.on(ApiKey::metadata, 0, 12, [](std::int16_t, Reader&, Writer&) { return false; });
  ASSERT_TRUE(open());
  asio::co_spawn(
      env.executor(),
      [](runtime::VirtualEnv* e, ScriptedBroker*) -> asio::awaitable<void> {
        const auto slept = co_await e->sleep_for(seconds(1));
        static_cast<void>(slept);
      }(&env, &broker),
      [this](const std::exception_ptr&) { network.cut_all(); });
  const auto reply = call<protocol::MetadataResponse>(protocol::MetadataRequest{});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Errc::disconnected);
  EXPECT_NE(reply.error().subject.find("Metadata to broker 3"), std::string::npos) << reply.error().subject;
}

TEST_F(BrokerConnectionTest, closes_on_an_answer_that_cannot_be) {
  broker.on(ApiKey::metadata, 0, 12, [](std::int16_t, Reader&, Writer& out) {
    out.patch_int32(4, 12345);  // another correlation id
    return true;
  });
  ASSERT_TRUE(open());
  const auto reply = call<protocol::MetadataResponse>(protocol::MetadataRequest{});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Errc::corrupt_data);
  EXPECT_FALSE(connection->is_open());
}

TEST_F(BrokerConnectionTest, reports_a_body_that_is_cut_short) {
  broker.on(ApiKey::metadata, 0, 12, [](std::int16_t, Reader&, Writer& out) {
    out.int32(1);
    return true;
  });
  ASSERT_TRUE(open());
  const auto reply = call<protocol::MetadataResponse>(protocol::MetadataRequest{});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Errc::corrupt_data);
}

TEST_F(BrokerConnectionTest, writes_batches_into_a_produce_request_without_copying_them) {
  Bytes received;
  broker.on(ApiKey::produce, 3, 9, [&received](std::int16_t version, Reader& in, Writer& out) {
    auto request = protocol::ProduceRequest::decode(in, version);
    if (!request) return false;
    for (const auto& topic : request->topic_data) {
      for (const auto& partition : topic.partition_data) {
        received.insert(received.end(), partition.records->bytes.begin(), partition.records->bytes.end());
      }
    }
    return protocol::ProduceResponse{}.encode(out, version).has_value();
  });
  ASSERT_TRUE(open());
  const auto batches = std::make_shared<std::vector<std::string>>(std::vector<std::string>{"first batch", "second"});
  protocol::ProduceRequest request;
  request.acks = -1;
  request.timeout_ms = 1000;
  auto& topic = request.topic_data.emplace_back();
  topic.name = "t";
  CallOptions options;
  options.external.owner = batches;
  std::vector<BytesView> parts;
  for (const std::string& batch : *batches) {
    auto& partition = topic.partition_data.emplace_back();
    partition.records = protocol::RecordsRef{{}, batch.size()};
    parts.push_back(as_bytes(batch));
  }
  options.external.parts = parts;
  const auto reply = call<protocol::ProduceResponse>(request, std::move(options));
  ASSERT_TRUE(reply) << reply.error().message();
  EXPECT_EQ(as_text(received), "first batchsecond");
}

TEST_F(BrokerConnectionTest, pipelines_calls_and_answers_each) {
  broker.serve_metadata(cluster({"a"}));
  ASSERT_TRUE(open());
  network.set_delay(std::chrono::milliseconds(10), std::chrono::milliseconds(10));
  int answered = 0;
  const auto one = [](std::shared_ptr<BrokerConnection> c, runtime::MonotonicTime deadline,
                      int* count) -> asio::awaitable<void> {
    auto reply = co_await c->call<protocol::MetadataResponse>(protocol::MetadataRequest{}, deadline);
    if (reply) ++*count;
  };
  const auto began = env.clock().now();
  for (int i = 0; i < 100; ++i) runtime->spawn(one(connection, began + seconds(10), &answered));
  EXPECT_TRUE(env.run_until([&answered] { return answered == 100; }, began + seconds(10)));
  EXPECT_LT(env.clock().now() - began, seconds(1)) << "calls waited for each other";
}

/// What start() told, and when.
struct Told {
  bool is_starting = false;
  std::vector<Result<RawReply>> replies;
};

TEST_F(BrokerConnectionTest, tells_the_end_of_a_started_request_later_and_once) {
  broker.serve_metadata(cluster({"a"}));
  ASSERT_TRUE(open());
  Told told;
  const auto start = [this, &told](CallOptions options) {
    told.is_starting = true;
    const auto done = [&told](Result<RawReply> reply) {
      EXPECT_FALSE(told.is_starting) << "told inside the call";
      told.replies.push_back(std::move(reply));
    };
    const auto deadline = env.clock().now() + seconds(5);
    connection->start(protocol::MetadataRequest{}, deadline, std::move(options), {done, runtime->executor()});
    told.is_starting = false;
  };
  const auto all_told = [this, &told](std::size_t count) {
    return env.run_until([&] { return told.replies.size() >= count; }, env.clock().now() + seconds(10));
  };
  start({});
  ASSERT_TRUE(all_told(1));
  ASSERT_TRUE(told.replies[0]) << told.replies[0].error().message();
  const auto decoded = connection->decoded<protocol::MetadataResponse>(*told.replies[0]);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->body.cluster_id, "test-cluster");
  start({.versions = VersionRange{100, 100}});
  ASSERT_TRUE(all_told(2));
  ASSERT_FALSE(told.replies[1]);
  EXPECT_EQ(told.replies[1].error().code, Errc::unsupported_version);
  start({});
  connection->close({Errc::disconnected, "closed by the test"});
  ASSERT_TRUE(all_told(3));
  ASSERT_FALSE(told.replies[2]);
  EXPECT_EQ(told.replies[2].error().subject, "Metadata to broker 3 (a:9092): closed by the test");
  env.run_for(seconds(20));
  EXPECT_EQ(told.replies.size(), 3u);
}

TEST_F(BrokerConnectionTest, ends_a_request_without_an_answer_when_it_is_written) {
  broker.on(ApiKey::metadata, 0, 12, [](std::int16_t, Reader&, Writer&) { return false; });
  ASSERT_TRUE(open());
  int written = 0;
  const auto done = [&written](const Result<RawReply>& reply) { written += reply ? 1 : 0; };
  const auto deadline = env.clock().now() + seconds(5);
  for (int i = 0; i < 3; ++i) {
    connection->start(protocol::MetadataRequest{}, deadline, {.expects_answer = false}, {done, runtime->executor()});
  }
  EXPECT_TRUE(env.run_until([&written] { return written == 3; }, deadline));
  EXPECT_EQ(connection->in_flight(), 0u);
  EXPECT_TRUE(connection->is_open());
}

TEST_F(BrokerConnectionTest, keeps_nothing_of_a_caller_whose_executor_ends) {
  broker.on(ApiKey::metadata, 0, 12, [](std::int16_t, Reader&, Writer&) { return false; });
  ASSERT_TRUE(open());
  auto caller = std::make_shared<int>(0);
  const std::weak_ptr<int> watched = caller;
  const auto deadline = env.clock().now() + seconds(5);
  {
    const auto done = [held = std::move(caller)](const Result<RawReply>&) { FAIL() << "the executor has ended"; };
    connection->start(protocol::MetadataRequest{}, deadline, {}, {done, runtime->executor()});
  }
  ASSERT_FALSE(watched.expired());
  runtime->timers()->abandon();
  EXPECT_TRUE(watched.expired());
}

TEST_F(BrokerConnectionTest, takes_small_answers_into_memory_that_was_given_back) {
  broker.serve_metadata(cluster({"a"}));
  ASSERT_TRUE(open());
  const std::byte* first = nullptr;
  decltype(RawReply::frame.storage) held;
  int told = 0;
  for (int i = 1; i <= 3; ++i) {
    const auto done = [&](Result<RawReply> reply) {
      ASSERT_TRUE(reply);
      const std::byte* const storage = reply->frame.storage.get();
      if (first == nullptr) first = storage;
      EXPECT_EQ(storage == first, i < 3) << i;
      if (i == 2) held = reply->frame.storage;  // somebody still looks at the second one
      connection->reuse(std::move(*reply));
      told = i;
    };
    const auto deadline = env.clock().now() + seconds(5);
    connection->start(protocol::MetadataRequest{}, deadline, {}, {done, runtime->executor()});
    ASSERT_TRUE(env.run_until([&told, i] { return told == i; }, deadline));
  }
}

}  // namespace
}  // namespace barnabas::client
