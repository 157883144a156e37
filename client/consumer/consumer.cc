#include "barnabas/consumer.h"

#include "barnabas/consumer_async.h"
#include "client/consumer/consumer_impl.h"
#include "client/core/errors.h"

namespace barnabas {
namespace client {
namespace {

constexpr std::int64_t kEarliest = -2;
constexpr std::int64_t kLatest = -1;

std::map<TopicPartition, std::int64_t> all_at(const std::vector<TopicPartition>& partitions,
                                              std::int64_t timestamp_ms) {
  std::map<TopicPartition, std::int64_t> timestamps;
  for (const TopicPartition& where : partitions) timestamps.emplace(where, timestamp_ms);
  return timestamps;
}

std::map<TopicPartition, std::int64_t> offsets_of(const std::map<TopicPartition, OffsetAnswer>& answers) {
  std::map<TopicPartition, std::int64_t> offsets;
  for (const auto& [where, answer] : answers) offsets.emplace(where, answer.offset);
  return offsets;
}

}  // namespace

asio::any_io_executor executor_of(ConsumerImpl& consumer) {
  return consumer.executor();
}

void start_poll(ConsumerImpl& consumer, std::chrono::milliseconds timeout, Handler<std::error_code, Records> done) {
  consumer.start_poll(timeout, std::move(done));
}

}  // namespace client

inline namespace v0 {

using client::value_or_throw;

Consumer::Consumer(Config config, ConsumerOptions options)
    : impl_(value_or_throw(client::ConsumerImpl::make(config, std::move(options)))) {}

Consumer::~Consumer() {
  if (impl_ != nullptr) impl_->abandon();
}

Consumer::Consumer(Consumer&&) noexcept = default;

Consumer& Consumer::operator=(Consumer&& other) noexcept {
  if (this != &other) {
    if (impl_ != nullptr) impl_->abandon();
    impl_ = std::move(other.impl_);
  }
  return *this;
}

void Consumer::assign(std::vector<TopicPartition> partitions) {
  value_or_throw(impl_->assign(partitions));
}
std::vector<TopicPartition> Consumer::assignment() const {
  return impl_->assignment();
}

void Consumer::seek(const TopicPartition& partition, std::int64_t offset) {
  value_or_throw(impl_->seek(partition, offset));
}
void Consumer::seek_to_beginning(const std::vector<TopicPartition>& partitions) {
  value_or_throw(impl_->seek_by(partitions, {client::ResetPolicy::Kind::earliest, {}}));
}
void Consumer::seek_to_end(const std::vector<TopicPartition>& partitions) {
  value_or_throw(impl_->seek_by(partitions, {client::ResetPolicy::Kind::latest, {}}));
}
std::int64_t Consumer::position(const TopicPartition& partition) {
  return value_or_throw(impl_->position(partition));
}

std::map<TopicPartition, std::optional<OffsetAndTimestamp>> Consumer::offsets_for_times(
    const std::map<TopicPartition, Timestamp>& times) {
  std::map<TopicPartition, std::int64_t> timestamps;
  for (const auto& [where, time] : times) {
    const std::int64_t ms = time.time_since_epoch().count();
    if (ms < 0) client::throw_error({Errc::invalid_argument, "offsets_for_times: a time before 1970"});
    timestamps.emplace(where, ms);
  }
  std::map<TopicPartition, std::optional<OffsetAndTimestamp>> found;
  for (const auto& [where, answer] : value_or_throw(impl_->offsets(std::move(timestamps)))) {
    auto& entry = found[where];
    if (answer.offset < 0) continue;
    entry = OffsetAndTimestamp{answer.offset, Timestamp(std::chrono::milliseconds(answer.timestamp_ms)),
                               answer.leader_epoch};
  }
  return found;
}

std::map<TopicPartition, std::int64_t> Consumer::beginning_offsets(const std::vector<TopicPartition>& partitions) {
  return client::offsets_of(value_or_throw(impl_->offsets(client::all_at(partitions, client::kEarliest))));
}
std::map<TopicPartition, std::int64_t> Consumer::end_offsets(const std::vector<TopicPartition>& partitions) {
  return client::offsets_of(value_or_throw(impl_->offsets(client::all_at(partitions, client::kLatest))));
}
std::vector<PartitionInfo> Consumer::partitions_for(const std::string& topic) {
  return value_or_throw(impl_->partitions_for(topic));
}

void Consumer::pause(const std::vector<TopicPartition>& partitions) {
  value_or_throw(impl_->set_paused(partitions, true));
}
void Consumer::resume(const std::vector<TopicPartition>& partitions) {
  value_or_throw(impl_->set_paused(partitions, false));
}
std::vector<TopicPartition> Consumer::paused() const {
  return impl_->paused();
}

Records Consumer::poll(std::chrono::milliseconds timeout) {
  return value_or_throw(impl_->poll(timeout));
}
std::optional<PollFailure> Consumer::poll_failure() const {
  return impl_->poll_failure();
}
void Consumer::wakeup() noexcept {
  impl_->wakeup();
}
std::string Consumer::explain() const {
  return impl_->explain();
}
void Consumer::close(std::chrono::milliseconds timeout) {
  value_or_throw(impl_->close(timeout));
}
ConsumerMetrics Consumer::metrics() const {
  return impl_->metrics();
}

}  // namespace v0
}  // namespace barnabas
