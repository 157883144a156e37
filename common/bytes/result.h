#pragma once

#include <string>
#include <system_error>
#include <tl/expected.hpp>
#include <utility>

#include "common/bytes/errc.h"

namespace barnabas {

/// Why something failed: a code to act on, and a sentence that names the thing (topic, partition, broker, setting,
/// file).
struct Failure {
  std::error_code code;
  std::string subject;

  /// The subject and the code's own text, for a log line or an exception.
  std::string message() const { return subject.empty() ? code.message() : subject + ": " + code.message(); }
};

/// A value, or why there is none. Inside the project nothing throws: only the public synchronous calls do.
template <typename T>
using Result = tl::expected<T, Failure>;

inline tl::unexpected<Failure> failure(std::error_code code, std::string subject = {}) {
  return tl::unexpected<Failure>(Failure{code, std::move(subject)});
}
inline tl::unexpected<Failure> failure(Failure why) {
  return tl::unexpected<Failure>(std::move(why));
}

}  // namespace barnabas
