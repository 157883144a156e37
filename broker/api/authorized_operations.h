#pragma once

#include <cstdint>
#include <string_view>

#include "broker/server/request_context.h"

namespace barnabas::broker {

/// One bit for each operation that the principal may do on the resource, as Metadata and DescribeCluster answer it: the
/// bit is the operation's code.
std::int32_t authorized_operations(const RequestContext& context, ResourceType type, std::string_view name);

}  // namespace barnabas::broker
