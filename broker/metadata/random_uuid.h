#pragma once

#include "common/bytes/uuid.h"
#include "common/runtime/random.h"

namespace barnabas::metadata {

/// A random id of RFC 4122's version 4 that Kafka's tools take without trouble: not reserved, and its text does not
/// begin with a dash.  Source: Kafka's Uuid.randomUuid.
Uuid random_uuid(runtime::Random& random);

}  // namespace barnabas::metadata
