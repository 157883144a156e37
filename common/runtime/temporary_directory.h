#pragma once

#include <string>

#include "common/runtime/env.h"

namespace barnabas::runtime {

/// A fresh directory of the system's ($TMPDIR or /tmp), removed with all that is in it.
/// Errors: the constructor throws std::system_error where there is no room to make one.
class TemporaryDirectory {
 public:
  explicit TemporaryDirectory(const std::string& name_prefix = "barnabas");
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory();

  const std::string& path() const noexcept { return path_; }
  /// "<directory>/<name>".
  std::string path(const std::string& name) const { return path_ + '/' + name; }

 private:
  std::string path_;
};

}  // namespace barnabas::runtime
