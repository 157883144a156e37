#include "common/bytes/errc.h"

#include <string>

namespace barnabas {
namespace {

const char* text(Errc code) {
  switch (code) {
    case Errc::ok:
      return "no error";
    case Errc::invalid_argument:
      return "invalid argument";
    case Errc::invalid_config:
      return "invalid configuration";
    case Errc::corrupt_data:
      return "corrupt data";
    case Errc::unsupported_version:
      return "unsupported version";
    case Errc::timed_out:
      return "timed out";
    case Errc::closed:
      return "closed";
    case Errc::disconnected:
      return "disconnected";
    case Errc::would_deadlock:
      return "would deadlock";
    case Errc::buffer_full:
      return "buffer full";
    case Errc::io_error:
      return "input/output error";
    case Errc::storage_full:
      return "no space left";
    case Errc::not_found:
      return "not found";
    case Errc::already_exists:
      return "already exists";
    case Errc::locked:
      return "locked by another process";
    case Errc::woken_up:
      return "woken up";
    case Errc::cancelled:
      return "cancelled";
  }
  return "unknown error";
}

class BarnabasCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "barnabas"; }
  std::string message(int value) const override { return text(static_cast<Errc>(value)); }
};

}  // namespace

// Part of the API, also of a shared library (the installed barnabas/errc.h says so to its users).
__attribute__((visibility("default"))) const std::error_category& barnabas_category() noexcept {
  static const BarnabasCategory category;
  return category;
}

__attribute__((visibility("default"))) std::error_code make_error_code(Errc code) noexcept {
  return {static_cast<int>(code), barnabas_category()};
}

}  // namespace barnabas
