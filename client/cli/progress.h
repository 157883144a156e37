#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/runtime/clock.h"

namespace barnabas::cli {

/// How far something is.
struct ProgressCounts {
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
  std::optional<std::uint64_t> acknowledged{};  ///< Only of what is sent; then `failed` is shown too.
  std::uint64_t failed = 0;
};

/// The line that Progress draws, of at most `columns` characters: a bar as wide as there is room for (none where
/// `total` is 0, "not known"), records, MB/s, and what was acknowledged and has failed.
std::string progress_line(std::string_view what, std::uint64_t total, const ProgressCounts& counts, double seconds,
                          int columns);

/// One line on standard error that is written over several times a second; nothing where standard error is no terminal.
/// Threads: one.
class Progress {
 public:
  /// `total` 0: not known. `wanted` false: draws nothing, as where the user types what is counted.
  Progress(std::string what, std::uint64_t total, bool wanted = true);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Cost: without a terminal a comparison; with one, most calls read the clock only.
  void update(const ProgressCounts& counts);
  /// Ends the line, so that another can follow.
  void end();

 private:
  void draw(const ProgressCounts& counts);

  std::string what_;
  std::uint64_t total_;
  bool enabled_;
  bool drawn_ = false;
  runtime::MonotonicTime start_;
  runtime::MonotonicTime next_;
};

}  // namespace barnabas::cli
