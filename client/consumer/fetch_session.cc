#include "client/consumer/fetch_session.h"

#include <algorithm>
#include <limits>

namespace barnabas::client {
namespace {

constexpr std::int32_t kInitialEpoch = 0;
constexpr std::int32_t kFinalEpoch = -1;
constexpr std::int32_t kInvalidSessionId = 0;
constexpr std::size_t kSpareEntries = 1024;  ///< Of forgotten partitions, kept beside as many as are wanted.

std::int32_t epoch_after(std::int32_t epoch) noexcept {
  return epoch == std::numeric_limits<std::int32_t>::max() ? 1 : epoch + 1;
}

constexpr std::size_t kMostReserved = 64;

/// One of `count`.
void add_partition(protocol::FetchRequest& request, const TopicPartition& where, const PartitionFetch& fetch,
                   std::size_t count) {
  if (request.topics.empty() || request.topics.back().topic != where.topic ||
      request.topics.back().topic_id != fetch.topic_id) {
    auto& topic = request.topics.emplace_back();
    topic.topic = where.topic;
    topic.topic_id = fetch.topic_id;
    topic.partitions.reserve(std::min(count, kMostReserved));
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

}  // namespace

void FetchSession::want(const TopicPartition& where, const PartitionFetch& fetch, std::uint64_t generation) {
  auto& entry = *entries_.try_emplace(where).first;
  Entry& known = entry.second;
  if (known.is_active && known.asked.fetch.topic_id != fetch.topic_id) {
    // A topic that was deleted and made again has a new id: the old one must leave the session.
    deactivate(entry);
  }
  known.asked.generation = generation;
  if (known.is_active && known.asked.fetch == fetch) return;
  if (!known.is_active) activate(entry, fetch);
  known.asked.fetch = fetch;
  if (!known.is_changed) changed_.push_back(&entry);
  known.is_changed = true;
}

void FetchSession::forget(const TopicPartition& where) {
  const auto found = entries_.find(where);
  if (found != entries_.end() && found->second.is_active) deactivate(*found);
}

void FetchSession::activate(Entries::value_type& entry, const PartitionFetch& fetch) {
  entry.second.is_active = true;
  ++active_;
  if (fetch.topic_id == Uuid{}) ++without_id_;
  Topic& topic = topics_[fetch.topic_id];
  if (topic.partitions++ == 0) topic.name = entry.first.topic;
  if (!entry.second.is_forgotten) return;
  // Forgotten and wanted again before it was sent: a broker forgets last, so it must not be told.
  const auto again = [&](const Forgotten& of) { return of.entry == &entry && of.topic_id == fetch.topic_id; };
  if (std::erase_if(forgotten_, again) > 0) entry.second.is_told = true;
}

void FetchSession::deactivate(Entries::value_type& entry) {
  const Uuid id = entry.second.asked.fetch.topic_id;
  entry.second.is_active = false;
  --active_;
  if (id == Uuid{}) --without_id_;
  --topics_.find(id)->second.partitions;
  if (!entry.second.is_told) return;
  entry.second.is_told = false;
  entry.second.is_forgotten = true;
  forgotten_.push_back({&entry, id});
}

void FetchSession::build(const Wanted& wanted, protocol::FetchRequest& request) {
  for (auto& entry : entries_) {
    if (entry.second.is_active && wanted.count(entry.first) == 0) deactivate(entry);
  }
  for (const auto& [where, fetch] : wanted) want(where, fetch);
  build(request);
}

void FetchSession::build(protocol::FetchRequest& request) {
  const bool use_topic_ids = without_id_ == 0;
  if (use_topic_ids != uses_topic_ids_) next_epoch_ = kInitialEpoch;  // a session never mixes names and ids
  uses_topic_ids_ = use_topic_ids;
  request.session_id = session_id_;
  request.session_epoch = next_epoch_;
  request.topics.clear();
  request.forgotten_topics_data.clear();
  if (next_epoch_ == kInitialEpoch) {
    build_full(request);
  } else {
    build_incremental(request);
  }
}

void FetchSession::build_full(protocol::FetchRequest& request) {
  settle_changes();
  drop_inactive();
  std::vector<Entries::value_type*> all;
  all.reserve(entries_.size());
  for (auto& entry : entries_) all.push_back(&entry);
  std::sort(all.begin(), all.end(), [](const auto* a, const auto* b) { return a->first < b->first; });
  for (auto* entry : all) {
    add_partition(request, entry->first, entry->second.asked.fetch, all.size());
    entry->second.is_told = true;
  }
}

/// Sorted, so that the partitions of a topic stand together.
void FetchSession::build_incremental(protocol::FetchRequest& request) {
  std::sort(changed_.begin(), changed_.end(), [](const auto* a, const auto* b) { return a->first < b->first; });
  for (auto* entry : changed_) {
    if (!entry->second.is_active) continue;
    add_partition(request, entry->first, entry->second.asked.fetch, changed_.size());
    entry->second.is_told = true;
  }
  std::sort(forgotten_.begin(), forgotten_.end(),
            [](const Forgotten& a, const Forgotten& b) { return a.entry->first < b.entry->first; });
  for (const Forgotten& of : forgotten_) forget_partition(request, of.entry->first, of.topic_id);
  settle_changes();
  if (entries_.size() > 2 * active_ + kSpareEntries) drop_inactive();
}

void FetchSession::settle_changes() {
  for (auto* entry : changed_) entry->second.is_changed = false;
  for (const Forgotten& of : forgotten_) of.entry->second.is_forgotten = false;
  changed_.clear();
  forgotten_.clear();
}

void FetchSession::drop_inactive() {
  std::erase_if(entries_, [](const auto& entry) { return !entry.second.is_active; });
  std::erase_if(topics_, [](const auto& entry) { return entry.second.partitions == 0; });
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
      if (find(name, partition.partition_index) == nullptr) return false;
      ++found;
    }
  }
  return !full || found == active_;
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
  const auto found = topics_.find(topic_id);
  return found == topics_.end() || found->second.partitions == 0 ? kUnknown : found->second.name;
}

const FetchSession::Asked* FetchSession::find(std::string_view topic, std::int32_t partition) const noexcept {
  const auto found = entries_.find(Name{topic, partition});
  return found == entries_.end() || !found->second.is_active ? nullptr : &found->second.asked;
}

void FetchSession::for_each(const std::function<void(const TopicPartition&, const Asked&)>& visit) const {
  for (const auto& [where, entry] : entries_) {
    if (entry.is_active) visit(where, entry.asked);
  }
}

}  // namespace barnabas::client
