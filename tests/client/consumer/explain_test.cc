#include "client/consumer/explain.h"

#include "common/protocol/errors.h"
#include "tests/client/consumer/long_poll_broker.h"

// Every reason for which poll returns nothing, brought about and named by Consumer::explain().
namespace barnabas::client {
namespace {

using namespace std::chrono_literals;
using protocol::ApiKey;
using protocol::ErrorCode;
using protocol::FetchResponse;

const TopicPartition kOrders0{"orders", 0};

class Explain : public LongPollTest {
 protected:
  void expect(const Consumer& consumer, std::string_view cause) {
    EXPECT_NE(consumer.explain().find(cause), std::string::npos) << consumer.explain();
  }
  static void silence(LongPollBroker& broker, ApiKey api, std::int16_t max_version) {
    broker.scripted.on(api, 1, max_version, [](std::int16_t, Reader&, Writer&) { return false; });
  }
  /// All answers to fetches carry this batch.
  static void answer_with(LongPollBroker& broker, std::shared_ptr<const Bytes> batch) {
    broker.change = [batch = std::move(batch)](FetchResponse& response) {
      if (response.responses.empty()) return;
      response.responses.front().partitions.front().records = protocol::RecordsRef{BytesView(*batch)};
    };
  }
  static std::shared_ptr<const Bytes> batch_of(std::size_t value_bytes, record::CompressionType compression) {
    record::BatchOptions options;
    options.compression = compression;
    record::BatchBuilder builder(options);
    const std::string value(value_bytes, 'x');
    record::RecordInput input;
    input.value = as_bytes(value);
    builder.append(input);
    return std::make_shared<const Bytes>(*builder.finish());
  }
};

TEST_F(Explain, a_consumer_that_is_closed_or_reads_nothing) {
  auto consumer = make_consumer({});
  expect(consumer, "no partition is assigned");
  consumer.close(1s);
  expect(consumer, "the consumer is closed");
}

TEST_F(Explain, a_cluster_that_does_not_answer) {
  auto consumer = make_consumer({kOrders0});
  consumer.poll(1s);
  expect(consumer, "no broker of the cluster has answered yet");
}

TEST_F(Explain, topics_partitions_and_leaders_that_are_missing) {
  LongPollBroker broker(env, network, {0});
  auto consumer = make_consumer({{"other", 0}, {"orders", 3}});
  consumer.poll(1s);
  expect(consumer, "other-0 at offset -1: the topic is not known to the cluster");
  expect(consumer, "orders-3 at offset -1: the topic has 1 partitions only");
  broker.scripted.serve_metadata(cluster({"a"}, {{"orders", {-1}}}));
  auto second = make_consumer({kOrders0});
  second.poll(1s);
  expect(second, "the partition has no leader");
}

TEST_F(Explain, a_position_that_is_not_known_yet) {
  LongPollBroker broker(env, network, {5});
  silence(broker, ApiKey::list_offsets, 7);
  auto consumer = make_consumer({kOrders0});
  consumer.poll(1s);
  expect(consumer, "looks up where to start (auto.offset.reset)");
}

TEST_F(Explain, a_new_leader_that_must_confirm_the_position) {
  LongPollBroker broker(env, network, {1});
  broker.scripted.on(ApiKey::offset_for_leader_epoch, 2, 4, [&](std::int16_t, Reader&, Writer&) {
    broker.scripted.hold_answer(1h);
    return true;
  });
  auto consumer = make_consumer({kOrders0}, {{"metadata.max.age.ms", "1000"}});
  time_to_read(consumer, 1);
  auto metadata = cluster({"a"}, {{"orders", {1}}});
  metadata.topics.front().partitions.front().leader_epoch = 2;
  broker.scripted.serve_metadata(metadata);
  consumer.poll(3s);
  expect(consumer, "asks the new leader whether it has what was read");
}

TEST_F(Explain, a_topic_that_may_not_be_read) {
  LongPollBroker broker(env, network, {1});
  broker.change = [](FetchResponse& response) {
    auto& partition = response.responses.front().partitions.front();
    partition.error_code = protocol::code_of(ErrorCode::topic_authorization_failed);
    partition.records = protocol::RecordsRef{};
  };
  auto consumer = make_consumer({kOrders0});
  EXPECT_THROW(consumer.poll(1s), Error);
  expect(consumer, "failed; seek to go on");
  expect(consumer, "TOPIC_AUTHORIZATION_FAILED");
  ASSERT_TRUE(consumer.poll_failure());
  EXPECT_EQ(consumer.poll_failure()->partition, kOrders0);
  EXPECT_EQ(consumer.poll_failure()->next_offset, -1);
}

TEST_F(Explain, a_partition_that_is_paused_or_has_records) {
  LongPollBroker broker(env, network, {5});
  auto consumer = make_consumer({kOrders0});
  env.run_for(100ms);
  expect(consumer, "has records for the next poll");
  consumer.pause({kOrders0});
  expect(consumer, "paused");
}

TEST_F(Explain, a_batch_that_cannot_be_read) {
  LongPollBroker broker(env, network, {1});
  Bytes bad = *batch_of(10, record::CompressionType::none);
  bad.back() ^= std::byte{0xff};
  answer_with(broker, std::make_shared<const Bytes>(std::move(bad)));
  auto consumer = make_consumer({kOrders0});
  EXPECT_THROW(consumer.poll(1s), Error);
  expect(consumer, "has a batch that cannot be read");
}

TEST_F(Explain, a_batch_for_which_there_is_no_room) {
  LongPollBroker broker(env, network, {1});
  answer_with(broker, batch_of(3'000'000, record::CompressionType::zstd));
  auto consumer = make_consumer({kOrders0}, {{"buffer.memory", "1048576"}});
  EXPECT_THROW(consumer.poll(1s), Error);
  expect(consumer, "has a batch that does not fit into what is free of buffer.memory");
  ASSERT_TRUE(consumer.poll_failure());
  EXPECT_EQ(consumer.poll_failure()->error, Errc::buffer_full);
}

TEST_F(Explain, a_back_off_after_errors) {
  LongPollBroker broker(env, network, {1});
  broker.change = [](FetchResponse& response) {
    auto& partition = response.responses.front().partitions.front();
    partition.error_code = protocol::code_of(ErrorCode::kafka_storage_error);
    partition.records = protocol::RecordsRef{};
  };
  auto consumer = make_consumer({kOrders0});
  EXPECT_TRUE(consumer.poll(5s).empty());
  expect(consumer, " ms before it asks again");
  expect(consumer, "KAFKA_STORAGE_ERROR");
}

TEST_F(Explain, a_transaction_that_is_open) {
  LongPollBroker broker(env, network, {0});
  broker.change = [](FetchResponse& response) {
    if (response.responses.empty()) return;
    auto& partition = response.responses.front().partitions.front();
    partition.high_watermark = 5;
    partition.last_stable_offset = 0;
  };
  auto consumer = make_consumer({kOrders0}, {{"isolation.level", "read_committed"}});
  EXPECT_TRUE(consumer.poll(2s).empty());
  expect(consumer, "waits for a transaction to end: offsets 0 to 4 may not be read before");
}

TEST_F(Explain, a_broker_that_does_not_answer_a_fetch) {
  LongPollBroker broker(env, network, {5});
  silence(broker, ApiKey::fetch, 12);
  auto consumer = make_consumer({kOrders0});
  EXPECT_TRUE(consumer.poll(2s).empty());
  expect(consumer, "waits for broker 1 to answer a fetch sent ");
}

TEST_F(Explain, the_end_of_a_partition) {
  LongPollBroker broker(env, network, {2});
  auto consumer = make_consumer({kOrders0});
  time_to_read(consumer, 2);
  EXPECT_TRUE(consumer.poll(1s).empty());
  expect(consumer, "waits for records at the end of the partition");
}

TEST_F(Explain, records_that_hold_all_the_memory) {
  std::int64_t at = 0;
  std::deque<Bytes> batches;  // the broker answers until the consumer has ended
  LongPollBroker broker(env, network, {100});
  auto consumer = make_consumer({kOrders0}, {{"buffer.memory", "1048576"}, {"max.partition.fetch.bytes", "200000"}});
  broker.change = [&](FetchResponse& response) {
    if (response.responses.empty()) return;
    record::BatchOptions options;
    options.base_offset = at++;
    record::BatchBuilder builder(options);
    const std::string value(190'000, 'x');
    record::RecordInput input;
    input.value = as_bytes(value);
    builder.append(input);
    batches.push_back(*builder.finish());
    response.responses.front().partitions.front().records = protocol::RecordsRef{BytesView(batches.back())};
  };
  std::vector<Records> held;
  try {
    for (int i = 0; i < 20; ++i) held.push_back(consumer.poll(5s));
    ADD_FAILURE() << "the memory was to be used up";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::buffer_full);
  }
  expect(consumer, "has no room to fetch: of buffer.memory=1048576, Records that are still alive hold ");
  EXPECT_LE(consumer.metrics().held_bytes, 1048576U);
  held.clear();
  EXPECT_FALSE(consumer.poll(5s).empty()) << "there is room again";
}

TEST_F(Explain, a_batch_that_is_larger_than_all_the_memory) {
  LongPollBroker broker(env, network, {1, 3});
  const auto large = batch_of(1'200'000, record::CompressionType::none);
  broker.change = [large](FetchResponse& response) {
    if (response.responses.empty()) return;
    for (auto& partition : response.responses.front().partitions) {
      if (partition.partition_index == 0 && !partition.records->bytes.empty())
        partition.records = protocol::RecordsRef{BytesView(*large)};
    }
  };
  auto consumer = make_consumer({kOrders0, {"orders", 1}}, {{"buffer.memory", "1048576"}});
  std::size_t got = 0;
  try {
    for (int i = 0; i < 10; ++i) got += consumer.poll(5s).size();
    ADD_FAILURE() << "the batch was to be refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::buffer_full);
    EXPECT_NE(error.context().find("orders-0 at offset 0"), std::string::npos) << error.context();
    EXPECT_NE(error.context().find("buffer.memory=1048576"), std::string::npos) << error.context();
  }
  expect(consumer, "failed; seek to go on");
  consumer.seek(kOrders0, 1);
  for (int i = 0; i < 10 && got < 3; ++i) got += consumer.poll(5s).size();
  EXPECT_EQ(got, 3U) << "the other partition is read";
}

}  // namespace
}  // namespace barnabas::client
