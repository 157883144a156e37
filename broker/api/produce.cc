// Produce: v3 record batches (magic 2); v5 log start offset; v7 zstd; v8 record errors and messages; v9 flexible;
// v10 current leader and node endpoints; v12 transactions of KIP-890; v13 topic ids.
#include <fmt/core.h>

#include <array>
#include <chrono>
#include <utility>
#include <vector>

#include "broker/api/handlers.h"
#include "broker/api/partition_lookup.h"
#include "broker/metrics/broker_metrics.h"
#include "broker/server/purgatory.h"
#include "common/record/batch_header.h"
#include "common/record/validator.h"

namespace barnabas::broker {
namespace {

using protocol::ErrorCode;
using protocol::ProduceRequest;
using protocol::ProduceResponse;
using PartitionResponse = ProduceResponse::PartitionProduceResponse;

constexpr std::int16_t kFirstVersionWithEndpoints = 10;
constexpr std::int16_t kFirstVersionWithIds = 13;
constexpr std::int16_t kAcksAll = -1;
constexpr std::array<std::string_view, 3> kInternalTopics{"__consumer_offsets", "__transaction_state",
                                                          "__share_group_state"};

/// Appended, but not yet where acks=all wants it.
struct Waiting {
  partition::PartitionPtr partition;
  std::int64_t required_offset = 0;
  PartitionResponse* response = nullptr;  // in an answer that no longer grows
};

void fail(PartitionResponse& response, ErrorCode error, std::string message) {
  response.error_code = code_of(error);
  response.base_offset = -1;
  if (!message.empty()) response.error_message = std::move(message);
}

void fail(PartitionResponse& response, const record::ValidationFailure& why) {
  fail(response, why.code, why.message);
  for (const record::RecordError& error : why.record_errors) {
    response.record_errors.emplace_back();
    response.record_errors.back().batch_index = error.batch_index;
    response.record_errors.back().batch_index_error_message = error.message;
  }
}

bool is_internal(const std::string& topic) {
  return std::find(kInternalTopics.begin(), kInternalTopics.end(), topic) != kInternalTopics.end();
}

/// Why the partition's records cannot be taken at all, before the log looks at them.
std::optional<record::ValidationFailure> refusal(const ProduceRequest& request, const partition::PartitionId& id,
                                                 BytesView batch) {
  if (is_internal(id.topic)) {
    return record::ValidationFailure{
        ErrorCode::invalid_topic_exception, "Cannot append to internal topic " + id.topic, {}};
  }
  const Result<record::BatchHeader> header = record::read_batch_header(batch);
  if (request.transactional_id || (header && header->is_transactional())) {
    return record::ValidationFailure{ErrorCode::invalid_txn_state,
                                     fmt::format("{}: transactions are not served by this broker", id.to_string()),
                                     {}};
  }
  return std::nullopt;
}

void report(PartitionResponse& response, const log::AppendInfo& info) {
  response.base_offset = info.first_offset;
  // As Kafka does: of a batch that is there already, its time, whoever stamped it.
  response.log_append_time_ms = info.duplicate ? info.max_timestamp_ms : info.log_append_time_ms;
  response.log_start_offset = info.log_start_offset;
}

void count(RequestContext& context, const log::AppendInfo& info, std::size_t bytes) {
  if (info.duplicate) return;
  context.broker().metrics->messages_in.add(static_cast<std::uint64_t>(info.record_count));
  context.broker().metrics->produced_bytes.add(bytes);
}

/// Whether Kafka tells the log's start beside this error: where the log itself has refused the records.
bool tells_log_start(ErrorCode error) {
  switch (error) {
    case ErrorCode::corrupt_message:
    case ErrorCode::message_too_large:
    case ErrorCode::record_list_too_large:
    case ErrorCode::not_leader_or_follower:
    case ErrorCode::unknown_topic_or_partition:
    case ErrorCode::kafka_storage_error:
      return false;
    default:
      return true;
  }
}

/// Appends one partition's batch where it lies in the frame. What still has to be waited for, if anything.
std::optional<Waiting> append(RequestContext& context, const ProduceRequest& request, const FoundPartition& found,
                              const protocol::RecordsRef& records, PartitionResponse& response) {
  const auto batch = record::check_produce_records(records.bytes, context.api_version());
  if (!batch) {
    fail(response, batch.error());
    return std::nullopt;
  }
  if (const auto refused = refusal(request, found.partition->id(), *batch)) {
    fail(response, *refused);
    return std::nullopt;
  }
  const log::AppendResult appended = found.partition->append(context.mutable_bytes(*batch), request.acks);
  if (!appended) {
    fail(response, appended.error());
    if (tells_log_start(appended.error().code)) response.log_start_offset = found.partition->log().log_start_offset();
    return std::nullopt;
  }
  report(response, *appended);
  count(context, *appended, batch->size());
  const std::int64_t required = appended->last_offset + 1;
  if (request.acks != kAcksAll || found.partition->is_replicated(required)) return std::nullopt;
  return Waiting{found.partition, required, &response};
}

FoundPartition find(RequestContext& context, const ProduceRequest::TopicProduceData& topic, std::int32_t index) {
  return context.api_version() >= kFirstVersionWithIds ? find_partition(context, topic.topic_id, index)
                                                       : find_partition(context, topic.name, index);
}

/// Makes room for every partition's answer first, so that pointers into it stay.
ProduceResponse outline(const ProduceRequest& request) {
  ProduceResponse response;
  for (const auto& topic : request.topic_data) {
    auto& answer = response.responses.emplace_back();
    answer.name = topic.name;
    answer.topic_id = topic.topic_id;
    for (const auto& partition : topic.partition_data) {
      answer.partition_responses.emplace_back();
      answer.partition_responses.back().index = partition.index;
    }
  }
  return response;
}

void append_one(RequestContext& context, const ProduceRequest& request, const ProduceRequest::TopicProduceData& topic,
                const ProduceRequest::PartitionProduceData& data, PartitionResponse& response,
                std::vector<Waiting>& waiting) {
  if (request.acks < -1 || request.acks > 1) {
    fail(response, ErrorCode::invalid_required_acks, fmt::format("acks={} is none of 0, 1 and -1", request.acks));
    return;
  }
  const FoundPartition found = find(context, topic, data.index);
  if (found.error != ErrorCode::none) {
    const std::string name = topic.name.empty() ? topic.topic_id.to_string() : topic.name;
    fail(response, found.error, fmt::format("{}-{}: {}", name, data.index, protocol::message_of(found.error)));
    return;
  }
  if (auto still = append(context, request, found, data.records.value_or(protocol::RecordsRef{}), response)) {
    waiting.push_back(std::move(*still));
  }
}

/// Whether any batch belongs to a transaction that the request does not name: nobody may write to that one.
bool lacks_transactional_id(const ProduceRequest& request) {
  if (request.transactional_id) return false;
  for (const auto& topic : request.topic_data) {
    for (const auto& data : topic.partition_data) {
      if (!data.records) continue;
      const Result<record::BatchHeader> header = record::read_batch_header(data.records->bytes);
      if (header && header->is_transactional()) return true;
    }
  }
  return false;
}

void refuse_all(ProduceResponse& response, ErrorCode error) {
  for (auto& topic : response.responses) {
    for (PartitionResponse& partition : topic.partition_responses) {
      fail(partition, error, std::string(protocol::message_of(error)));
    }
  }
}

void append_all(RequestContext& context, const ProduceRequest& request, ProduceResponse& response,
                std::vector<Waiting>& waiting) {
  for (std::size_t t = 0; t < request.topic_data.size(); ++t) {
    const auto& topic = request.topic_data[t];
    for (std::size_t p = 0; p < topic.partition_data.size(); ++p) {
      append_one(context, request, topic, topic.partition_data[p], response.responses[t].partition_responses[p],
                 waiting);
    }
  }
}

/// Counts failures, and tells who leads where it is not us.
void finish(RequestContext& context, ProduceResponse& response) {
  for (auto& topic : response.responses) {
    for (PartitionResponse& partition : topic.partition_responses) {
      if (partition.error_code == code_of(ErrorCode::none)) continue;
      context.note_error();
      if (context.api_version() < kFirstVersionWithEndpoints) continue;
      const auto hint =
          leader_hint(context, protocol::error_of(partition.error_code), topic.topic_id, topic.name, partition.index);
      if (!hint) continue;
      partition.current_leader.leader_id = hint->leader_id;
      partition.current_leader.leader_epoch = hint->leader_epoch;
      add_node_endpoint(response, *hint);
    }
  }
}

asio::awaitable<void> wait_for_replicas(RequestContext& context, std::vector<Waiting> waiting,
                                        runtime::MonotonicTime deadline) {
  context.start_waiting();
  std::vector<PartitionKey> keys;
  for (const Waiting& one : waiting) keys.push_back({one.partition->id().topic_id, one.partition->id().index});
  const auto watch = context.broker().purgatory->watch(context, std::move(keys));
  for (;;) {
    std::erase_if(waiting, [](const Waiting& one) {
      if (one.partition->is_replicated(one.required_offset)) return true;
      if (one.partition->is_leader()) return false;
      fail(*one.response, ErrorCode::not_leader_or_follower, one.partition->id().to_string() + " lost its leader");
      return true;
    });
    if (waiting.empty()) co_return;
    const Purgatory::Outcome outcome = co_await watch->wait(deadline);
    if (outcome != Purgatory::Outcome::moved) break;
  }
  for (const Waiting& one : waiting) {
    fail(*one.response, ErrorCode::request_timed_out,
         one.partition->id().to_string() + ": not all replicas have it yet");
  }
}

/// With acks=0 nobody reads an answer: an error shows as a closed connection.
void settle_without_answer(RequestContext& context, const ProduceResponse& response) {
  context.send_no_answer();
  for (const auto& topic : response.responses) {
    for (const PartitionResponse& partition : topic.partition_responses) {
      if (partition.error_code == code_of(ErrorCode::none)) continue;
      context.close_connection(fmt::format("acks=0 produce failed: {}: {}",
                                           protocol::to_string(protocol::error_of(partition.error_code)),
                                           partition.error_message.value_or(std::string())));
      return;
    }
  }
}

}  // namespace

asio::awaitable<ProduceResponse> handle_produce(RequestContext& context, ProduceRequest request) {
  ProduceResponse response = outline(request);
  std::vector<Waiting> waiting;
  if (lacks_transactional_id(request)) {
    refuse_all(response, ErrorCode::transactional_id_authorization_failed);
  } else {
    append_all(context, request, response, waiting);
  }
  if (!waiting.empty()) {
    const runtime::MonotonicTime deadline = context.env().clock().now() + std::chrono::milliseconds(request.timeout_ms);
    co_await wait_for_replicas(context, std::move(waiting), deadline);
  }
  finish(context, response);
  if (request.acks == 0) settle_without_answer(context, response);
  co_return response;
}

}  // namespace barnabas::broker
