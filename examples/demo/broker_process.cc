#include "examples/demo/broker_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <stdexcept>
#include <thread>

extern char** environ;

namespace demo {
namespace {

constexpr std::chrono::seconds kStartTimeout{20};

std::string make_directory() {
  std::string pattern = (std::filesystem::temp_directory_path() / "barnabas-demo-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a temporary directory like " + pattern);
  return pattern;
}

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
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
  std::array<std::string, 5> words{binary, "--data-dir", directory_ + "/data", "--override",
                                   "listeners=PLAINTEXT://127.0.0.1:0"};
  std::array<char*, 6> arguments{};
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

BrokerProcess::Ended BrokerProcess::stop() {
  const auto asked = std::chrono::steady_clock::now();
  kill(pid_, SIGTERM);
  int status = 0;
  rusage used{};
  wait4(pid_, &status, 0, &used);
  pid_ = -1;
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - asked;
  return {WIFEXITED(status) && WEXITSTATUS(status) == 0, seconds_of(used.ru_utime) + seconds_of(used.ru_stime),
          took.count()};
}

}  // namespace demo
