// How a coordinator comes to know what its log says.
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <chrono>
#include <utility>

#include "broker/group/coordinator_partition.h"
#include "common/record/batch_view.h"
#include "common/record/control_record.h"

namespace barnabas::group {
namespace {

constexpr std::size_t kMaxPlainBytes = std::size_t{1} << 30;

/// Whether a control batch ends its producer's transaction, and how. Nothing for other control batches.
std::optional<bool> is_commit_of(const record::RecordView& marker) {
  if (!marker.key) return std::nullopt;
  const auto type = record::control_type_of(*marker.key);
  if (!type) return std::nullopt;
  if (*type == record::ControlRecordType::commit) return true;
  if (*type == record::ControlRecordType::abort) return false;
  return std::nullopt;
}

void replay_record(GroupShard& shard, const record::BatchHeader& header, const record::RecordView& record,
                   const runtime::Logger& logger, const std::string& name) {
  if (header.is_control()) {
    if (const auto is_commit = is_commit_of(record)) shard.replay_end_of_transaction(header.producer_id, *is_commit);
    return;
  }
  if (!record.key) return;
  Result<ParsedRecord> parsed = parse_record(*record.key, record.value);
  if (!parsed) {
    logger.error("{}: the record at offset {} does not read: {}", name, record.offset, parsed.error().message());
    return;
  }
  const std::int64_t producer_id = header.is_transactional() ? header.producer_id : record::kNoProducerId;
  std::visit([&](auto& read) { shard.replay(record.offset, producer_id, std::move(read), record.timestamp_ms); },
             *parsed);
}

Result<void> replay_batch(GroupShard& shard, const record::BatchView& batch, const runtime::Logger& logger,
                          const std::string& name, Bytes& scratch) {
  const Result<BytesView> plain = batch.plain_records(scratch, kMaxPlainBytes);
  if (!plain) return failure(plain.error());
  record::RecordReader reader = batch.reader(*plain);
  record::RecordView record;
  for (;;) {
    const Result<bool> more = reader.next(record);
    if (!more) return failure(more.error());
    if (!*more) return {};
    replay_record(shard, batch.header(), record, logger, name);
  }
}

}  // namespace

void CoordinatorPartition::load() {
  const runtime::MonotonicTime began = env_.clock().now();
  auto shard = std::make_unique<GroupShard>(settings_, env_.random(), began);
  if (!is_log_empty()) replay_log(*shard);
  if (ended_) return;
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(env_.clock().now() - began);
  if (!is_log_empty()) {
    logger_.info("{}: loaded {} groups and {} offsets in {} ms", partition_->id().to_string(),
                 shard->groups().all().size(), shard->offsets().store().size(), took.count());
  }
  Answers ready;
  {
    const std::lock_guard lock(mutex_);
    if (state_ != State::loading) return;
    shard_ = std::move(shard);
    state_ = State::active;
    end_offset_ = partition_->log().log_end_offset();
    Step step = begin_step();
    shard_->on_loaded(step);
    finish(step, ready);
  }
  give(ready, protocol::ErrorCode::none);
  asio::co_spawn(timers_, run_timers(this), asio::detached);
}

void CoordinatorPartition::replay_log(GroupShard& shard) {
  const auto end = partition_->log().high_watermark();
  std::int64_t next = partition_->log().log_start_offset();
  while (next < end && !ended_) {
    const auto slice = partition_->read(next, static_cast<std::size_t>(settings_.load_buffer_bytes), true,
                                        log::ReadBound::high_watermark);
    Result<Bytes> bytes = slice ? slice->bytes() : failure(slice.error());
    if (!bytes) {
      logger_.error("{}: not all of it could be loaded: {}", partition_->id().to_string(), bytes.error().message());
      return;
    }
    const std::int64_t before = next;
    replay_bytes(shard, *bytes, next);
    if (next == before) return;  // nothing whole was left to read
  }
}

void CoordinatorPartition::replay_bytes(GroupShard& shard, BytesView bytes, std::int64_t& next_offset) {
  const std::string name = partition_->id().to_string();
  record::BatchCursor cursor(bytes);
  Bytes scratch;
  for (;;) {
    const auto whole = cursor.next();
    if (!whole || !*whole) return;
    const auto batch = record::BatchView::read(**whole);
    if (!batch) return logger_.error("{}: a batch does not read: {}", name, batch.error().message());
    const Result<void> done = replay_batch(shard, *batch, logger_, name, scratch);
    if (!done) {
      logger_.error("{}: the batch at offset {} does not read: {}", name, batch->header().base_offset,
                    done.error().message());
    }
    next_offset = batch->header().last_offset() + 1;
  }
}

}  // namespace barnabas::group
