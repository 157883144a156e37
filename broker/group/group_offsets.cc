#include "broker/group/group_offsets.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace barnabas::group {

using protocol::code_of;
using protocol::ErrorCode;
using protocol::OffsetCommitRequest;
using protocol::OffsetCommitResponse;
using protocol::OffsetDeleteRequest;
using protocol::OffsetDeleteResponse;
using protocol::OffsetFetchRequest;
using protocol::OffsetFetchResponse;

namespace {

constexpr std::int16_t kFirstVersionWithGroupNotFound = 9;
constexpr std::int64_t kDefaultRetention = -1;

/// As Java counts a string's length.
std::size_t utf16_units(std::string_view text) {
  std::size_t units = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xc0U) != 0x80U) units += byte >= 0xf0U ? 2 : 1;
  }
  return units;
}

/// -1 where offsets.retention.minutes decides.
std::int64_t expiry_of(const OffsetCommitRequest& request, std::int64_t wall_ms) {
  if (request.retention_time_ms == kDefaultRetention) return -1;
  const std::int64_t longest = std::numeric_limits<std::int64_t>::max() - wall_ms;
  return wall_ms + std::min(request.retention_time_ms, longest);
}

OffsetFetchResponse::OffsetFetchResponsePartitions fetched(std::int32_t partition, const CommittedOffset* offset) {
  OffsetFetchResponse::OffsetFetchResponsePartitions answer;
  answer.partition_index = partition;
  answer.committed_offset = offset == nullptr ? -1 : offset->offset;
  if (offset != nullptr) {
    answer.committed_leader_epoch = offset->leader_epoch;
    answer.metadata = offset->metadata;
  }
  return answer;
}

}  // namespace

OffsetCommitResponse refuse_commit(const OffsetCommitRequest& request, ErrorCode error) {
  OffsetCommitResponse response;
  for (const auto& topic : request.topics) {
    auto& answer = response.topics.emplace_back();
    answer.name = topic.name;
    answer.topic_id = topic.topic_id;
    answer.partitions.reserve(topic.partitions.size());
    for (const auto& partition : topic.partitions) {
      answer.partitions.emplace_back();
      answer.partitions.back().partition_index = partition.partition_index;
      answer.partitions.back().error_code = code_of(error);
    }
  }
  return response;
}

ErrorCode GroupOffsets::check_commit(Step& step, const Origin& origin, const OffsetCommitRequest& request) {
  ClassicGroup* group = groups_.find(request.group_id);
  if (group == nullptr) {
    // An administrator, or a consumer that only keeps its offsets here: the record that comes makes the group.
    if (request.generation_id_or_member_epoch < 0) return ErrorCode::none;
    return origin.api_version >= kFirstVersionWithGroupNotFound ? ErrorCode::group_id_not_found
                                                                : ErrorCode::illegal_generation;
  }
  const ErrorCode error = check_member(*group, request);
  if (error != ErrorCode::none) return error;
  if (Member* member = group->member(request.member_id)) groups_.refresh_session(step, *member);
  return ErrorCode::none;
}

ErrorCode GroupOffsets::check_member(ClassicGroup& group, const OffsetCommitRequest& request) const {
  const bool is_empty = group.is_in(GroupState::empty);
  if (request.generation_id_or_member_epoch < 0 && is_empty) return ErrorCode::none;
  const bool is_member =
      request.generation_id_or_member_epoch >= 0 || !request.member_id.empty() || request.group_instance_id;
  if (is_member) {
    const ErrorCode error = group.check_member(request.member_id, request.group_instance_id);
    if (error != ErrorCode::none) return error;
    if (request.generation_id_or_member_epoch != group.generation()) return ErrorCode::illegal_generation;
  } else if (!is_empty) {
    return ErrorCode::unknown_member_id;
  }
  return group.is_in(GroupState::completing_rebalance) ? ErrorCode::rebalance_in_progress : ErrorCode::none;
}

