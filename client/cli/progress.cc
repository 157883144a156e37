#include "client/cli/progress.h"

#include <fmt/format.h>

#include <iostream>

#include "common/runtime/env.h"
#include "common/runtime/process.h"

namespace barnabas::cli {
namespace {

constexpr std::chrono::milliseconds kInterval{100};
constexpr std::uint64_t kBarWidth = 24;
constexpr double kMegabyte = 1e6;

}  // namespace

Progress::Progress(std::string what, std::uint64_t total)
    : what_(std::move(what)),
      total_(total),
      enabled_(runtime::stderr_is_terminal()),
      start_(runtime::system_env().clock().now()),
      next_(start_) {}

Progress::~Progress() {
  if (drawn_) std::cerr << '\n';
}

void Progress::update(std::uint64_t records, std::uint64_t bytes, std::uint64_t acknowledged, std::uint64_t failed) {
  if (!enabled_) return;
  const auto now = runtime::system_env().clock().now();
  if (now < next_ && records != total_) return;
  next_ = now + kInterval;
  draw(records, bytes, acknowledged, failed);
}

void Progress::draw(std::uint64_t records, std::uint64_t bytes, std::uint64_t acknowledged, std::uint64_t failed) {
  drawn_ = true;
  const double seconds = std::chrono::duration<double>(runtime::system_env().clock().now() - start_).count() + 1e-9;
  std::string bar;
  if (total_ > 0) {
    const std::uint64_t filled = std::min(kBarWidth, records * kBarWidth / total_);
    bar = fmt::format("[{:#<{}}{:.<{}}] ", "", filled, "", kBarWidth - filled);
  }
  std::cerr << fmt::format("\r{} {}{} records  {:.1f} MB/s  {} acknowledged  {} failed\x1b[K", what_, bar, records,
                           static_cast<double>(bytes) / kMegabyte / seconds, acknowledged, failed)
            << std::flush;
}

}  // namespace barnabas::cli
