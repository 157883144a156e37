#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/broker.h"
#include "broker/embedded/unsynced_env.h"
#include "common/protocol/errors.h"
#include "common/protocol/headers.h"
#include "common/protocol/messages/create_topics.h"
#include "common/protocol/messages/fetch.h"
#include "common/protocol/messages/produce.h"
#include "common/record/batch_builder.h"
#include "common/runtime/temporary_directory.h"
#include "tests/support/raw_socket.h"

namespace barnabas::testing {

/// The broker of a test: a free port of 127.0.0.1, a temporary directory, and what it wrote to its log.
class TestBroker {
 public:
  using Settings = std::map<std::string, std::string>;

  explicit TestBroker(const Settings& settings = {}, std::size_t reactors = 2) {
    runtime::Properties properties = config::BrokerConfig::without_configuration();
    properties["listeners"] = "PLAINTEXT://127.0.0.1:0";
    properties["log.dirs"] = directory_.path();
    for (const auto& [name, value] : settings) properties[name] = value;
    auto config = config::BrokerConfig::parse(properties);
    if (!config) throw std::runtime_error(config.error().message());
    broker::BrokerOptions options;
    options.logger =
        runtime::Logger("broker", runtime::LogLevel::warn, [lines = lines_](runtime::LogLevel, std::string_view line) {
          const std::lock_guard lock(lines->mutex);
          lines->text.emplace_back(line);
        });
    options.reactors = reactors;
    auto started =
        broker::Broker::start(broker::unsynced_env(), net::tcp_network(), std::move(*config), std::move(options));
    if (!started) throw std::runtime_error(started.error().message());
    broker_ = std::move(*started);
  }

  broker::Broker& operator*() { return *broker_; }
  broker::Broker* operator->() { return broker_.get(); }
  RawSocket connect() { return RawSocket(broker_->port()); }

  std::vector<std::string> log_lines() const {
    const std::lock_guard lock(lines_->mutex);
    return lines_->text;
  }
  /// The lines that hold this text.
  std::size_t logged(std::string_view text) const {
    std::size_t count = 0;
    for (const std::string& line : log_lines()) count += line.find(text) != std::string::npos ? 1 : 0;
    return count;
  }

 private:
  struct Lines {
    std::mutex mutex;
    std::vector<std::string> text;
  };
  runtime::TemporaryDirectory directory_;
  std::shared_ptr<Lines> lines_ = std::make_shared<Lines>();
  std::unique_ptr<broker::Broker> broker_;
};

/// A whole request as it goes over the wire.
template <typename Request>
Bytes request_frame(const Request& request, std::int16_t version, std::int32_t correlation_id = 1) {
  Writer out;
  const auto done = protocol::encode_request_frame(out, request, version, correlation_id, std::string("test"));
  if (!done) throw std::runtime_error(done.error().message());
  return out.take();
}

/// Reads the next answer; none when the broker closed. Records in it are views into `frame`.
template <typename Response>
std::optional<Response> receive(RawSocket& socket, std::int16_t version, Bytes& frame,
                                std::int32_t correlation_id = 1) {
  std::optional<Bytes> received = socket.receive_frame();
  if (!received) return std::nullopt;
  frame = std::move(*received);
  Reader in(frame);
  const auto header = protocol::decode_response_header(in, Response::kApiKey, version);
  if (!header) throw std::runtime_error(header.error().message());
  EXPECT_EQ(header->correlation_id, correlation_id);
  auto response = Response::decode(in, version);
  if (!response) throw std::runtime_error(response.error().message());
  EXPECT_EQ(in.remaining(), 0U);
  return std::move(*response);
}

template <typename Response, typename Request>
std::optional<Response> ask(RawSocket& socket, const Request& request, std::int16_t version) {
  if (!socket.send(request_frame(request, version))) return std::nullopt;
  Bytes frame;
  return receive<Response>(socket, version, frame);
}

inline Uuid create_topic(RawSocket& socket, const std::string& name, std::int32_t partitions = 1,
                         const std::map<std::string, std::string>& configs = {}) {
  protocol::CreateTopicsRequest request;
  auto& topic = request.topics.emplace_back();
  topic.name = name;
  topic.num_partitions = partitions;
  topic.replication_factor = 1;
  for (const auto& [key, value] : configs) {
    auto& config = topic.configs.emplace_back();
    config.name = key;
    config.value = value;
  }
  request.timeout_ms = 10'000;
  const auto response = ask<protocol::CreateTopicsResponse>(socket, request, 7);
  if (!response || response->topics.at(0).error_code != 0) {
    throw std::runtime_error("create " + name + ": " +
                             (response ? std::to_string(response->topics.at(0).error_code) : "closed"));
  }
  return response->topics[0].topic_id;
}

/// One batch with these values.
inline Bytes batch_of(const std::vector<std::string>& values, record::BatchOptions options = {}) {
  record::BatchBuilder builder(options);
  const std::int64_t now = runtime::system_env().clock().wall_ms();
  for (const std::string& value : values)
    builder.append({.timestamp_ms = now, .key = std::nullopt, .value = as_bytes(value)});
  return builder.finish().value();
}

inline protocol::ProduceRequest produce_request(const std::string& topic, const Bytes& batch, std::int16_t acks = -1,
                                                std::int32_t partition = 0) {
  protocol::ProduceRequest request;
  request.acks = acks;
  request.timeout_ms = 10'000;
  auto& data = request.topic_data.emplace_back();
  data.name = topic;
  auto& records = data.partition_data.emplace_back();
  records.index = partition;
  records.records = protocol::RecordsRef{batch};
  return request;
}

/// What came of producing one batch by topic name (version 12).
inline protocol::ProduceResponse::PartitionProduceResponse produce(RawSocket& socket, const std::string& topic,
                                                                   const Bytes& batch, std::int16_t acks = -1,
                                                                   std::int32_t partition = 0) {
  const auto response = ask<protocol::ProduceResponse>(socket, produce_request(topic, batch, acks, partition), 12);
  if (!response) throw std::runtime_error("closed");
  return response->responses.at(0).partition_responses.at(0);
}

struct FetchFrom {
  std::string topic;
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::int32_t max_bytes = 1 << 20;
};

/// A fetch by topic name (up to version 12), without a session.
inline protocol::FetchRequest fetch_request(const std::vector<FetchFrom>& from, std::int32_t max_wait_ms = 0,
                                            std::int32_t min_bytes = 1) {
  protocol::FetchRequest request;
  request.max_wait_ms = max_wait_ms;
  request.min_bytes = min_bytes;
  request.max_bytes = 50 << 20;
  for (const FetchFrom& one : from) {
    auto& topic = request.topics.emplace_back();
    topic.topic = one.topic;
    auto& partition = topic.partitions.emplace_back();
    partition.partition = one.partition;
    partition.fetch_offset = one.offset;
    partition.partition_max_bytes = one.max_bytes;
  }
  return request;
}

}  // namespace barnabas::testing
