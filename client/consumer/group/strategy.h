#pragma once

#include <memory>
#include <string>
#include <vector>

#include "barnabas/assignor.h"
#include "common/bytes/result.h"

namespace barnabas::client {

/// The assignors that partition.assignment.strategy names: by our names, or by Kafka's class names.
/// Errors: Errc::invalid_config for a name that is none of them.
Result<std::vector<std::shared_ptr<Assignor>>> assignors_named(const std::vector<std::string>& names);

}  // namespace barnabas::client
