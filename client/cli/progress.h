#pragma once

#include <cstdint>
#include <string>

#include "common/runtime/clock.h"

namespace barnabas::cli {

/// One line on standard error that is written over several times a second; nothing where standard error is no terminal.
/// Threads: one.
class Progress {
 public:
  /// `total` 0: not known.
  Progress(std::string what, std::uint64_t total);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Cost: without a terminal a comparison; with one, most calls read the clock only.
  void update(std::uint64_t records, std::uint64_t bytes, std::uint64_t acknowledged, std::uint64_t failed);

 private:
  void draw(std::uint64_t records, std::uint64_t bytes, std::uint64_t acknowledged, std::uint64_t failed);

  std::string what_;
  std::uint64_t total_;
  bool enabled_;
  bool drawn_ = false;
  runtime::MonotonicTime start_;
  runtime::MonotonicTime next_;
};

}  // namespace barnabas::cli
