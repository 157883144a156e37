#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "broker/server/api_table.h"
#include "common/bytes/bytes.h"
#include "common/bytes/result.h"

namespace barnabas::broker {

/// A frame's header, and the row that will serve it.
struct Admission {
  const ApiRow* row = nullptr;
  std::int16_t api_version = 0;
  std::int32_t correlation_id = 0;
  std::optional<std::string> client_id;
  std::size_t body_at = 0;  ///< Where the body starts in the frame.
};

/// Reads the header and decides whether the request is served: an API that the listener has, in a version that we
/// speak. ApiVersions alone is let through in any version, since its answer is how a client learns the right one.
/// Errors: a sentence for the log; the connection closes on it, as Kafka's does.
Result<Admission> admit(const ApiTable& apis, ListenerKinds listener, BytesView frame);

}  // namespace barnabas::broker
