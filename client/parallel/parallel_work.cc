#include "client/parallel/parallel_work.h"

#include <functional>
#include <string_view>
#include <utility>

namespace barnabas::client {
namespace {

// Keys that share a lane only wait for each other; more lanes cost memory for each partition.
constexpr std::size_t kLanesForKeys = 64;
// So many records a turn: the lock is taken twice for them, and other lanes need not wait long.
constexpr std::size_t kTurn = 16;

bool is_of(const TopicPartition& partition, const RecordView& record) {
  return partition.partition == record.partition() && partition.topic == record.topic();
}

}  // namespace

std::vector<ParallelWork::LaneRef> ParallelWork::add(Records records) {
  const auto owner = std::make_shared<const Records>(std::move(records));
  std::vector<LaneRef> ready;
  std::shared_ptr<Partition> partition;
  const std::lock_guard lock(mutex_);
  for (const RecordView& record : *owner) {
    if (!partition || !is_of(partition->id, record)) partition = find_or_add(record);
    if (partition->is_stopped) continue;
    Lane& lane = lane_of(*partition, record);
    lane.waiting.push_back({record, partition->offsets.add(record.offset(), record.leader_epoch()), owner});
    if (!std::exchange(lane.is_scheduled, true)) ready.push_back({partition, &lane});
  }
  return ready;
}

std::shared_ptr<ParallelWork::Partition> ParallelWork::find_or_add(const RecordView& record) {
  std::shared_ptr<Partition>& partition = partitions_[{record.topic(), record.partition()}];
  if (!partition) {
    partition = std::make_shared<Partition>();
    partition->id = {record.topic(), record.partition()};
    partition->lanes.resize(limits_.order == ProcessingOrder::key ? kLanesForKeys : 1);
  }
  return partition;
}

ParallelWork::Lane& ParallelWork::lane_of(Partition& partition, const RecordView& record) {
  // Records without a key have no order among keys to keep: they are dealt out by their offsets.
  const std::size_t hash =
      record.key() ? std::hash<std::string_view>{}(*record.key()) : static_cast<std::size_t>(record.offset());
  return partition.lanes[hash % partition.lanes.size()];
}

std::vector<ParallelWork::Task> ParallelWork::take(const LaneRef& ref) {
  std::vector<Task> taken;
  const std::lock_guard lock(mutex_);
  std::deque<Task>& waiting = ref.lane->waiting;
  while (!waiting.empty() && taken.size() < kTurn) {
    taken.push_back(std::move(waiting.front()));
    waiting.pop_front();
  }
  if (taken.empty()) ref.lane->is_scheduled = false;  // stopped meanwhile
  ref.partition->running += taken.size();
  return taken;
}

ParallelWork::PutBack ParallelWork::put_back(const LaneRef& ref, const std::vector<Task>& taken, std::size_t finished) {
  Partition& partition = *ref.partition;
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < finished; ++i) partition.offsets.finish(taken[i].number);
  partition.running -= taken.size();
  if (finished < taken.size()) return {};
  ref.lane->is_scheduled = !ref.lane->waiting.empty();
  return {ref.lane->is_scheduled, partition.is_paused && is_relieved(partition)};
}

bool ParallelWork::is_stopped(const LaneRef& lane) noexcept {
  return lane.partition->is_stopped;
}

bool ParallelWork::is_relieved(const Partition& partition) const noexcept {
  return partition.offsets.size() <= limits_.max_unfinished / 2;
}

ParallelWork::Pressure ParallelWork::pressure() {
  Pressure found;
  const std::lock_guard lock(mutex_);
  for (const auto& [id, partition] : partitions_) {
    if (!partition->is_paused && partition->offsets.size() > limits_.max_unfinished) {
      partition->is_paused = true;
      found.pause.push_back(id);
    } else if (partition->is_paused && is_relieved(*partition)) {
      partition->is_paused = false;
      found.resume.push_back(id);
    }
  }
  return found;
}

std::map<TopicPartition, UnfinishedOffsets::Mark> ParallelWork::take_marks() {
  std::map<TopicPartition, UnfinishedOffsets::Mark> marks;
  const std::lock_guard lock(mutex_);
  for (const auto& [id, partition] : partitions_) {
    const std::optional<UnfinishedOffsets::Mark>& mark = partition->offsets.mark();
    if (!mark || partition->taken_mark == mark) continue;
    partition->taken_mark = mark;
    marks.emplace(id, *mark);
  }
  return marks;
}

void ParallelWork::give_back(const std::map<TopicPartition, UnfinishedOffsets::Mark>& marks) {
  const std::lock_guard lock(mutex_);
  for (const auto& [id, mark] : marks) {
    const auto found = partitions_.find(id);
    if (found != partitions_.end() && found->second->taken_mark == mark) found->second->taken_mark.reset();
  }
}

void ParallelWork::stop(const std::vector<TopicPartition>& partitions) {
  const std::lock_guard lock(mutex_);
  for (const TopicPartition& id : partitions) {
    const auto found = partitions_.find(id);
    if (found != partitions_.end()) found->second->stop();
  }
}

void ParallelWork::stop_all() {
  const std::lock_guard lock(mutex_);
  for (const auto& [id, partition] : partitions_) partition->stop();
}

void ParallelWork::Partition::stop() {
  is_stopped = true;
  for (Lane& lane : lanes) lane.waiting.clear();
}

bool ParallelWork::is_running(const std::vector<TopicPartition>& partitions) const {
  const std::lock_guard lock(mutex_);
  for (const TopicPartition& id : partitions) {
    const auto found = partitions_.find(id);
    if (found != partitions_.end() && found->second->running > 0) return true;
  }
  return false;
}

bool ParallelWork::is_running() const {
  const std::lock_guard lock(mutex_);
  for (const auto& [id, partition] : partitions_) {
    if (partition->running > 0) return true;
  }
  return false;
}

void ParallelWork::forget(const std::vector<TopicPartition>& partitions) {
  const std::lock_guard lock(mutex_);
  for (const TopicPartition& id : partitions) partitions_.erase(id);
}

}  // namespace barnabas::client
