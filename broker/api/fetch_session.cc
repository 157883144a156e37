#include "broker/api/fetch_session.h"

#include <limits>
#include <utility>

namespace barnabas::broker {
namespace {

using protocol::ErrorCode;
using protocol::FetchRequest;
using protocol::FetchResponse;

constexpr std::int16_t kFirstVersionWithIds = 13;
constexpr std::int32_t kInitialEpoch = 0;
constexpr std::int32_t kFinalEpoch = -1;

FetchKey key_of(const FetchWant& want) {
  return {want.topic_id, want.topic, want.partition};
}

std::int32_t epoch_after(std::int32_t epoch) {
  return epoch == std::numeric_limits<std::int32_t>::max() ? 1 : epoch + 1;
}

/// A partition that is named twice is wanted as it was named last.
std::vector<FetchWant> wants_of(const FetchRequest& request, bool uses_topic_ids) {
  std::vector<FetchWant> wants;
  std::unordered_map<FetchKey, std::size_t, FetchKey::Hash> places;
  for (const auto& topic : request.topics) {
    for (const auto& partition : topic.partitions) {
      FetchWant want;
      if (uses_topic_ids) {
        want.topic_id = topic.topic_id;
      } else {
        want.topic = topic.topic;
      }
      want.partition = partition.partition;
      want.fetch_offset = partition.fetch_offset;
      want.max_bytes = partition.partition_max_bytes;
      want.current_leader_epoch = partition.current_leader_epoch;
      want.last_fetched_epoch = partition.last_fetched_epoch;
      const auto [place, is_new] = places.emplace(key_of(want), wants.size());
      if (is_new) {
        wants.push_back(std::move(want));
      } else {
        wants[place->second] = std::move(want);
      }
    }
  }
  return wants;
}

void forget_partitions(FetchSession& session, const FetchRequest& request) {
  for (const auto& topic : request.forgotten_topics_data) {
    for (const std::int32_t partition : topic.partitions) {
      FetchWant want;
      (session.uses_topic_ids ? void(want.topic_id = topic.topic_id) : void(want.topic = topic.topic));
      want.partition = partition;
      const auto found = session.index.find(key_of(want));
      if (found == session.index.end()) continue;
      session.entries.erase(found->second);
      session.index.erase(found);
    }
  }
}

void add_partition(FetchSession& session, const FetchWant& want) {
  FetchKey key = key_of(want);
  const auto found = session.index.find(key);
  if (found != session.index.end()) {
    found->second->want = want;
    return;
  }
  session.entries.push_back({want, {}});
  session.index.emplace(std::move(key), std::prev(session.entries.end()));
}

bool has_records(const FetchResponse::PartitionData& data) {
  return data.records && (!data.records->bytes.empty() || data.records->external_bytes > 0);
}

/// Whether the client must hear of this result, having been told that.
bool is_news(const FetchSession::Told& told, const FetchResponse::PartitionData& data) {
  return has_records(data) || data.error_code != code_of(ErrorCode::none) || data.preferred_read_replica >= 0 ||
         data.diverging_epoch.epoch >= 0 || told.high_watermark != data.high_watermark ||
         told.log_start_offset != data.log_start_offset;
}

void remember(FetchSession::Told& told, const FetchResponse::PartitionData& data) {
  // After an error the next good answer is news, whatever it says.
  told.high_watermark = data.error_code == code_of(ErrorCode::none) ? data.high_watermark : -1;
  told.log_start_offset = data.log_start_offset;
}

std::vector<FetchResult> news_of(FetchSession& session, const std::vector<FetchSession::Entries::iterator>& entries,
                                 std::vector<FetchResult> results) {
  std::vector<FetchResult> news;
  for (FetchResult& result : results) {
    FetchSession::Entries::iterator entry;
    if (result.place < entries.size()) {
      entry = entries[result.place];
    } else {
      const auto found = session.index.find(key_of(result.want));
      if (found == session.index.end()) continue;
      entry = found->second;
    }
    if (!is_news(entry->told, result.data)) continue;
    remember(entry->told, result.data);
    if (has_records(result.data)) session.entries.splice(session.entries.end(), session.entries, entry);
    news.push_back(std::move(result));
  }
  return news;
}

void append_results(FetchResponse& response, std::vector<FetchResult> results) {
  for (FetchResult& result : results) {
    FetchWant& want = result.want;
    auto& topics = response.responses;
    if (topics.empty() || topics.back().topic_id != want.topic_id || topics.back().topic != want.topic) {
      topics.emplace_back();
      topics.back().topic_id = want.topic_id;
      topics.back().topic = std::move(want.topic);
    }
    topics.back().partitions.push_back(std::move(result.data));
  }
}

}  // namespace

bool FetchContext::is_known(std::size_t place, const FetchResponse::PartitionData& data) const {
  return place < told_.size() && !is_news(told_[place], data);
}

FetchContext FetchSessionCache::begin(const FetchRequest& request, std::int16_t version, std::int64_t now_ms) {
  if (request.session_epoch != kInitialEpoch && request.session_epoch != kFinalEpoch) {
    return resume(request, version, now_ms);
  }
  if (request.session_id != 0) remove(request.session_id);
  FetchContext context;
  context.uses_topic_ids_ = version >= kFirstVersionWithIds;
  context.wanted_ = wants_of(request, context.uses_topic_ids_);
  context.kind_ = request.session_epoch == kFinalEpoch ? FetchContext::Kind::sessionless : FetchContext::Kind::full;
  return context;
}

FetchContext FetchSessionCache::resume(const FetchRequest& request, std::int16_t version, std::int64_t now_ms) {
  FetchContext context;
  context.uses_topic_ids_ = version >= kFirstVersionWithIds;
  context.kind_ = FetchContext::Kind::failed;
  context.session_ = find(request.session_id);
  if (!context.session_) {
    context.error_ = ErrorCode::fetch_session_id_not_found;
    return context;
  }
  FetchSession& session = *context.session_;
  std::unique_lock lock(session.mutex);
  if (session.next_epoch != request.session_epoch) {
    context.error_ = ErrorCode::invalid_fetch_session_epoch;
    return context;
  }
  if (session.uses_topic_ids != context.uses_topic_ids_) {
    context.error_ = ErrorCode::fetch_session_topic_id_error;
    return context;
  }
  const std::vector<FetchWant> wants = wants_of(request, session.uses_topic_ids);
  for (const FetchWant& want : wants) add_partition(session, want);
  forget_partitions(session, request);
  if (session.entries.empty()) {
    session.next_epoch = epoch_after(session.next_epoch);  // whoever still reads for it must not touch its entries
    lock.unlock();
    remove(session.id);
    context.kind_ = FetchContext::Kind::sessionless;
    return context;
  }
  session.next_epoch = epoch_after(session.next_epoch);
  context.kind_ = FetchContext::Kind::incremental;
  context.expected_epoch_ = session.next_epoch;
  context.wanted_.reserve(session.entries.size());
  context.entries_.reserve(session.entries.size());
  context.told_.reserve(session.entries.size());
  for (auto entry = session.entries.begin(); entry != session.entries.end(); ++entry) {
    context.wanted_.push_back(entry->want);
    context.entries_.push_back(entry);
    context.told_.push_back(entry->told);
  }
  lock.unlock();
  const std::lock_guard cache_lock(mutex_);
  note_use(context.session_, context.wanted_.size(), now_ms);
  return context;
}

FetchResponse FetchSessionCache::finish(FetchContext& context, std::vector<FetchResult> results, std::int64_t now_ms) {
  FetchResponse response;
  response.error_code = code_of(context.error_);
  switch (context.kind_) {
    case FetchContext::Kind::failed:
      return response;
    case FetchContext::Kind::sessionless:
      break;
    case FetchContext::Kind::full:
      response.session_id = create(results, context.uses_topic_ids_, now_ms);
      break;
    case FetchContext::Kind::incremental: {
      FetchSession& session = *context.session_;
      const std::lock_guard lock(session.mutex);
      if (session.next_epoch != context.expected_epoch_) {
        response.error_code = code_of(ErrorCode::invalid_fetch_session_epoch);
        return response;
      }
      response.session_id = session.id;
      results = news_of(session, context.entries_, std::move(results));
      break;
    }
  }
  append_results(response, std::move(results));
  return response;
}

FetchSessionCache::SessionPtr FetchSessionCache::find(std::int32_t id) {
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(id);
  return found == sessions_.end() ? nullptr : found->second;
}

void FetchSessionCache::remove(std::int32_t id) {
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(id);
  if (found != sessions_.end()) forget(SessionPtr(found->second));
}

void FetchSessionCache::forget(const SessionPtr& session) {
  by_last_use_.erase({session->last_used_ms, session->id});
  evictable_.erase({session->size, session->id});
  partitions_ -= session->size;
  sessions_.erase(session->id);
}

void FetchSessionCache::note_use(const SessionPtr& session, std::size_t size, std::int64_t now_ms) {
  if (sessions_.count(session->id) == 0) return;  // evicted in the meantime
  by_last_use_.erase({session->last_used_ms, session->id});
  evictable_.erase({session->size, session->id});
  partitions_ += size - session->size;
  session->last_used_ms = now_ms;
  session->size = size;
  by_last_use_.insert({now_ms, session->id});
  if (now_ms - session->created_ms > kEvictionMs) evictable_.insert({size, session->id});
}

bool FetchSessionCache::make_room(std::size_t wanted_size, std::int64_t now_ms) {
  if (sessions_.size() < max_sessions_) return true;
  if (by_last_use_.empty()) return false;
  const auto [last_used_ms, oldest] = *by_last_use_.begin();
  if (now_ms - last_used_ms > kEvictionMs) {
    forget(SessionPtr(sessions_.at(oldest)));
  } else if (!evictable_.empty() && std::get<0>(*evictable_.begin()) < wanted_size) {
    forget(SessionPtr(sessions_.at(std::get<1>(*evictable_.begin()))));
  } else {
    return false;
  }
  ++evictions_;
  return true;
}

std::int32_t FetchSessionCache::create(const std::vector<FetchResult>& results, bool uses_topic_ids,
                                       std::int64_t now_ms) {
  auto session = std::make_shared<FetchSession>();
  session->uses_topic_ids = uses_topic_ids;
  session->created_ms = now_ms;
  session->last_used_ms = now_ms;
  session->next_epoch = epoch_after(kInitialEpoch);
  for (const FetchResult& result : results) {
    add_partition(*session, result.want);
    remember(session->index.at(key_of(result.want))->told, result.data);
  }
  session->size = session->entries.size();
  const std::lock_guard lock(mutex_);
  if (!make_room(session->size, now_ms)) return 0;
  do {
    session->id = static_cast<std::int32_t>(random_() & 0x7fffffff);
  } while (session->id == 0 || sessions_.count(session->id) != 0);
  sessions_.emplace(session->id, session);
  by_last_use_.insert({now_ms, session->id});
  partitions_ += session->size;
  return session->id;
}

std::size_t FetchSessionCache::size() const {
  const std::lock_guard lock(mutex_);
  return sessions_.size();
}

std::size_t FetchSessionCache::partition_count() const {
  const std::lock_guard lock(mutex_);
  return partitions_;
}

std::uint64_t FetchSessionCache::evictions() const {
  const std::lock_guard lock(mutex_);
  return evictions_;
}

}  // namespace barnabas::broker
