#include "client/cli/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <utility>

#include "common/runtime/env.h"
#include "common/runtime/process.h"

namespace barnabas::cli {
namespace {

constexpr std::chrono::milliseconds kInterval{100};
constexpr std::size_t kWidestBar = 30;
constexpr std::size_t kNarrowestBar = 4;
constexpr double kMegabyte = 1e6;

/// "[####....] " in what room there is; nothing where that is too little to show anything.
std::string bar(std::uint64_t done, std::uint64_t total, std::size_t room) {
  constexpr std::size_t kAround = 3;  // brackets and a space
  if (total == 0 || room < kAround + kNarrowestBar) return {};
  const std::size_t width = std::min(kWidestBar, room - kAround);
  const double share = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
  const auto filled = static_cast<std::size_t>(share * static_cast<double>(width));
  return fmt::format("[{:#<{}}{:.<{}}] ", "", filled, "", width - filled);
}

}  // namespace

std::string progress_line(std::string_view what, std::uint64_t total, const ProgressCounts& counts, double seconds,
                          int columns) {
  std::string text = std::to_string(counts.records);
  if (total > 0) text += "/" + std::to_string(total);
  text += fmt::format(" records  {:.1f} MB/s", static_cast<double>(counts.bytes) / kMegabyte / std::max(seconds, 1e-3));
  if (counts.acknowledged) text += fmt::format("  {} acknowledged  {} failed", *counts.acknowledged, counts.failed);
  const auto most = static_cast<std::size_t>(std::max(columns, 1));
  const std::size_t used = what.size() + 1 + text.size();
  std::string line = fmt::format("{} {}{}", what, bar(counts.records, total, most - std::min(most, used)), text);
  line.resize(std::min(line.size(), most));
  return line;
}

Progress::Progress(std::string what, std::uint64_t total, bool wanted)
    : what_(std::move(what)),
      total_(total),
      enabled_(wanted && runtime::stderr_is_terminal()),
      start_(runtime::system_env().clock().now()),
      next_(start_) {}

Progress::~Progress() {
  end();
}

void Progress::end() {
  if (std::exchange(drawn_, false)) std::cerr << '\n';
}

void Progress::update(const ProgressCounts& counts) {
  if (!enabled_) return;
  const auto now = runtime::system_env().clock().now();
  if (now < next_ && counts.records != total_) return;
  next_ = now + kInterval;
  draw(counts);
}

void Progress::draw(const ProgressCounts& counts) {
  drawn_ = true;
  const double seconds = std::chrono::duration<double>(runtime::system_env().clock().now() - start_).count();
  // The last column stays free: some terminals begin a new line when it is written to.
  const std::string line = progress_line(what_, total_, counts, seconds, runtime::terminal_columns() - 1);
  std::cerr << '\r' << line << "\x1b[K" << std::flush;
}

}  // namespace barnabas::cli
