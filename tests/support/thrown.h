#pragma once

#include <functional>
#include <string>
#include <system_error>

#include "barnabas/error.h"

namespace barnabas {

/// What a call threw; no code where it did not.
struct Thrown {
  std::error_code code;
  std::string text;
  bool says(const std::string& word) const { return text.find(word) != std::string::npos; }
};

inline Thrown thrown_by(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return {error.code(), error.what()};
  }
  return {};
}

}  // namespace barnabas
