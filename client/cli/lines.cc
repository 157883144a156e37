#include "client/cli/lines.h"

#include <algorithm>
#include <iostream>

#include "barnabas/error.h"
#include "common/runtime/env.h"

namespace barnabas::cli {
namespace {

constexpr std::size_t kBufferBytes = 1024 * 1024;

template <typename T>
T value_or_throw(Result<T> result) {
  if (!result) throw Error(result.error().code, result.error().subject);
  return std::move(*result);
}

}  // namespace

Lines::Lines(const std::string& path) {
  if (path == "-") return;
  file_ = value_or_throw(runtime::system_env().files().open(path, runtime::OpenMode::read));
  buffer_.resize(kBufferBytes);
}

bool Lines::next(std::string& line) {
  const bool found = file_ == nullptr ? static_cast<bool>(std::getline(std::cin, line)) : next_of_file(line);
  if (found && !line.empty() && line.back() == '\r') line.pop_back();
  return found;
}

bool Lines::next_of_file(std::string& line) {
  line.clear();
  bool any = false;
  for (;;) {
    if (at_ == end_) {
      end_ = value_or_throw(file_->read_at(buffer_, position_));
      at_ = 0;
      position_ += end_;
      if (end_ == 0) return any;
    }
    any = true;
    const std::string_view rest = as_text(BytesView(buffer_).subspan(at_, end_ - at_));
    const std::size_t length = std::min(rest.find('\n'), rest.size());
    line += rest.substr(0, length);
    at_ += length;
    if (at_ == end_) continue;
    ++at_;
    return true;
  }
}

}  // namespace barnabas::cli