void GroupOffsets::commit(Step& step, const Origin& origin, const OffsetCommitRequest& request,
                          Reply<OffsetCommitResponse> reply) {
  const ErrorCode error = check_commit(step, origin, request);
  OffsetCommitResponse response = refuse_commit(request, error);
  if (error != ErrorCode::none) return step.answer(reply, std::move(response));
  const auto longest_metadata = static_cast<std::size_t>(std::max(0, settings_.offset_metadata_max_bytes));
  const std::int64_t expire_time_ms = expiry_of(request, step.wall_ms);
  for (std::size_t t = 0; t < request.topics.size(); ++t) {
    const auto& topic = request.topics[t];
    step.records.reserve(step.records.size() + topic.partitions.size());
    for (std::size_t p = 0; p < topic.partitions.size(); ++p) {
      const auto& partition = topic.partitions[p];
      std::string_view metadata;
      if (partition.committed_metadata) metadata = *partition.committed_metadata;
      if (utf16_units(metadata) > longest_metadata) {
        response.topics[t].partitions[p].error_code = code_of(ErrorCode::offset_metadata_too_large);
        continue;
      }
      auto& record = std::get<OffsetRecord>(step.records.emplace_back(std::in_place_type<OffsetRecord>));
      record.group = request.group_id;
      record.topic = topic.name;
      record.partition = partition.partition_index;
      auto& value = record.value.emplace();
      value.offset = partition.committed_offset;
      value.leader_epoch = partition.committed_leader_epoch;
      value.metadata = metadata;
      value.commit_timestamp = step.wall_ms;
      value.expire_timestamp = expire_time_ms;
    }
  }
  step.settle = [this, reply = std::move(reply), answer = std::move(response), count = step.records.size()](
                    Step& settled, ErrorCode failed) mutable {
    if (failed == ErrorCode::none) commits_ += count;
    for (auto& topic : answer.topics) {
      for (auto& partition : topic.partitions) {
        if (partition.error_code == 0) partition.error_code = code_of(answer_to_failed_append(failed));
      }
    }
    settled.answer(std::move(reply), std::move(answer));
  };
}

OffsetFetchResponse::OffsetFetchResponseGroup GroupOffsets::fetch(
    const OffsetFetchRequest::OffsetFetchRequestGroup& request, bool require_stable) const {
  OffsetFetchResponse::OffsetFetchResponseGroup response;
  response.group_id = request.group_id;
  const auto answer = [&](const std::string& topic, std::int32_t partition, const CommittedOffset* offset) {
    const bool is_unstable = require_stable && store_.has_pending(request.group_id, topic, partition);
    auto one = fetched(partition, is_unstable ? nullptr : offset);
    if (is_unstable) one.error_code = code_of(ErrorCode::unstable_offset_commit);
    return one;
  };
  if (request.topics) {
    for (const auto& topic : *request.topics) {
      auto& answers = response.topics.emplace_back();
      answers.name = topic.name;
      answers.topic_id = topic.topic_id;
      for (const std::int32_t partition : topic.partition_indexes) {
        answers.partitions.push_back(
            answer(topic.name, partition, store_.find(request.group_id, topic.name, partition)));
      }
    }
    return response;
  }
  const OffsetStore::Topics* topics = store_.topics_of(request.group_id);
  if (topics == nullptr) return response;
  for (const auto& [topic, partitions] : *topics) {
    auto& answers = response.topics.emplace_back();
    answers.name = topic;
    for (const auto& [partition, offset] : partitions) answers.partitions.push_back(answer(topic, partition, &offset));
  }
  return response;
}

