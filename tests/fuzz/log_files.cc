#include "tests/fuzz/log_files.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "broker/log/log_manager.h"
#include "broker/metadata/meta_properties.h"
#include "common/bytes/reader.h"
#include "common/record/batch_builder.h"
#include "common/record/batch_view.h"
#include "common/runtime/virtual_env.h"
#include "tests/fuzz/targets.h"

namespace barnabas::fuzz {
namespace {

const log::TopicPartition kPartition{"orders", 0};
constexpr std::size_t kFetchBytes = 4096;

/// Writes the files that `in` holds; the same kind twice is appended.
void write_files(runtime::Files& files, Reader& in) {
  const std::string root(kDataDirectory);
  if (!files.make_directories(root + "/orders-0")) std::abort();
  while (in.remaining() >= 3) {
    const auto kind = static_cast<std::uint8_t>(in.int8()) % kLogFiles.size();
    const std::size_t length = std::min<std::size_t>(in.uint16(), in.remaining());
    auto file = files.open(root + '/' + std::string(kLogFiles.at(kind)), runtime::OpenMode::create);
    if (!file) std::abort();
    const auto size = (*file)->size();
    if (!size || !(*file)->write_at(in.bytes(length), *size)) std::abort();
  }
}

/// Everything that the log says it has, as a consumer would ask for it: each step goes on, and ends.
void read_all(const log::PartitionLog& partition) {
  std::int64_t offset = partition.log_start_offset();
  while (offset < partition.log_end_offset()) {
    const auto slice = partition.read(offset, kFetchBytes, true, log::ReadBound::log_end);
    if (!slice || slice->length == 0) break;
    const auto bytes = slice->bytes();
    if (!bytes) break;
    const std::int64_t before = offset;
    record::BatchCursor cursor(*bytes);
    for (auto next = cursor.next(); next && *next; next = cursor.next()) {
      const auto batch = record::BatchView::read(**next);
      if (!batch) break;
      offset = std::max(offset, batch->header().next_offset());
    }
    if (offset == before) break;
  }
}

void ask(const log::PartitionLog& partition) {
  (void)partition.read(partition.log_start_offset(), kFetchBytes, true, log::ReadBound::last_stable_offset);
  for (const std::int64_t time_ms : {std::int64_t{0}, std::int64_t{1'700'000'000'000}, INT64_MAX}) {
    (void)partition.offset_for_timestamp(time_ms);
  }
  (void)partition.offset_of_max_timestamp();
  for (const std::int32_t epoch : {0, 1, 7}) (void)partition.end_offset_for_epoch(epoch);
}

Bytes one_record() {
  record::BatchBuilder builder;
  builder.append({.timestamp_ms = 1'700'000'000'000, .key = {}, .value = as_bytes("value"), .headers = {}});
  return std::move(*builder.finish());
}

/// A log that opened takes a record behind its end. Whether a read finds it there is not promised: base offsets lie
/// outside the checksum, and one that was damaged may stand before it.
void write_one(log::PartitionLog& partition) {
  const std::int64_t end = partition.log_end_offset();
  Bytes batch = one_record();
  const auto appended = partition.append_as_leader(batch, 1);
  if (!appended) return;  // such as at the last offset there is
  if (appended->first_offset != end || partition.log_end_offset() != end + 1) std::abort();
  (void)partition.read(end, kFetchBytes, true, log::ReadBound::log_end);
}

runtime::Logger silent() {
  return runtime::Logger("fuzz", runtime::LogLevel::off, [](runtime::LogLevel, std::string_view) {});
}

log::LoadedTopic small_segments() {
  log::LoadedTopic topic;
  topic.config.segment_index_bytes = 4096;
  topic.config.segment_bytes = 1 << 20;
  topic.config.index_interval_bytes = 64;
  topic.config.timestamp_after_max_ms = INT64_MAX;
  return topic;
}

/// Opens the directory, uses the log in it where there is one, and returns where it ends; -1 where it did not open.
std::int64_t open_and_use(runtime::Env& env, bool write) {
  auto manager = log::LogManager::open(env, std::string(kDataDirectory), {}, silent());
  if (!manager) return -1;
  const auto loaded = (*manager)->load([](const std::string&, const Uuid&) { return small_segments(); });
  if (!loaded) return -1;
  const auto partition = (*manager)->find(kPartition);
  if (!partition) {
    if ((*manager)->problems().empty()) std::abort();
    return -1;
  }
  if (partition->log_start_offset() > partition->log_end_offset()) std::abort();
  if (partition->high_watermark() > partition->log_end_offset()) std::abort();
  read_all(*partition);
  ask(*partition);
  if (write) write_one(*partition);
  const std::int64_t end = partition->log_end_offset();
  return (*manager)->shutdown(1) ? end : -1;
}

}  // namespace

void log_files(BytesView input) {
  Reader in(input);
  const bool clean = (in.int8() & 1) != 0;
  runtime::VirtualEnv env;
  write_files(env.files(), in);
  if (clean) {
    const std::string marker = std::string(kDataDirectory) + "/.kafka_cleanshutdown";
    if (!env.files().open(marker, runtime::OpenMode::create)) std::abort();
  }
  (void)metadata::read_meta_properties(env.files(), std::string(kDataDirectory));
  const std::int64_t end = open_and_use(env, true);
  if (end < 0) return;
  const std::int64_t again = open_and_use(env, false);
  // What was recovered and closed properly opens again, and ends where it did. (What was called clean was believed.)
  if (!clean && again != end) std::abort();
}

}  // namespace barnabas::fuzz
