#pragma once

#include <cstddef>
#include <string>
#include <system_error>

#include "barnabas/errc.h"
#include "barnabas/export.h"

namespace barnabas {
inline namespace v0 {

/// The category of what a broker answers; the values are Kafka's own error numbers (3 = UNKNOWN_TOPIC_OR_PARTITION).
/// Local errors (a timeout, a wrong setting, ...) are barnabas::Errc, in barnabas_category().
BARNABAS_API const std::error_category& kafka_category() noexcept;

/// Kafka's error number as an error code; 0 is no error.
BARNABAS_API std::error_code kafka_error(int number) noexcept;

/// Whether the same call may succeed later without any change (the library has already retried until its deadline).
BARNABAS_API bool is_retriable(const std::error_code& code) noexcept;

/// Whether the client object that reported it can do no more work: close it and make a new one.
BARNABAS_API bool is_fatal(const std::error_code& code) noexcept;

/// Whether the transaction under way must be aborted before anything else works.
BARNABAS_API bool requires_abort(const std::error_code& code) noexcept;

/// What every synchronous call throws. what() is the context and the code's own text; the context names the thing:
/// topic, partition, broker, setting, and for a timeout what was tried, how often, and the last real cause.
/// Asynchronous calls deliver the same code().
class BARNABAS_API Error : public std::system_error {
 public:
  Error(std::error_code code, std::string context);
  ~Error() override;

  const std::string& context() const noexcept { return context_; }
  bool is_retriable() const noexcept { return v0::is_retriable(code()); }
  bool is_fatal() const noexcept { return v0::is_fatal(code()); }
  bool requires_abort() const noexcept { return v0::requires_abort(code()); }

 private:
  std::string context_;
};

/// What Producer::send_batch throws: the records before number `taken()` of the call were taken and are delivered as
/// ever, that one is at fault, and it and all behind it were not taken.
class BARNABAS_API SendBatchError : public Error {
 public:
  SendBatchError(std::error_code code, std::string context, std::size_t taken);
  ~SendBatchError() override;

  std::size_t taken() const noexcept { return taken_; }

 private:
  std::size_t taken_;
};

/// What became of one thing in a call on many: an empty code, or the code and a sentence.
struct ItemError {
  std::error_code code;
  std::string context;

  explicit operator bool() const noexcept { return static_cast<bool>(code); }
};

}  // namespace v0
}  // namespace barnabas
