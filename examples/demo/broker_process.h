#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace demo {

/// `barnabas-broker` as a process of its own, on a free port and an empty temporary directory that goes away with it.
class BrokerProcess {
 public:
  /// `binary`: the path of barnabas-broker. Throws with the broker's own words when it does not start.
  explicit BrokerProcess(const std::string& binary);
  ~BrokerProcess();
  BrokerProcess(const BrokerProcess&) = delete;
  BrokerProcess& operator=(const BrokerProcess&) = delete;

  const std::string& bootstrap_servers() const { return bootstrap_; }
  const std::string& directory() const { return directory_; }

  /// What it has used since its start.
  double cpu_seconds() const;
  /// SIGTERM; true when it ended with exit(0).
  bool stop();

 private:
  void start(const std::string& binary);
  std::string await_address(const std::string& log_path);

  std::string directory_;
  std::string bootstrap_;
  pid_t pid_ = -1;
};

}  // namespace demo
