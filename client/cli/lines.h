#pragma once

#include <memory>
#include <string>

#include "common/bytes/bytes.h"
#include "common/runtime/files.h"

namespace barnabas::cli {

/// Lines of a file, or of standard input ("-"), without their ends (\n or \r\n).
/// Errors: the constructor and next() throw barnabas::Error that names the file.
class Lines {
 public:
  explicit Lines(const std::string& path);
  /// False at the end.
  bool next(std::string& line);

 private:
  bool next_of_file(std::string& line);

  std::shared_ptr<runtime::File> file_;  // none: standard input
  std::uint64_t position_ = 0;
  Bytes buffer_;
  std::size_t at_ = 0;
  std::size_t end_ = 0;
};

}  // namespace barnabas::cli
