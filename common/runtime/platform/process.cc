#include "common/runtime/process.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <asio/redirect_error.hpp>
#include <asio/signal_set.hpp>
#include <asio/use_awaitable.hpp>
#include <csignal>
#include <memory>
#include <thread>
#include <utility>

namespace barnabas::runtime {
namespace {

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

asio::awaitable<Result<int>> first_of(std::unique_ptr<asio::signal_set> signals) {
  std::error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  const int number = co_await signals->async_wait(token);
  if (error) co_return failure(Errc::cancelled);
  co_return number;
}

}  // namespace

ProcessUsage process_usage() noexcept {
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) != 0) return {};
  return {seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime), static_cast<std::uint64_t>(usage.ru_maxrss) * 1024};
}

std::size_t processor_count() noexcept {
  return std::max<std::size_t>(std::thread::hardware_concurrency(), 1);
}

bool stderr_is_terminal() noexcept {
  return ::isatty(STDERR_FILENO) == 1;
}

bool stdout_is_terminal() noexcept {
  return ::isatty(STDOUT_FILENO) == 1;
}

bool stdin_is_terminal() noexcept {
  return ::isatty(STDIN_FILENO) == 1;
}

bool stdout_is_closed() noexcept {
  pollfd output{STDOUT_FILENO, 0, 0};
  return ::poll(&output, 1, 0) == 1 && (output.revents & POLLERR) != 0;
}

int terminal_columns() noexcept {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

asio::awaitable<Result<int>> wait_for_stop_signal(asio::any_io_executor executor) {
  auto signals = std::make_unique<asio::signal_set>(std::move(executor), SIGINT, SIGTERM);
  return first_of(std::move(signals));
}

}  // namespace barnabas::runtime
