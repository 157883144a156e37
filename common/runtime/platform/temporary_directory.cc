#include "common/runtime/temporary_directory.h"

#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace barnabas::runtime {

TemporaryDirectory::TemporaryDirectory(const std::string& name_prefix) {
  const char* base = std::getenv("TMPDIR");
  path_ = std::string(base != nullptr && *base != '\0' ? base : "/tmp") + '/' + name_prefix + "-XXXXXX";
  if (::mkdtemp(path_.data()) == nullptr) throw std::system_error(errno, std::generic_category(), path_);
}

TemporaryDirectory::~TemporaryDirectory() {
  // What cannot be removed is left to the system's own cleaning of temporary files.
  static_cast<void>(system_env().files().remove_all(path_));
}

}  // namespace barnabas::runtime
