#pragma once

#include <cstdint>
#include <utility>

#include "barnabas/error.h"
#include "common/bytes/result.h"
#include "common/protocol/errors.h"

namespace barnabas::client {

/// A broker's answer as a failure; `subject` names topic, partition, broker. A broker's own words go behind ours.
Failure broker_failure(std::int16_t code, std::string subject);

/// Whether a failure may go away by itself: a retriable answer, a lost connection, an expired deadline of one attempt.
bool is_retriable(const Failure& why) noexcept;
/// Whether it says that our metadata is out of date.
bool needs_metadata_update(const Failure& why) noexcept;

/// The public synchronous edge: the value, or a throw of barnabas::Error.
[[noreturn]] void throw_error(const Failure& why);
template <typename T>
T value_or_throw(Result<T> result) {
  if (!result) throw_error(result.error());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

}  // namespace barnabas::client
