#include "common/runtime/logging.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <array>
#include <atomic>
#include <mutex>
#include <set>

namespace barnabas::runtime {
namespace {

constexpr std::array<std::string_view, 6> kLevelNames{"trace", "debug", "info", "warn", "error", "off"};
constexpr std::size_t kKeysRemembered = 1024;

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::trace:
      return spdlog::level::trace;
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warn:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
    case LogLevel::off:
      return spdlog::level::off;
  }
  return spdlog::level::off;
}

}  // namespace

struct Logger::Core {
  std::atomic<LogLevel> level;
  LogSink sink;                             // under sink_mutex
  std::mutex sink_mutex;                    // leaf lock
  std::set<std::string, std::less<>> said;  // keys_mutex
  std::mutex keys_mutex;                    // leaf lock
};

std::string_view to_string(LogLevel level) noexcept {
  return kLevelNames[static_cast<std::size_t>(level)];
}

Result<LogLevel> parse_log_level(std::string_view text) {
  for (std::size_t i = 0; i < kLevelNames.size(); ++i) {
    if (kLevelNames[i] == text) return static_cast<LogLevel>(i);
  }
  return failure(Errc::invalid_config, fmt::format("log level '{}' (trace, debug, info, warn, error or off)", text));
}

LogSink stderr_log_sink() {
  auto logger = std::make_shared<spdlog::logger>("barnabas", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e %^%l%$ %v");
  logger->set_level(spdlog::level::trace);
  return [logger](LogLevel level, std::string_view line) {
    logger->log(spdlog_level(level), spdlog::string_view_t(line.data(), line.size()));
  };
}

Logger::Logger(std::string name, LogLevel level, LogSink sink)
    : name_(std::move(name)), core_(std::make_shared<Core>()) {
  core_->level.store(level, std::memory_order_relaxed);
  core_->sink = sink ? std::move(sink) : stderr_log_sink();
}

Logger Logger::named(std::string name) const {
  return Logger(std::move(name), core_);
}

bool Logger::enabled(LogLevel level) const noexcept {
  return level != LogLevel::off && level >= core_->level.load(std::memory_order_relaxed);
}

void Logger::set_level(LogLevel level) const noexcept {
  core_->level.store(level, std::memory_order_relaxed);
}

LogLevel Logger::level() const noexcept {
  return core_->level.load(std::memory_order_relaxed);
}

void Logger::emit(LogLevel level, std::string_view text) const {
  const std::string line = name_.empty() ? std::string(text) : fmt::format("{}: {}", name_, text);
  const std::lock_guard lock(core_->sink_mutex);
  core_->sink(level, line);
}

bool Logger::first_time(std::string_view key) const {
  const std::lock_guard lock(core_->keys_mutex);
  if (core_->said.size() >= kKeysRemembered) return false;
  return core_->said.emplace(key).second;
}

}  // namespace barnabas::runtime
