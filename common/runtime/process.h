#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <cstddef>
#include <cstdint>

#include "common/bytes/result.h"

namespace barnabas::runtime {

/// What this process has used so far.
struct ProcessUsage {
  double cpu_seconds = 0;           ///< User and system time of all threads.
  std::uint64_t max_rss_bytes = 0;  ///< The largest resident memory so far.
};
ProcessUsage process_usage() noexcept;

/// Cores that this process may run on; at least 1.
std::size_t processor_count() noexcept;

/// Whether progress bars make sense: standard error is a terminal.
bool stderr_is_terminal() noexcept;
/// Whether somebody types what is read from standard input.
bool stdin_is_terminal() noexcept;
/// Whether somebody looks at what is written to standard output.
bool stdout_is_terminal() noexcept;
/// Whether nobody reads any more what is written to standard output: a pipe whose other end is closed.
bool stdout_is_closed() noexcept;
/// Columns of standard error's terminal; 80 where it is none.
int terminal_columns() noexcept;

/// Completes with the number of the first SIGINT or SIGTERM. These no longer end the process once this has returned,
/// whenever the executor comes to run it.
/// Errors: Errc::cancelled.
asio::awaitable<Result<int>> wait_for_stop_signal(asio::any_io_executor executor);

}  // namespace barnabas::runtime
