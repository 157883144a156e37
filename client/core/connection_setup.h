#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "client/core/broker_versions.h"
#include "common/protocol/messages/api_versions.h"

namespace barnabas::client {

/// What happens on a fresh connection before the first call: ApiVersions in our highest version; a broker that does not
/// know it says so in a version 0 answer, and is asked again in the highest version it names (or 0). A machine without
/// I/O. Source: Kafka's NetworkClient.handleApiVersionsResponse.
class ConnectionSetup {
 public:
  struct Send {
    std::int16_t version;
    protocol::ApiVersionsRequest request;
  };
  struct Done {
    BrokerVersions versions;
  };
  struct Fail {
    Failure why;
  };
  using Action = std::variant<Send, Done, Fail>;

  Action start();
  /// `response` as decoded by decode_api_versions().
  Action on_response(const protocol::ApiVersionsResponse& response);

 private:
  Send send(std::int16_t version);

  std::int16_t version_ = 0;
  bool fell_back_ = false;
};

/// Decodes an answer to a request of `version`: UNSUPPORTED_VERSION comes in a version 0 body whatever was asked.
Result<protocol::ApiVersionsResponse> decode_api_versions(BytesView body, std::int16_t version);

}  // namespace barnabas::client
