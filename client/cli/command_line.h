#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace barnabas::cli {

inline constexpr int kSuccess = 0;
inline constexpr int kFailed = 1;      ///< The command did not do what it was asked for.
inline constexpr int kUsageError = 2;  ///< The command line itself is wrong.

/// The verb that the command line names; throws barnabas::Error or UsageError, or returns the exit code.
using Run = std::function<int()>;

// Each adds a verb to `app` that sets `run` when it is named. One file per verb.
void add_topic(CLI::App& app, Run& run);
void add_produce(CLI::App& app, Run& run);
void add_consume(CLI::App& app, Run& run);
void add_group(CLI::App& app, Run& run);
void add_group_offsets(CLI::App& group, Run& run);
void add_cluster(CLI::App& app, Run& run);
void add_api_versions(CLI::App& app, Run& run);
void add_bench_produce(CLI::App& bench, Run& run);
void add_bench_consume(CLI::App& bench, Run& run);
void add_bench_latency(CLI::App& bench, Run& run);

/// The whole command: data on standard output, everything else on standard error; returns the exit code.
int run_command_line(int argc, const char* const* argv);

}  // namespace barnabas::cli
