#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "common/record/batch_view.h"
#include "common/record/validator.h"
#include "tests/fuzz/targets.h"

namespace barnabas::fuzz {
namespace {

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

void records(BytesView input) {
  (void)record::check_produce_records(input, 9);
  record::BatchCursor cursor(input);
  for (auto next = cursor.next(); next && *next; next = cursor.next()) {
    const BytesView one = **next;
    const auto batch = record::BatchView::read(one);
    if (!batch) continue;
    (void)batch->ensure_valid();
    read_records(*batch);
    validate(one);
  }
}

}  // namespace barnabas::fuzz
