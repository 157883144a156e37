#include "broker/server/api_table.h"

#include <algorithm>
#include <utility>

namespace barnabas::broker {

ApiTable::ApiTable(std::vector<ApiRow> rows) : rows_(std::move(rows)) {
  std::sort(rows_.begin(), rows_.end(), [](const ApiRow& a, const ApiRow& b) { return a.key < b.key; });
  for (const ApiRow& row : rows_) {
    const auto index = static_cast<std::size_t>(row.key);
    if (by_key_.size() <= index) by_key_.resize(index + 1);
    by_key_[index] = &row;
  }
}

const ApiRow* ApiTable::find(std::int16_t key) const noexcept {
  if (key < 0 || static_cast<std::size_t>(key) >= by_key_.size()) return nullptr;
  return by_key_[static_cast<std::size_t>(key)];
}

}  // namespace barnabas::broker
