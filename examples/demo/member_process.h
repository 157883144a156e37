#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "examples/demo/member.h"

namespace demo {

/// This program once more, as a member of the group.
class MemberProcess {
 public:
  MemberProcess(const std::string& bootstrap_servers, double records_per_second);
  ~MemberProcess();
  MemberProcess(const MemberProcess&) = delete;
  MemberProcess& operator=(const MemberProcess&) = delete;

  pid_t pid() const { return pid_; }
  /// To wait for with poll(2); -1 when all has been read that it will ever say.
  int descriptor() const { return pipe_; }
  /// What it has told since the last call, without waiting. A message that its death cut short is left out.
  std::vector<MemberEvent> read();
  void signal(int number);
  /// Waits for its end; true when that was exit(0).
  bool ended_well();

 private:
  void start(std::vector<std::string> words);

  std::string unread_;
  int pipe_ = -1;
  pid_t pid_ = -1;
};

}  // namespace demo
