#include "broker/coordinator/coordinator_partition_impl.h"

namespace barnabas::coordinator {

std::optional<bool> is_commit_of(const record::RecordView& marker) {
  if (!marker.key) return std::nullopt;
  const auto type = record::control_type_of(*marker.key);
  if (!type) return std::nullopt;
  if (*type == record::ControlRecordType::commit) return true;
  if (*type == record::ControlRecordType::abort) return false;
  return std::nullopt;
}

}  // namespace barnabas::coordinator
