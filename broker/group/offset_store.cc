#include "broker/group/offset_store.h"

#include <utility>

namespace barnabas::group {
namespace {

const CommittedOffset* find_in(const std::unordered_map<std::string, OffsetStore::Topics>& groups,
                               const std::string& group, std::string_view topic, std::int32_t partition) {
  const auto topics = groups.find(group);
  if (topics == groups.end()) return nullptr;
  const auto partitions = topics->second.find(topic);
  if (partitions == topics->second.end()) return nullptr;
  const auto found = partitions->second.find(partition);
  return found == partitions->second.end() ? nullptr : &found->second;
}

}  // namespace

const OffsetStore::Topics* OffsetStore::topics_of(const std::string& group) const {
  const auto found = offsets_.find(group);
  return found == offsets_.end() ? nullptr : &found->second;
}

const CommittedOffset* OffsetStore::find(const std::string& group, std::string_view topic,
                                         std::int32_t partition) const {
  return find_in(offsets_, group, topic, partition);
}

bool OffsetStore::has_pending(const std::string& group, std::string_view topic, std::int32_t partition) const {
  const auto open = open_transactions_.find(group);
  if (open == open_transactions_.end()) return false;
  for (const std::int64_t producer : open->second) {
    const auto written = pending_.find(producer);
    if (written != pending_.end() && find_in(written->second, group, topic, partition) != nullptr) return true;
  }
  return false;
}

std::set<std::pair<std::string, std::int32_t>> OffsetStore::pending_of(const std::string& group) const {
  std::set<std::pair<std::string, std::int32_t>> pending;
  const auto open = open_transactions_.find(group);
  if (open == open_transactions_.end()) return pending;
  for (const std::int64_t producer : open->second) {
    const auto written = pending_.find(producer);
    if (written == pending_.end()) continue;
    const auto topics = written->second.find(group);
    if (topics == written->second.end()) continue;
    for (const auto& [topic, partitions] : topics->second) {
      for (const auto& [partition, offset] : partitions) pending.emplace(topic, partition);
    }
  }
  return pending;
}

void OffsetStore::put(const std::string& group, const std::string& topic, std::int32_t partition,
                      CommittedOffset offset) {
  const auto [at, is_new] = offsets_[group][topic].insert_or_assign(partition, std::move(offset));
  if (is_new) ++count_;
}

void OffsetStore::erase(Groups& groups, const OffsetRecord& record) {
  const auto topics = groups.find(record.group);
  if (topics == groups.end()) return;
  const auto partitions = topics->second.find(record.topic);
  if (partitions == topics->second.end()) return;
  partitions->second.erase(record.partition);
  if (partitions->second.empty()) topics->second.erase(partitions);
  if (topics->second.empty()) groups.erase(topics);
}

void OffsetStore::erase_pending(const OffsetRecord& record) {
  const auto open = open_transactions_.find(record.group);
  if (open == open_transactions_.end()) return;
  std::erase_if(open->second, [&](std::int64_t producer) {
    Groups& written = pending_[producer];
    erase(written, record);
    return written.count(record.group) == 0;
  });
  if (open->second.empty()) open_transactions_.erase(open);
}

void OffsetStore::replay(std::int64_t record_offset, std::int64_t producer_id, OffsetRecord record) {
  if (!record.value) {
    if (find(record.group, record.topic, record.partition) != nullptr) --count_;
    erase(offsets_, record);
    return erase_pending(record);
  }
  CommittedOffset offset;
  offset.record_offset = record_offset;
  offset.offset = record.value->offset;
  offset.leader_epoch = record.value->leader_epoch;
  offset.metadata = std::move(record.value->metadata);
  offset.commit_time_ms = record.value->commit_timestamp;
  offset.expire_time_ms = record.value->expire_timestamp;
  if (producer_id < 0) return put(record.group, record.topic, record.partition, std::move(offset));
  pending_[producer_id][record.group][record.topic].insert_or_assign(record.partition, std::move(offset));
  open_transactions_[record.group].insert(producer_id);
}

void OffsetStore::end_transaction(std::int64_t producer_id, bool is_commit) {
  const auto ended = pending_.find(producer_id);
  if (ended == pending_.end()) return;
  for (const auto& [group, topics] : ended->second) {
    const auto open = open_transactions_.find(group);
    if (open == open_transactions_.end()) continue;
    open->second.erase(producer_id);
    if (open->second.empty()) open_transactions_.erase(open);
  }
  Groups written = std::move(ended->second);
  pending_.erase(ended);
  if (!is_commit) return;
  for (auto& [group, topics] : written) {
    for (auto& [topic, partitions] : topics) {
      for (auto& [partition, offset] : partitions) {
        const CommittedOffset* known = find(group, topic, partition);
        if (known == nullptr || known->record_offset < offset.record_offset) {
          put(group, topic, partition, std::move(offset));
        }
      }
    }
  }
}

}  // namespace barnabas::group
