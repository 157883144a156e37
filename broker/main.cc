#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <asio/co_spawn.hpp>
#include <cstdio>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/broker.h"
#include "common/net/byte_stream.h"
#include "common/runtime/env.h"
#include "common/runtime/process.h"
#include "common/runtime/properties.h"

namespace barnabas::broker {
namespace {

struct Arguments {
  std::string config_file;
  std::vector<std::string> overrides;  ///< name=value
  int port = -1;
  std::string data_directory;
  std::string log_level = "info";
};

/// Parses the command line; a number to exit with when there is nothing to run.
std::optional<int> parse(int argc, char** argv, Arguments& arguments) {
  CLI::App app{"The Barnabas broker: Apache Kafka's protocol and data format in one process."};
  app.name("barnabas-broker");
  app.set_version_flag("--version", std::string("barnabas-broker ") + kVersion);
  app.add_option("--config", arguments.config_file, "server.properties, with Kafka's names")->type_name("FILE");
  app.add_option("--override", arguments.overrides, "name=value: goes before the file; may be given several times")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  app.add_option("--port", arguments.port, "Port to listen on, 0 for a free one (default 9092)")
      ->check(CLI::Range(0, 65535));
  app.add_option("--data-dir", arguments.data_directory, "Directory of the data (default ./barnabas-data)")
      ->type_name("DIR");
  app.add_option("--log-level", arguments.log_level, "trace, debug, info, warn, error or off (default info)");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    fmt::print(stderr, "barnabas-broker: {} (see --help)\n", error.what());
    return 1;
  }
  return std::nullopt;
}

Result<void> apply_overrides(const Arguments& arguments, runtime::Properties& properties) {
  for (const std::string& text : arguments.overrides) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      return failure(Errc::invalid_config, fmt::format("--override {} is not name=value", text));
    }
    properties[text.substr(0, equals)] = text.substr(equals + 1);
  }
  if (!arguments.data_directory.empty()) properties["log.dirs"] = arguments.data_directory;
  return {};
}

/// File, then --port and --data-dir, then --override: the later goes before the earlier.
Result<config::BrokerConfig> configuration(const Arguments& arguments, runtime::Files& files) {
  runtime::Properties properties = config::BrokerConfig::without_configuration();
  if (!arguments.config_file.empty()) {
    Result<Bytes> text = files.read(arguments.config_file);
    if (!text) return failure(std::move(text.error()));
    Result<runtime::Properties> parsed = runtime::parse_properties(as_text(*text));
    if (!parsed) return failure(parsed.error().code, arguments.config_file + ": " + parsed.error().subject);
    properties = std::move(*parsed);
  }
  if (arguments.port >= 0) properties["listeners"] = fmt::format("PLAINTEXT://:{}", arguments.port);
  if (Result<void> applied = apply_overrides(arguments, properties); !applied) return failure(applied.error());
  return config::BrokerConfig::parse(properties);
}

int fail(const Failure& why) {
  fmt::print(stderr, "barnabas-broker: {}\n", why.subject.empty() ? why.message() : why.subject);
  return 1;
}

/// SIGINT or SIGTERM from the moment this is made, or a failure that the process must end for.
class StopSignal {
 public:
  explicit StopSignal(runtime::Env& env) : signal_(env.make_signal()), reactor_(env.make_reactor("broker-signals")) {
    asio::co_spawn(reactor_->executor(), runtime::wait_for_stop_signal(reactor_->executor()),
                   [this](std::exception_ptr, Result<int>) { signal_->notify([this] { came_ = true; }); });
  }
  /// Nothing when it was a signal.
  std::optional<Failure> wait() {
    signal_->wait_until(runtime::MonotonicTime::max(), [this] { return came_; });
    return fatal_;
  }
  void fail(const Failure& why) {
    signal_->notify([&] {
      came_ = true;
      fatal_ = why;
    });
  }

 private:
  const std::unique_ptr<runtime::Signal> signal_;
  bool came_ = false;             // signal_'s lock
  std::optional<Failure> fatal_;  // signal_'s lock
  const std::unique_ptr<runtime::Reactor> reactor_;
};

int run(const Arguments& arguments) {
  runtime::Env& env = runtime::system_env();
  const Result<runtime::LogLevel> level = runtime::parse_log_level(arguments.log_level);
  if (!level) return fail(level.error());
  Result<config::BrokerConfig> config = configuration(arguments, env.files());
  if (!config) return fail(config.error());
  StopSignal stop_signal(env);
  BrokerOptions options;
  options.logger = runtime::Logger("broker", *level);
  options.reactors = runtime::processor_count();
  options.on_fatal = [&stop_signal](const Failure& why) { stop_signal.fail(why); };
  Result<std::unique_ptr<Broker>> broker =
      Broker::start(env, net::tcp_network(), std::move(*config), std::move(options));
  if (!broker) return fail(broker.error());
  fmt::print("barnabas-broker {} cluster {} data {}\n", kVersion, (*broker)->cluster_id(), (*broker)->data_directory());
  fmt::print("listening on {}\n", (*broker)->listening_on());
  std::fflush(stdout);
  const std::optional<Failure> fatal = stop_signal.wait();
  const Result<void> stopped = (*broker)->stop();
  if (fatal) return fail(*fatal);
  return stopped ? 0 : fail(stopped.error());
}

}  // namespace
}  // namespace barnabas::broker

int main(int argc, char** argv) {
  barnabas::broker::Arguments arguments;
  if (const std::optional<int> done = barnabas::broker::parse(argc, argv, arguments)) return *done;
  return barnabas::broker::run(arguments);
}
