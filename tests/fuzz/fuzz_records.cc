#include <cstdint>
#include <cstdlib>

#include "common/record/batch_view.h"
#include "common/record/validator.h"

namespace {

using namespace barnabas;

constexpr std::size_t kLimitBytes = std::size_t{1} << 20;

void read_records(const record::BatchView& batch) {
  Bytes scratch;
  const auto plain = batch.plain_records(scratch, kLimitBytes);
  if (!plain) return;
  if (plain->size() > kLimitBytes && batch.header().is_compressed()) std::abort();
  record::RecordReader reader = batch.reader(*plain);
  record::RecordView view;
  std::size_t headers = 0;
  for (auto more = reader.next(view); more && *more; more = reader.next(view)) {
    for (const record::HeaderView& header : view.headers) headers += header.key.size();
  }
  if (headers > plain->size()) std::abort();
}

/// A batch that passes is stamped; one that fails is not touched.
void validate(BytesView bytes) {
  Bytes copy(bytes.begin(), bytes.end());
  const auto done = record::validate_and_stamp(copy, 100, record::ValidationRules{});
  if (!done && !std::equal(copy.begin(), copy.end(), bytes.begin())) std::abort();
}

}  // namespace

/// Bytes as a Produce request or a fetch response carries them: batches one behind the other.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const BytesView bytes(reinterpret_cast<const std::byte*>(data), size);
  (void)record::check_produce_records(bytes, 9);
  record::BatchCursor cursor(bytes);
  for (auto next = cursor.next(); next && *next; next = cursor.next()) {
    const BytesView one = **next;
    const auto batch = record::BatchView::read(one);
    if (!batch) continue;
    (void)batch->ensure_valid();
    read_records(*batch);
    validate(one);
  }
  return 0;
}
