#include "common/runtime/logging.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <asio/co_spawn.hpp>
#include <csignal>
#include <vector>

#include "common/runtime/env.h"
#include "common/runtime/process.h"

namespace barnabas::runtime {
namespace {

struct Expensive {
  int* formatted;
};

}  // namespace
}  // namespace barnabas::runtime

template <>
struct fmt::formatter<barnabas::runtime::Expensive> : fmt::formatter<int> {
  template <typename Context>
  auto format(const barnabas::runtime::Expensive& value, Context& context) const {
    return fmt::formatter<int>::format(++*value.formatted, context);
  }
};

namespace barnabas::runtime {
namespace {

TEST(Logger, hands_lines_of_its_level_and_above_to_the_sink) {
  std::vector<std::string> lines;
  const Logger logger("broker", LogLevel::info, [&lines](LogLevel level, std::string_view line) {
    lines.push_back(std::string(to_string(level)) + ' ' + std::string(line));
  });
  logger.debug("not {}", "seen");
  logger.info("port {}", 9092);
  logger.named("log").error("disk {} failed", "/data");
  logger.set_level(LogLevel::off);
  logger.error("not seen");
  EXPECT_EQ(lines, (std::vector<std::string>{"info broker: port 9092", "error log: disk /data failed"}));
}

TEST(Logger, formats_nothing_when_the_level_is_off) {
  int formatted = 0;
  const Logger logger("x", LogLevel::warn, [](LogLevel, std::string_view) {});
  logger.info("{}", Expensive{&formatted});
  EXPECT_EQ(formatted, 0);
  logger.warn("{}", Expensive{&formatted});
  EXPECT_EQ(formatted, 1);
}

TEST(Logger, says_a_thing_once_by_its_key) {
  int lines = 0;
  const Logger logger("x", LogLevel::info, [&lines](LogLevel, std::string_view) { ++lines; });
  for (int i = 0; i < 5; ++i) logger.once(LogLevel::warn, "slow callback", "call {}", i);
  logger.once(LogLevel::warn, "another", "call");
  EXPECT_EQ(lines, 2);
}

TEST(Logger, knows_its_levels_by_name) {
  EXPECT_EQ(parse_log_level("debug").value(), LogLevel::debug);
  EXPECT_EQ(parse_log_level("verbose").error().code, Errc::invalid_config);
}

TEST(Process, reports_what_it_used) {
  EXPECT_GT(process_usage().max_rss_bytes, 1u << 20);
  EXPECT_GT(terminal_columns(), 0);
}

/// Raises the signal after so many turns of the loop: the wait, which started before, has taken it over by then.
void raise_later(asio::any_io_executor executor, int turns) {
  asio::post(executor, [executor, turns] {
    if (turns == 0)
      std::raise(SIGTERM);
    else
      raise_later(executor, turns - 1);
  });
}

TEST(Process, a_stop_signal_ends_the_wait_and_not_the_process) {
  Env& env = system_env();
  const auto reactor = env.make_reactor("signals");
  const auto signal = env.make_signal();
  int number = 0;
  asio::post(reactor->executor(), [&] {
    asio::co_spawn(
        reactor->executor(), wait_for_stop_signal(reactor->executor()),
        [&](std::exception_ptr, Result<int> caught) { signal->notify([&] { number = caught.value_or(-1); }); });
    raise_later(reactor->executor(), 20);
  });
  EXPECT_TRUE(signal->wait_until(env.clock().now() + std::chrono::seconds(10), [&] { return number != 0; }));
  EXPECT_EQ(number, SIGTERM);
}

}  // namespace
}  // namespace barnabas::runtime
