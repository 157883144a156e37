#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

namespace barnabas::testing {

/// A program that a test starts; killed when the test ends without having stopped it.
class ChildProcess {
 public:
  /// `command[0]` is the program's path. Standard output and error go to a file of its own, which output() reads.
  explicit ChildProcess(std::vector<std::string> command);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// Waits until the output holds `text`; false when the program ended or 20 s passed first.
  bool wait_for_output(const std::string& text);
  std::string output() const;
  void signal(int number);
  /// Waits for the end; the exit code, or 128 + the signal that ended it.
  int wait();
  pid_t pid() const { return pid_; }

 private:
  bool has_ended();

  std::string log_path_;
  pid_t pid_ = -1;
  int status_ = 0;
  bool ended_ = false;
};

}  // namespace barnabas::testing
