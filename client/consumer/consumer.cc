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

void start_commit(ConsumerImpl& consumer, std::optional<Offsets> offsets, Handler<std::error_code> done) {
  consumer.start_commit(std::move(offsets), std::move(done));
}

void give_back(ConsumerImpl& consumer, const TopicPartition& partition, std::int64_t offset) noexcept {
  static_cast<void>(consumer.seek(partition, offset));  // what is not assigned any more is somebody else's
}

}  // namespace client

inline namespace v0 {
namespace {

class ConsumerCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "barnabas.consumer"; }
  std::string message(int) const override { return "a function of the application threw"; }
};

}  // namespace

std::error_code make_error_code(ConsumerErrc code) noexcept {
  static const ConsumerCategory category;
  return {static_cast<int>(code), category};
}

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

void Consumer::subscribe(const std::vector<std::string>& topics, RebalanceListener listener) {
  value_or_throw(impl_->subscribe(client::subscription_to(topics), std::move(listener)));
}
void Consumer::subscribe(const TopicPattern& pattern, RebalanceListener listener) {
  value_or_throw(impl_->subscribe(client::subscription_to_pattern(pattern.regex()), std::move(listener)));
}
std::vector<std::string> Consumer::subscription() const {
  return impl_->subscription();
}
void Consumer::unsubscribe() {
  value_or_throw(impl_->unsubscribe());
}
void Consumer::enforce_rebalance(const std::string& reason) {
  value_or_throw(impl_->enforce_rebalance(reason));
}
ConsumerGroupMetadata Consumer::group_metadata() const {
  return value_or_throw(impl_->group_metadata());
}

void Consumer::commit_sync() {
  value_or_throw(impl_->commit_sync(std::nullopt, std::nullopt));
}
void Consumer::commit_sync(std::chrono::milliseconds timeout) {
  value_or_throw(impl_->commit_sync(std::nullopt, timeout));
}
void Consumer::commit_sync(const Offsets& offsets) {
  value_or_throw(impl_->commit_sync(offsets, std::nullopt));
}
void Consumer::commit_sync(const Offsets& offsets, std::chrono::milliseconds timeout) {
  value_or_throw(impl_->commit_sync(offsets, timeout));
}
void Consumer::commit_async(CommitCallback callback) {
  value_or_throw(impl_->commit_async(std::nullopt, std::move(callback)));
}
void Consumer::commit_async(const Offsets& offsets, CommitCallback callback) {
  value_or_throw(impl_->commit_async(offsets, std::move(callback)));
}
std::map<TopicPartition, std::optional<OffsetAndMetadata>> Consumer::committed(
    const std::vector<TopicPartition>& partitions) {
  return value_or_throw(impl_->committed(partitions));
}
std::optional<std::int64_t> Consumer::lag(const TopicPartition& partition) const {
  return value_or_throw(impl_->lag(partition));
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
  value_or_throw(impl_->close({timeout, GroupMembership::usual}));
}
void Consumer::close(const CloseOptions& options) {
  value_or_throw(impl_->close(options));
}
ConsumerMetrics Consumer::metrics() const {
  return impl_->metrics();
}

}  // namespace v0
}  // namespace barnabas
