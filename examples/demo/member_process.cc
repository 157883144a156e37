#include "examples/demo/member_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <stdexcept>

extern char** environ;

namespace demo {

MemberProcess::MemberProcess(const std::string& bootstrap_servers, double records_per_second) {
  start({"/proc/self/exe", "--member-of", bootstrap_servers, "--pace", std::to_string(records_per_second)});
}

MemberProcess::~MemberProcess() {
  if (pid_ > 0) {
    signal(SIGKILL);
    ended_well();
  }
  if (pipe_ >= 0) close(pipe_);
}

void MemberProcess::start(std::vector<std::string> words) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("cannot make a pipe");
  pipe_ = ends[0];
  fcntl(pipe_, F_SETFL, O_NONBLOCK);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  const int status = posix_spawn(&pid_, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (status == 0) return;
  pid_ = -1;
  close(pipe_);
  throw std::runtime_error("cannot start a member");
}

std::vector<MemberEvent> MemberProcess::read() {
  std::array<char, 1 << 16> chunk;
  while (pipe_ >= 0) {
    const ssize_t got = ::read(pipe_, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) break;
    if (got > 0) {
      unread_.append(chunk.data(), static_cast<std::size_t>(got));
      continue;
    }
    close(pipe_);
    pipe_ = -1;
  }
  std::vector<MemberEvent> events(unread_.size() / sizeof(MemberEvent));
  const std::size_t whole = events.size() * sizeof(MemberEvent);
  if (whole > 0) std::memcpy(events.data(), unread_.data(), whole);
  unread_.erase(0, whole);
  return events;
}

void MemberProcess::signal(int number) {
  if (pid_ > 0) kill(pid_, number);
}

bool MemberProcess::ended_well() {
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace demo
