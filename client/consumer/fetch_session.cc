#include "client/consumer/fetch_session.h"

#include <algorithm>
#include <limits>

namespace barnabas::client {
namespace {

constexpr std::int32_t kInitialEpoch = 0;
constexpr std::int32_t kFinalEpoch = -1;
constexpr std::int32_t kInvalidSessionId = 0;

std::int32_t epoch_after(std::int32_t epoch) noexcept {
  return epoch == std::numeric_limits<std::int32_t>::max() ? 1 : epoch + 1;
}

void add_partition(protocol::FetchRequest& request, const TopicPartition& where, const PartitionFetch& fetch) {
  if (request.topics.empty() || request.topics.back().topic != where.topic ||
      request.topics.back().topic_id != fetch.topic_id) {
    auto& topic = request.topics.emplace_back();
    topic.topic = where.topic;
    topic.topic_id = fetch.topic_id;
  }
  auto& partition = request.topics.back().partitions.emplace_back();
  partition.partition = where.partition;
  partition.current_leader_epoch = fetch.current_leader_epoch;
  partition.fetch_offset = fetch.fetch_offset;
  partition.last_fetched_epoch = fetch.last_fetched_epoch;
  partition.log_start_offset = -1;
  partition.partition_max_bytes = fetch.max_bytes;
}

void forget_partition(protocol::FetchRequest& request, const TopicPartition& where, const Uuid& topic_id) {
  auto& forgotten = request.forgotten_topics_data;
  if (forgotten.empty() || forgotten.back().topic != where.topic || forgotten.back().topic_id != topic_id) {
    auto& topic = forgotten.emplace_back();
    topic.topic = where.topic;
    topic.topic_id = topic_id;
  }
  forgotten.back().partitions.push_back(where.partition);
}

bool every_partition_has_an_id(const FetchSession::Wanted& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [](const auto& entry) { return entry.second.topic_id != Uuid{}; });
}

}  // namespace

void FetchSession::build(const Wanted& wanted, protocol::FetchRequest& request) {
  const bool use_topic_ids = every_partition_has_an_id(wanted);
  if (use_topic_ids != uses_topic_ids_) next_epoch_ = kInitialEpoch;  // a session never mixes names and ids
  uses_topic_ids_ = use_topic_ids;
  request.session_id = session_id_;
  request.session_epoch = next_epoch_;
  request.topics.clear();
  request.forgotten_topics_data.clear();
  if (next_epoch_ == kInitialEpoch) {
    build_full(wanted, request);
  } else {
    build_incremental(wanted, request);
  }
  names_.clear();
  for (const auto& [where, fetch] : wanted) names_.emplace(fetch.topic_id, where.topic);
  partitions_ = wanted;
}

void FetchSession::build_full(const Wanted& wanted, protocol::FetchRequest& request) {
  for (const auto& [where, fetch] : wanted) add_partition(request, where, fetch);
}

void FetchSession::build_incremental(const Wanted& wanted, protocol::FetchRequest& request) {
  for (const auto& [where, fetch] : wanted) {
    const auto known = partitions_.find(where);
    if (known == partitions_.end() || !(known->second == fetch)) add_partition(request, where, fetch);
  }
  for (const auto& [where, fetch] : partitions_) {
    const auto still = wanted.find(where);
    // A topic that was deleted and made again has a new id: the old one must leave the session.
    if (still == wanted.end() || still->second.topic_id != fetch.topic_id) {
      forget_partition(request, where, fetch.topic_id);
    }
  }
}

bool FetchSession::on_response(const protocol::FetchResponse& response, std::int16_t version) {
  if (response.error_code != 0) return on_error(static_cast<protocol::ErrorCode>(response.error_code));
  const bool full = next_epoch_ == kInitialEpoch;
  if (!fits(response, version, full)) {
    on_failure();
    return false;
  }
  if (response.session_id == kInvalidSessionId) {
    start_over();
  } else {
    session_id_ = response.session_id;
    next_epoch_ = epoch_after(next_epoch_);
  }
  return true;
}

bool FetchSession::on_error(protocol::ErrorCode error) noexcept {
  if (error == protocol::ErrorCode::fetch_session_id_not_found) {
    start_over();
  } else {
    on_failure();  // INVALID_FETCH_SESSION_EPOCH, the topic id errors and all others: replace the session
  }
  return false;
}

bool FetchSession::fits(const protocol::FetchResponse& response, std::int16_t version, bool full) const {
  std::size_t found = 0;
  for (const auto& topic : response.responses) {
    const std::string& name = version >= 13 ? name_of(topic.topic_id) : topic.topic;
    for (const auto& partition : topic.partitions) {
      if (partitions_.count(TopicPartition{name, partition.partition_index}) == 0) return false;
      ++found;
    }
  }
  return !full || found == partitions_.size();
}

void FetchSession::on_failure() noexcept {
  next_epoch_ = kInitialEpoch;
}

void FetchSession::start_over() noexcept {
  session_id_ = kInvalidSessionId;
  next_epoch_ = kInitialEpoch;
}

bool FetchSession::build_close(protocol::FetchRequest& request) noexcept {
  if (session_id_ == kInvalidSessionId) return false;
  request.session_id = session_id_;
  request.session_epoch = kFinalEpoch;
  request.topics.clear();
  request.forgotten_topics_data.clear();
  start_over();
  return true;
}

const std::string& FetchSession::name_of(const Uuid& topic_id) const noexcept {
  static const std::string kUnknown;
  const auto found = names_.find(topic_id);
  return found == names_.end() ? kUnknown : found->second;
}

}  // namespace barnabas::client
