#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace barnabas {
inline namespace v0 {

/// The real broker inside this process, for tests and examples: on a free port of 127.0.0.1 and, unless told otherwise,
/// in a temporary directory that goes away with it. It speaks to any Kafka client. Errors: the constructor and start()
/// throw std::system_error that says what is wrong (a port in use, an unknown setting). Threads: one owner; clients
/// come from anywhere.  Cost: starts in a few milliseconds.
class __attribute__((visibility("default"))) EmbeddedBroker {
 public:
  struct Options {
    std::map<std::string, std::string>
        config;                  ///< As in server.properties; `listeners` is a free port of 127.0.0.1 if not said.
    std::string data_directory;  ///< Kept, and used again when it has data. Empty: a temporary one.
    bool log_to_stderr = false;  ///< Warnings and errors go there in any case.
  };

  EmbeddedBroker();
  explicit EmbeddedBroker(Options options);
  ~EmbeddedBroker();
  EmbeddedBroker(const EmbeddedBroker&) = delete;
  EmbeddedBroker& operator=(const EmbeddedBroker&) = delete;

  /// "127.0.0.1:PORT", for a client's bootstrap.servers.
  std::string bootstrap_servers() const;
  std::uint16_t port() const;
  const std::string& data_directory() const;

  /// A clean stop; the data stays until the destructor. Does nothing when it is stopped.
  void stop();
  /// Starts again on the same data and the same port. Does nothing when it runs.
  void start();

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace v0
}  // namespace barnabas
