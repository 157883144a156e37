#pragma once

#include "broker/server/api_table.h"

namespace barnabas::broker {

/// Everything this broker serves.
const ApiTable& all_apis();

}  // namespace barnabas::broker
