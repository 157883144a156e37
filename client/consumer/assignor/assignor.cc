#include "barnabas/assignor.h"

namespace barnabas {
inline namespace v0 {

const std::string* ClusterMetadata::rack_of(std::int32_t broker) const noexcept {
  const auto found = brokers.find(broker);
  return found != brokers.end() && found->second.rack ? &*found->second.rack : nullptr;
}

Assignor::~Assignor() = default;

std::optional<std::vector<std::byte>> Assignor::subscription_user_data(const std::set<std::string>&) {
  return std::nullopt;
}

void Assignor::on_assignment(const MemberAssignment&, const ConsumerGroupMetadata&) {}

}  // namespace v0
}  // namespace barnabas
