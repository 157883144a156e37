#include "examples/demo/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

namespace demo {

Progress::Progress(std::string title, std::uint64_t total)
    : title_(std::move(title)), total_(total), is_terminal_(isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (is_terminal_ && drawn_ != std::chrono::steady_clock::time_point{}) std::fputc('\n', stderr);
}

void Progress::show(std::uint64_t done, std::uint64_t bytes, const std::string& tail) {
  const auto now = std::chrono::steady_clock::now();
  if (!is_terminal_ || (done < total_ && now - drawn_ < std::chrono::milliseconds(100))) return;
  drawn_ = now;
  draw(done, bytes, tail);
}

void Progress::draw(std::uint64_t done, std::uint64_t bytes, const std::string& tail) const {
  constexpr std::uint64_t kWidth = 30;
  const std::uint64_t filled = total_ == 0 ? kWidth : std::min(kWidth, done * kWidth / total_);
  const double seconds = std::max(1e-3, std::chrono::duration<double>(drawn_ - started_).count());
  const std::string line = fmt::format("\r{:<8} [{:=<{}}{:{}}] {}/{}  {:.1f} MB/s  {}\x1b[K", title_, "", filled, "",
                                       kWidth - filled, done, total_, static_cast<double>(bytes) / 1e6 / seconds, tail);
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace demo
