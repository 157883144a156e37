#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "barnabas/config.h"

namespace CLI {
class App;
}

namespace barnabas::cli {

/// The command line asks for something that cannot be; what() is the line that the user sees.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// How to reach the cluster: what every command takes.
struct ClientOptions {
  std::string bootstrap_server = "localhost:9092";
  std::vector<std::string> properties;  ///< "name=value".

  void add_to(CLI::App& verb);
  /// bootstrap.servers and client.id, then `defaults`, then the user's properties, which win.
  /// Errors: throws UsageError for a property without '='.
  Config config(const Config& defaults = {}) const;
  /// config() for an Admin, which gives up sooner than Kafka's minute: somebody waits at the terminal.
  Config admin_config() const;
  /// Of admin_config() only what it takes to connect, which any kind of client knows.
  Config connection_config() const;
};

/// For options that count: what is wrong with the text, or nothing. (An unsigned number would take -1.)
std::string not_negative(const std::string& text);

/// "name=value" in its parts. Errors: throws UsageError that names the option.
std::pair<std::string, std::string> split_pair(const std::string& text, const std::string& option);

}  // namespace barnabas::cli
