#include "broker/api/authorized_operations.h"

#include <span>

namespace barnabas::broker {
namespace {

using Op = AclOperation;

constexpr Op kTopicOperations[] = {Op::read,   Op::write, Op::create,           Op::describe,
                                   Op::remove, Op::alter, Op::describe_configs, Op::alter_configs};
constexpr Op kClusterOperations[] = {Op::create, Op::cluster_action,   Op::describe_configs, Op::alter_configs,
                                     Op::alter,  Op::idempotent_write, Op::describe};
constexpr Op kGroupOperations[] = {Op::read, Op::describe, Op::remove, Op::describe_configs, Op::alter_configs};

std::span<const Op> operations_of(ResourceType type) {
  if (type == ResourceType::topic) return kTopicOperations;
  if (type == ResourceType::cluster) return kClusterOperations;
  if (type == ResourceType::group) return kGroupOperations;
  return {};
}

}  // namespace

std::int32_t authorized_operations(const RequestContext& context, ResourceType type, std::string_view name) {
  std::uint32_t bits = 0;
  for (const Op operation : operations_of(type)) {
    if (context.authorize(operation, type, name)) bits |= 1U << static_cast<unsigned>(operation);
  }
  return static_cast<std::int32_t>(bits);
}

}  // namespace barnabas::broker
