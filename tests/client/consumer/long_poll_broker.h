#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "barnabas/consumer.h"
#include "client/core/client_runtime.h"
#include "common/protocol/messages/fetch.h"
#include "common/protocol/messages/list_offsets.h"
#include "common/record/batch_builder.h"
#include "tests/client/core/scripted_broker.h"

namespace barnabas::client {

/// The leader of the topic "orders", with fetch sessions and long polls. A partition is a number of records, each a
/// batch of its own, of which a fetch brings one.
class LongPollBroker {
 public:
  LongPollBroker(runtime::VirtualEnv& env, net::MemoryNetwork& network, std::vector<std::int64_t> ends)
      : scripted(env, network, "a", 9092) {
    set_ends(std::move(ends));
    scripted.on(protocol::ApiKey::fetch, 4, kFetchVersion, [this](std::int16_t version, Reader& in, Writer& out) {
      return static_cast<bool>(fetch(*protocol::FetchRequest::decode(in, version)).encode(out, version));
    });
    scripted.on(protocol::ApiKey::list_offsets, 1, 7, [](std::int16_t version, Reader& in, Writer& out) {
      const auto request = protocol::ListOffsetsRequest::decode(in, version);
      protocol::ListOffsetsResponse response;
      for (const auto& topic : request->topics) {
        auto& answer = response.topics.emplace_back();
        answer.name = topic.name;
        for (const auto& partition : topic.partitions) {
          auto& entry = answer.partitions.emplace_back();
          entry.partition_index = partition.partition_index;
          entry.offset = 0;
          entry.leader_epoch = 1;
        }
      }
      return static_cast<bool>(response.encode(out, version));
    });
  }

  /// How many records each partition has; there are as many partitions.
  void set_ends(std::vector<std::int64_t> ends) {
    ends_ = std::move(ends);
    scripted.serve_metadata(cluster({"a"}, {{"orders", std::vector<std::int32_t>(ends_.size(), 1)}}));
  }
  int fetches() const { return scripted.requests(protocol::ApiKey::fetch); }

  ScriptedBroker scripted;
  protocol::FetchRequest first_fetch;
  /// Changes an answer before it leaves.
  std::function<void(protocol::FetchResponse&)> change;

 private:
  static constexpr std::int16_t kFetchVersion = 12;
  using Asked = std::map<std::int32_t, std::int64_t>;  // partition, offset

  static Bytes one_record(std::int64_t offset) {
    record::BatchOptions options;
    options.base_offset = offset;
    options.partition_leader_epoch = 1;
    record::BatchBuilder builder(options);
    record::RecordInput input;
    const std::string value = std::to_string(offset);
    input.value = as_bytes(value);
    builder.append(input);
    return *builder.finish();
  }

  protocol::FetchResponse fetch(const protocol::FetchRequest& request) {
    constexpr std::int32_t kSessionId = 7;
    if (fetches() == 1) first_fetch = request;
    protocol::FetchResponse response;
    const bool has_session = request.session_epoch >= 0;
    if (!has_session && request.session_id != 0) return response;  // ends the session
    Asked sessionless;
    Asked& asked = has_session ? session_ : sessionless;
    if (request.session_epoch == 0) session_.clear();
    for (const auto& topic : request.forgotten_topics_data) {
      for (const std::int32_t partition : topic.partitions) asked.erase(partition);
    }
    for (const auto& topic : request.topics) {
      for (const auto& partition : topic.partitions) asked[partition.partition] = partition.fetch_offset;
    }
    response.session_id = has_session ? kSessionId : 0;
    auto& topic = response.responses.emplace_back();
    topic.topic = "orders";
    bool any = false;
    for (const auto& [number, offset] : asked) any |= add_partition(topic, number, offset);
    if (!any) scripted.hold_answer(std::chrono::milliseconds(request.max_wait_ms));
    if (change) change(response);
    return response;
  }

  bool add_partition(protocol::FetchResponse::FetchableTopicResponse& topic, std::int32_t number, std::int64_t offset) {
    auto& partition = topic.partitions.emplace_back();
    partition.partition_index = number;
    partition.high_watermark = ends_.at(static_cast<std::size_t>(number));
    partition.last_stable_offset = partition.high_watermark;
    partition.records = protocol::RecordsRef{};
    if (offset >= partition.high_watermark) return false;
    kept_.push_back(one_record(offset));
    partition.records = protocol::RecordsRef{BytesView(kept_.back())};
    return true;
  }

  std::vector<std::int64_t> ends_;
  Asked session_;
  std::deque<Bytes> kept_;
};

/// A consumer of that broker, in one thread and in virtual time.
class LongPollTest : public ::testing::Test {
 protected:
  Consumer make_consumer(std::vector<TopicPartition> partitions, const Config& more = {}) {
    Config config{{"bootstrap.servers", "a:9092"}, {"auto.offset.reset", "earliest"}, {"fetch.max.wait.ms", "500"}};
    for (const auto& [name, value] : more.properties()) config.set(name, value);
    ConsumerOptions options;
    options.runtime = Runtime(runtime);
    options.log.level = LogLevel::off;
    Consumer consumer(config, std::move(options));
    consumer.assign(std::move(partitions));
    return consumer;
  }
  /// How long it takes until `count` records were polled.
  runtime::Duration time_to_read(Consumer& consumer, std::size_t count) {
    using namespace std::chrono_literals;
    const auto began = env.clock().now();
    std::size_t got = 0;
    for (int i = 0; i < 1000 && got < count; ++i) {
      got += consumer.poll(100ms).size();
      env.run_for(1ms);  // what an application does with them
    }
    EXPECT_EQ(got, count);
    return env.clock().now() - began;
  }

  runtime::VirtualEnv env;
  net::MemoryNetwork network{env};
  std::shared_ptr<ClientRuntime> runtime = ClientRuntime::make(env, network, "client");
};

}  // namespace barnabas::client
