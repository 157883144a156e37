#pragma once

#include <fmt/core.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "common/bytes/result.h"

namespace barnabas::runtime {

enum class LogLevel { trace, debug, info, warn, error, off };

std::string_view to_string(LogLevel level) noexcept;
/// "trace", "debug", "info", "warn", "error" or "off". Errors: Errc::invalid_config.
Result<LogLevel> parse_log_level(std::string_view text);

/// Takes one finished line, without a line break, that starts with the logger's name. Called from any thread, one at a
/// time.
using LogSink = std::function<void(LogLevel, std::string_view)>;

/// Standard error, with time and level, by spdlog.
LogSink stderr_log_sink();

/// A named source of log lines. Copies share level and sink; `named` gives another source beside this one.
/// Cost: one atomic read where the level is off: nothing is formatted.
/// Threads: any.
class Logger {
 public:
  /// An empty sink is stderr_log_sink().
  explicit Logger(std::string name, LogLevel level = LogLevel::info, LogSink sink = {});
  Logger named(std::string name) const;

  bool enabled(LogLevel level) const noexcept;
  void set_level(LogLevel level) const noexcept;
  LogLevel level() const noexcept;

  template <typename... Args>
  void trace(fmt::format_string<Args...> format, Args&&... args) const {
    log(LogLevel::trace, format, std::forward<Args>(args)...);
  }
  template <typename... Args>
  void debug(fmt::format_string<Args...> format, Args&&... args) const {
    log(LogLevel::debug, format, std::forward<Args>(args)...);
  }
  template <typename... Args>
  void info(fmt::format_string<Args...> format, Args&&... args) const {
    log(LogLevel::info, format, std::forward<Args>(args)...);
  }
  template <typename... Args>
  void warn(fmt::format_string<Args...> format, Args&&... args) const {
    log(LogLevel::warn, format, std::forward<Args>(args)...);
  }
  template <typename... Args>
  void error(fmt::format_string<Args...> format, Args&&... args) const {
    log(LogLevel::error, format, std::forward<Args>(args)...);
  }
  template <typename... Args>
  void log(LogLevel level, fmt::format_string<Args...> format, Args&&... args) const {
    if (enabled(level)) emit(level, fmt::format(format, std::forward<Args>(args)...));
  }

  /// Like log(), but of all calls with the same key only the first one says anything (a bounded number of keys is
  /// remembered; beyond it nothing more is said).
  template <typename... Args>
  void once(LogLevel level, std::string_view key, fmt::format_string<Args...> format, Args&&... args) const {
    if (enabled(level) && first_time(key)) emit(level, fmt::format(format, std::forward<Args>(args)...));
  }

 private:
  struct Core;
  Logger(std::string name, std::shared_ptr<Core> core) : name_(std::move(name)), core_(std::move(core)) {}
  void emit(LogLevel level, std::string_view text) const;
  bool first_time(std::string_view key) const;

  std::string name_;
  std::shared_ptr<Core> core_;
};

}  // namespace barnabas::runtime
