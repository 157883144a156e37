#pragma once

#include <cstdint>
#include <string>

#include "broker/coordinator/step.h"
#include "broker/group/group_records.h"

namespace barnabas::group {

using coordinator::Answer;
using coordinator::answer_to_failed_append;
using coordinator::Reply;
using Step = coordinator::Step<CoordinatorRecord>;

/// Who asks.
struct Origin {
  std::string client_id;
  std::string client_host;  ///< "/127.0.0.1", as Kafka writes it down.
  std::int16_t api_version = 0;
};

}  // namespace barnabas::group