void GroupOffsets::remove(Step& step, const OffsetDeleteRequest& request, Reply<OffsetDeleteResponse> reply) {
  OffsetDeleteResponse response;
  const ClassicGroup* group = groups_.find(request.group_id);
  if (group == nullptr) {
    response.error_code = code_of(ErrorCode::group_id_not_found);
  } else if (!group->is_in(GroupState::empty) && !group->uses_consumer_protocol()) {
    response.error_code = code_of(ErrorCode::non_empty_group);
  }
  if (response.error_code != 0) return step.answer(reply, std::move(response));
  for (const auto& topic : request.topics) {
    auto& answers = response.topics.emplace_back();
    answers.name = topic.name;
    const bool is_in_use = group->is_subscribed_to(topic.name);
    for (const auto& partition : topic.partitions) {
      auto& answer = answers.partitions.emplace_back();
      answer.partition_index = partition.partition_index;
      if (is_in_use) {
        answer.error_code = code_of(ErrorCode::group_subscribed_to_topic);
      } else if (store_.find(request.group_id, topic.name, partition.partition_index) != nullptr ||
                 store_.has_pending(request.group_id, topic.name, partition.partition_index)) {
        step.records.push_back(OffsetRecord{request.group_id, topic.name, partition.partition_index, {}});
      }
    }
  }
  step.settle = [reply = std::move(reply), answer = std::move(response)](Step& settled, ErrorCode failed) mutable {
    if (failed != ErrorCode::none) {
      answer.topics.clear();
      answer.error_code = code_of(answer_to_failed_append(failed));
    }
    settled.answer(std::move(reply), std::move(answer));
  };
}

void GroupOffsets::remove_all(Step& step, const std::string& group_id) const {
  auto rest = store_.pending_of(group_id);
  if (const OffsetStore::Topics* topics = store_.topics_of(group_id)) {
    for (const auto& [topic, partitions] : *topics) {
      for (const auto& [partition, offset] : partitions) rest.emplace(topic, partition);
    }
  }
  for (const auto& [topic, partition] : rest) step.records.push_back(OffsetRecord{group_id, topic, partition, {}});
}

/// KIP-211: a group's offsets stay while it has members that read the topic; from the day it is empty, or of a group
/// that never had members from the commit on, they have offsets.retention.minutes.
bool GroupOffsets::is_expired(const ClassicGroup& group, const CommittedOffset& offset, std::int64_t wall_ms) const {
  if (offset.expire_time_ms != -1) return wall_ms >= offset.expire_time_ms;
  std::int64_t since = offset.commit_time_ms;
  if (group.protocol_type() && group.is_in(GroupState::empty)) since = group.state_since_ms().value_or(since);
  return since <= wall_ms - settings_.offsets_retention_ms;  // `since` may be any number: a log can hold it
}

bool GroupOffsets::expire(Step& step, const ClassicGroup& group) const {
  const OffsetStore::Topics* topics = store_.topics_of(group.id());
  const bool has_transactions = store_.has_open_transactions(group.id());
  if (topics == nullptr) return !has_transactions;
  const bool may_expire =
      !group.protocol_type() || group.is_in(GroupState::empty) ||
      (group.uses_consumer_protocol() && group.subscribed_topics() && group.is_in(GroupState::stable));
  if (!may_expire) return false;
  bool all_gone = true;
  for (const auto& [topic, partitions] : *topics) {
    const bool is_in_use = group.is_subscribed_to(topic);
    for (const auto& [partition, offset] : partitions) {
      if (is_in_use || !is_expired(group, offset, step.wall_ms) || store_.has_pending(group.id(), topic, partition)) {
        all_gone = false;
      } else {
        step.records.push_back(OffsetRecord{group.id(), topic, partition, {}});
      }
    }
  }
  return all_gone && !has_transactions;
}

void GroupOffsets::on_topics_deleted(Step& step, const std::set<std::string, std::less<>>& topics) const {
  for (const auto& [group, by_topic] : store_.all()) {
    for (const std::string& topic : topics) {
      const auto found = by_topic.find(topic);
      if (found == by_topic.end()) continue;
      for (const auto& [partition, offset] : found->second) {
        step.records.push_back(OffsetRecord{group, topic, partition, {}});
      }
    }
  }
}

}  // namespace barnabas::group
