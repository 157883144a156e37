#pragma once

#include <system_error>

namespace barnabas {

/// What goes wrong on this side of the wire. What a broker answers is protocol::ErrorCode, a category of its own.
enum class Errc {
  ok = 0,
  invalid_argument,     ///< A call that can never succeed as it stands.
  invalid_config,       ///< A setting with an unknown name, an ill-typed value, or one that contradicts another.
  corrupt_data,         ///< Bytes that do not mean what they should: cut short, a wrong checksum, a length that lies.
  unsupported_version,  ///< The peer and we share no version of an API.
  timed_out,            ///< A deadline passed; the message says what was waited for.
  closed,               ///< The object, connection or process is shutting down.
  disconnected,         ///< The peer went away in the middle.
  would_deadlock,       ///< A blocking call on the thread that would have to do the work.
  buffer_full,          ///< A byte budget is used up.
  io_error,             ///< A file or socket operation failed; the message holds the system's reason.
  storage_full,         ///< ENOSPC or EDQUOT.
  not_found,
  already_exists,
  locked,    ///< Somebody else holds the data directory.
  woken_up,  ///< wakeup() was called.
  cancelled,
};

const std::error_category& barnabas_category() noexcept;
std::error_code make_error_code(Errc code) noexcept;

}  // namespace barnabas

template <>
struct std::is_error_code_enum<barnabas::Errc> : std::true_type {};
