#include "client/cli/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <exception>
#include <iostream>

#include "barnabas/error.h"
#include "client/cli/client_options.h"

namespace barnabas::cli {
namespace {

constexpr const char* kVersion = "barnabas 0.1.0";

int fail(const std::string& why, int code) {
  std::cout.flush();
  std::cerr << "barnabas: " << why << '\n';
  return code;
}

/// Data that could not be written is a failure like any other.
int flushed(int code) {
  std::cout.flush();
  if (!std::cout && code == kSuccess) return fail("standard output could not be written", kFailed);
  return code;
}

int parse(CLI::App& app, int argc, const char* const* argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    return fail(fmt::format("{} (see --help)", error.what()), kUsageError);
  }
  return kSuccess;
}

}  // namespace

int run_command_line(int argc, const char* const* argv) {
  std::ios::sync_with_stdio(false);
  CLI::App app{"Works with a Kafka cluster: topics, records, groups, measurements.", "barnabas"};
  app.set_version_flag("--version", kVersion);
  app.require_subcommand(1);
  app.set_help_all_flag("--help-all", "Help of all commands");
  Run run;
  add_topic(app, run);
  add_produce(app, run);
  add_consume(app, run);
  add_group(app, run);
  add_cluster(app, run);
  add_api_versions(app, run);
  CLI::App* bench = app.add_subcommand("bench", "Measures a cluster");
  bench->require_subcommand(1);
  add_bench_produce(*bench, run);
  add_bench_consume(*bench, run);
  add_bench_latency(*bench, run);
  const int parsed = parse(app, argc, argv);
  if (parsed != kSuccess || !run) return parsed;
  try {
    return flushed(run());
  } catch (const UsageError& error) {
    return fail(error.what(), kUsageError);
  } catch (const Error& error) {
    return fail(error.what(), kFailed);
  } catch (const std::exception& error) {
    return fail(error.what(), kFailed);
  }
}

}  // namespace barnabas::cli
