#pragma once

#include <cerrno>
#include <string>
#include <system_error>

#include "common/bytes/result.h"

namespace barnabas::runtime {

inline Errc errc_of_errno(int error_number) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
      return Errc::storage_full;
    case ENOENT:
      return Errc::not_found;
    case EEXIST:
      return Errc::already_exists;
    default:
      return Errc::io_error;
  }
}

/// A failed system call: "open /data/x (Permission denied)".
inline tl::unexpected<Failure> system_failure(const char* call, const std::string& path, int error_number) {
  return failure(errc_of_errno(error_number),
                 std::string(call) + ' ' + path + " (" + std::generic_category().message(error_number) + ')');
}

}  // namespace barnabas::runtime
