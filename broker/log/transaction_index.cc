#include "broker/log/transaction_index.h"

#include "broker/log/big_endian.h"

namespace barnabas::log {
namespace {

constexpr std::int16_t kVersion = 0;

void encode(const AbortedTransaction& entry, std::byte* out) {
  store_big_endian(kVersion, out);
  store_big_endian(entry.producer_id, out + 2);
  store_big_endian(entry.first_offset, out + 10);
  store_big_endian(entry.last_offset, out + 18);
  store_big_endian(entry.last_stable_offset, out + 26);
}

AbortedTransaction decode(const std::byte* bytes) {
  return {load_big_endian<std::int64_t>(bytes + 2), load_big_endian<std::int64_t>(bytes + 10),
          load_big_endian<std::int64_t>(bytes + 18), load_big_endian<std::int64_t>(bytes + 26)};
}

}  // namespace

Result<std::vector<AbortedTransaction>> TransactionIndex::all() const {
  std::vector<AbortedTransaction> entries;
  if (!files_->exists(path_)) return entries;
  const auto bytes = files_->read(path_);
  if (!bytes) return failure(bytes.error());
  for (std::size_t at = 0; at + kEntryBytes <= bytes->size(); at += kEntryBytes) {
    if (load_big_endian<std::int16_t>(bytes->data() + at) != kVersion) {
      return failure(Errc::corrupt_data, path_ + ": an entry of an unknown version at byte " + std::to_string(at));
    }
    entries.push_back(decode(bytes->data() + at));
  }
  return entries;
}

Result<void> TransactionIndex::append(const AbortedTransaction& aborted) {
  auto file = files_->open(path_, runtime::OpenMode::create);
  if (!file) return failure(file.error());
  const auto size = (*file)->size();
  if (!size) return failure(size.error());
  Bytes entry(kEntryBytes);
  encode(aborted, entry.data());
  return (*file)->write_at(BytesView(entry), *size);
}

Result<std::vector<AbortedTransaction>> TransactionIndex::overlapping(std::int64_t from, std::int64_t upper_bound) const {
  auto entries = all();
  if (!entries) return entries;
  std::erase_if(*entries, [&](const AbortedTransaction& e) { return e.last_offset < from || e.first_offset >= upper_bound; });
  return entries;
}

Result<void> TransactionIndex::truncate_to(std::int64_t offset) {
  auto entries = all();
  if (!entries) return failure(entries.error());
  if (entries->empty()) return {};
  std::size_t keep = 0;
  while (keep < entries->size() && (*entries)[keep].last_offset < offset) ++keep;
  auto file = files_->open(path_, runtime::OpenMode::read_write);
  if (!file) return failure(file.error());
  return (*file)->truncate(keep * kEntryBytes);
}

}  // namespace barnabas::log
