#include "examples/demo/broker_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <stdexcept>
#include <thread>

#include "examples/demo/member.h"

extern char** environ;

namespace demo {
namespace {

constexpr std::chrono::seconds kStartTimeout{20};

std::string make_directory() {
  std::string pattern = (std::filesystem::temp_directory_path() / "barnabas-demo-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a temporary directory like " + pattern);
  return pattern;
}

}  // namespace

BrokerProcess::BrokerProcess(const std::string& binary) : directory_(make_directory()) {
  try {
    start(binary);
  } catch (...) {
    std::filesystem::remove_all(directory_);
    throw;
  }
}

BrokerProcess::~BrokerProcess() {
  if (pid_ > 0) stop();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

void BrokerProcess::start(const std::string& binary) {
  const std::string log_path = directory_ + "/broker.log";
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log_path.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  std::array<std::string, 7> words{binary,
                                   "--data-dir",
                                   directory_ + "/data",
                                   "--override",
                                   "listeners=PLAINTEXT://127.0.0.1:0",
                                   "--override",
                                   "group.min.session.timeout.ms=" + std::to_string(kSessionTimeoutMs)};
  std::array<char*, words.size() + 1> arguments{};
  for (std::size_t i = 0; i < words.size(); ++i) arguments[i] = words[i].data();
  const int status = posix_spawn(&pid_, binary.c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (status != 0) {
    pid_ = -1;
    throw std::runtime_error("cannot start " + binary);
  }
  bootstrap_ = await_address(log_path);
}

std::string BrokerProcess::await_address(const std::string& log_path) {
  static const std::regex address(R"((127\.0\.0\.1:[1-9]\d*)[^\n]*\n)");
  const auto deadline = std::chrono::steady_clock::now() + kStartTimeout;
  std::string text;
  while (std::chrono::steady_clock::now() < deadline) {
    std::ifstream log(log_path);
    text.assign(std::istreambuf_iterator<char>(log), {});
    std::smatch found;
    if (std::regex_search(text, found, address)) return found[1].str();
    if (waitpid(pid_, nullptr, WNOHANG) == pid_) {
      pid_ = -1;
      break;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  if (pid_ > 0) stop();
  throw std::runtime_error("the broker did not start: " + text);
}

double BrokerProcess::cpu_seconds() const {
  clockid_t clock{};
  timespec used{};
  if (clock_getcpuclockid(pid_, &clock) != 0 || clock_gettime(clock, &used) != 0) return 0;
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

bool BrokerProcess::stop() {
  kill(pid_, SIGTERM);
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace demo
