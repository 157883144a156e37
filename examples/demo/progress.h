#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace demo {

/// A bar on standard error, redrawn at most ten times a second; nothing where standard error is no terminal.
class Progress {
 public:
  Progress(std::string title, std::uint64_t total);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(std::uint64_t done, std::uint64_t bytes, const std::string& tail);

 private:
  void draw(std::uint64_t done, std::uint64_t bytes, const std::string& tail) const;

  std::string title_;
  std::uint64_t total_;
  bool is_terminal_;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point drawn_{};
};

}  // namespace demo
