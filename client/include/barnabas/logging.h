#pragma once

#include <functional>
#include <string_view>

namespace barnabas {
inline namespace v0 {

enum class LogLevel { debug, info, warning, error, off };

/// Where a client's log lines go. Default: standard error, from `warning` up.
/// Threads: called from any thread, several at a time; it must be quick and must not throw.
struct LogSink {
  LogLevel level = LogLevel::warning;  ///< Lines below it are not even formatted.
  std::function<void(LogLevel level, std::string_view client_id, std::string_view message)>
      write;  ///< Empty: standard error.
};

}  // namespace v0
}  // namespace barnabas
