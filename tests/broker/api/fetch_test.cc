#include <gtest/gtest.h>

#include <chrono>

#include "common/record/batch_view.h"
#include "tests/broker/server/test_broker.h"

namespace barnabas::testing {
namespace {

using protocol::code_of;
using protocol::ErrorCode;
using protocol::FetchRequest;
using protocol::FetchResponse;
using namespace std::chrono_literals;

/// A client that keeps the frame its records lie in.
class Fetcher {
 public:
  explicit Fetcher(TestBroker& broker) : socket_(broker.connect()) {}
  RawSocket& socket() { return socket_; }

  FetchResponse fetch(const FetchRequest& request, std::int16_t version = 12) {
    if (!socket_.send(request_frame(request, version))) throw std::runtime_error("closed");
    auto response = receive<FetchResponse>(socket_, version, frame_);
    if (!response) throw std::runtime_error("closed");
    return std::move(*response);
  }
  FetchResponse::PartitionData fetch_one(const FetchFrom& from) {
    return fetch(fetch_request({from})).responses.at(0).partitions.at(0);
  }

 private:
  RawSocket socket_;
  Bytes frame_;
};

/// Base offsets of the whole batches in a fetched partition.
std::vector<std::int64_t> base_offsets(const FetchResponse::PartitionData& data) {
  std::vector<std::int64_t> result;
  BytesView rest = data.records->bytes;
  while (const auto header = record::read_batch_header(rest)) {
    if (header->size_bytes() > rest.size()) break;
    result.push_back(header->base_offset);
    rest = rest.subspan(header->size_bytes());
  }
  return result;
}

TEST(Fetch, does_not_wait_for_more_bytes_than_the_segment_has_when_there_are_more_behind_it) {
  TestBroker broker;
  Fetcher client(broker);
  create_topic(client.socket(), "orders", 1, {{"internal.segment.bytes", "1000"}});
  const Bytes batch = batch_of({std::string(400, 'v')});
  for (int i = 0; i < 10; ++i) produce(client.socket(), "orders", batch);
  const auto begin = std::chrono::steady_clock::now();
  const auto response = client.fetch(fetch_request({{"orders"}}, 20'000, 100'000));
  EXPECT_EQ(base_offsets(response.responses.at(0).partitions.at(0)).size(), 2U) << "a segment's worth";
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

TEST(Fetch, every_version_reads_what_was_written) {
  TestBroker broker;
  Fetcher client(broker);
  const Uuid id = create_topic(client.socket(), "orders");
  const Bytes batch = batch_of({"a", "b"});
  produce(client.socket(), "orders", batch);
  produce(client.socket(), "orders", batch);
  for (std::int16_t version = 4; version <= 18; ++version) {
    FetchRequest request = fetch_request({{"orders"}});
    if (version >= 13) {
      request.topics[0].topic.clear();
      request.topics[0].topic_id = id;
    }
    const FetchResponse response = client.fetch(request, version);
    ASSERT_EQ(response.responses.size(), 1U) << version;
    EXPECT_EQ(response.responses[0].topic_id, version >= 13 ? id : Uuid{}) << version;
    const auto& partition = response.responses[0].partitions.at(0);
    EXPECT_EQ(partition.error_code, 0) << version;
    EXPECT_EQ(partition.high_watermark, 4) << version;
    EXPECT_EQ(partition.last_stable_offset, 4) << version;
    EXPECT_EQ(base_offsets(partition), (std::vector<std::int64_t>{0, 2})) << version;
    EXPECT_EQ(partition.aborted_transactions.has_value(), false) << version;
  }
}

TEST(Fetch, gives_the_batch_that_holds_the_offset) {
  TestBroker broker;
  Fetcher client(broker);
  create_topic(client.socket(), "orders");
  for (int i = 0; i < 5; ++i) produce(client.socket(), "orders", batch_of({"a", "b", "c"}));
  EXPECT_EQ(base_offsets(client.fetch_one({"orders", 0, 7})), (std::vector<std::int64_t>{6, 9, 12}));
  EXPECT_TRUE(base_offsets(client.fetch_one({"orders", 0, 15})).empty());
}

TEST(Fetch, offsets_outside_the_log_are_out_of_range) {
  TestBroker broker;
  Fetcher client(broker);
  create_topic(client.socket(), "orders");
  produce(client.socket(), "orders", batch_of({"a"}));
  for (const std::int64_t offset : {-1, 2}) {
    const auto data = client.fetch_one({"orders", 0, offset});
    EXPECT_EQ(data.error_code, code_of(ErrorCode::offset_out_of_range)) << offset;
    EXPECT_EQ(data.high_watermark, -1);
  }
}

TEST(Fetch, the_first_batch_always_goes_and_limits_hold_behind_it) {
  TestBroker broker;
  Fetcher client(broker);
  create_topic(client.socket(), "a", 2);
  for (std::int32_t p = 0; p < 2; ++p) {
    for (int i = 0; i < 3; ++i) produce(client.socket(), "a", batch_of({std::string(1000, 'x')}), -1, p);
  }
  FetchRequest request = fetch_request({{"a", 0, 0, 10}, {"a", 1, 0, 1 << 20}});
  const FetchResponse small = client.fetch(request);
  EXPECT_EQ(base_offsets(small.responses.at(0).partitions.at(0)), (std::vector<std::int64_t>{0}));
  EXPECT_EQ(base_offsets(small.responses.at(0).partitions.at(1)).size(), 3U);

  request.max_bytes = 1;
  const FetchResponse tiny = client.fetch(request);
  EXPECT_EQ(base_offsets(tiny.responses.at(0).partitions.at(0)), (std::vector<std::int64_t>{0}));
  EXPECT_TRUE(tiny.responses.at(0).partitions.at(1).records->bytes.empty());
}

TEST(Fetch, waits_for_data_no_longer_than_asked) {
  TestBroker broker;
  Fetcher client(broker);
  create_topic(client.socket(), "quiet");
  const auto begin = std::chrono::steady_clock::now();
  const FetchResponse response = client.fetch(fetch_request({{"quiet"}}, 200));
  const auto took = std::chrono::steady_clock::now() - begin;
  EXPECT_GE(took, 190ms);
  EXPECT_LT(took, 5s);
  EXPECT_TRUE(response.responses.at(0).partitions.at(0).records->bytes.empty());
}

TEST(Fetch, a_produce_elsewhere_wakes_it_when_min_bytes_are_there) {
  TestBroker broker;
  Fetcher reader(broker);
  RawSocket writer = broker.connect();
  create_topic(writer, "orders");
  const Bytes batch = batch_of({std::string(500, 'x')});
  ASSERT_TRUE(reader.socket().send(request_frame(fetch_request({{"orders"}}, 20'000, 1000), 12)));
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(produce(writer, "orders", batch).error_code, 0);
  EXPECT_EQ(produce(writer, "orders", batch).error_code, 0);
  Bytes frame;
  const auto response = receive<FetchResponse>(reader.socket(), 12, frame);
  ASSERT_TRUE(response);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
  EXPECT_EQ(response->responses.at(0).partitions.at(0).records->bytes.size(), 2 * batch.size());
}

TEST(Fetch, an_error_does_not_wait) {
  TestBroker broker;
  Fetcher client(broker);
  create_topic(client.socket(), "orders");
  const auto begin = std::chrono::steady_clock::now();
  const FetchResponse response = client.fetch(fetch_request({{"orders"}, {"nowhere"}}, 20'000));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
  EXPECT_EQ(response.responses.at(1).partitions.at(0).error_code, code_of(ErrorCode::unknown_topic_or_partition));
}

TEST(Fetch, leader_epochs_are_checked) {
  TestBroker broker;
  Fetcher client(broker);
  const Uuid id = create_topic(client.socket(), "orders");
  produce(client.socket(), "orders", batch_of({"a"}));
  FetchRequest request = fetch_request({{"orders"}});
  request.topics[0].topic.clear();
  request.topics[0].topic_id = id;
  request.topics[0].partitions[0].current_leader_epoch = 0;
  EXPECT_EQ(client.fetch(request, 16).responses.at(0).partitions.at(0).error_code, 0);
  request.topics[0].partitions[0].current_leader_epoch = 9;
  EXPECT_EQ(client.fetch(request, 16).responses.at(0).partitions.at(0).error_code,
            code_of(ErrorCode::unknown_leader_epoch));
  request.topics[0].topic_id = Uuid(9, 9);
  EXPECT_EQ(client.fetch(request, 16).responses.at(0).partitions.at(0).error_code,
            code_of(ErrorCode::unknown_topic_id));
}

TEST(Fetch, tells_where_a_log_parted_from_ours) {
  TestBroker broker;
  Fetcher client(broker);
  create_topic(client.socket(), "orders");
  produce(client.socket(), "orders", batch_of({"a", "b"}));
  FetchRequest request = fetch_request({{"orders", 0, 2}});
  request.topics[0].partitions[0].last_fetched_epoch = 0;
  EXPECT_EQ(client.fetch(request).responses.at(0).partitions.at(0).diverging_epoch.epoch, -1);
  request.topics[0].partitions[0].fetch_offset = 5;
  const auto diverges = client.fetch(request).responses.at(0).partitions.at(0);
  EXPECT_EQ(diverges.error_code, 0);
  EXPECT_EQ(diverges.diverging_epoch.epoch, 0);
  EXPECT_EQ(diverges.diverging_epoch.end_offset, 2);
}

TEST(Fetch, read_committed_fills_its_fields) {
  TestBroker broker;
  Fetcher client(broker);
  create_topic(client.socket(), "orders");
  produce(client.socket(), "orders", batch_of({"a"}));
  FetchRequest request = fetch_request({{"orders"}});
  request.isolation_level = 1;
  const auto data = client.fetch(request).responses.at(0).partitions.at(0);
  EXPECT_EQ(data.last_stable_offset, 1);
  ASSERT_TRUE(data.aborted_transactions);
  EXPECT_TRUE(data.aborted_transactions->empty());
  EXPECT_EQ(base_offsets(data).size(), 1U);
}

TEST(Fetch, a_session_sends_only_what_is_new) {
  TestBroker broker;
  Fetcher client(broker);
  create_topic(client.socket(), "orders", 3);
  FetchRequest request = fetch_request({{"orders", 0}, {"orders", 1}, {"orders", 2}});
  request.session_epoch = 0;
  const FetchResponse full = client.fetch(request);
  ASSERT_NE(full.session_id, 0);
  EXPECT_EQ(full.responses.size(), 1U);
  produce(client.socket(), "orders", batch_of({"a"}), -1, 1);
  FetchRequest next = fetch_request({});
  next.session_id = full.session_id;
  next.session_epoch = 1;
  const FetchResponse news = client.fetch(next);
  ASSERT_EQ(news.responses.size(), 1U);
  ASSERT_EQ(news.responses[0].partitions.size(), 1U);
  EXPECT_EQ(news.responses[0].partitions[0].partition_index, 1);
  next.session_epoch = 7;
  EXPECT_EQ(client.fetch(next).error_code, code_of(ErrorCode::invalid_fetch_session_epoch));
}

}  // namespace
}  // namespace barnabas::testing
