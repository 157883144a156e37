#include "tests/client/cli/command_fixture.h"

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <sstream>

namespace barnabas::cli {

Outcome CommandTest::run(const std::string& arguments, const std::string& input) const {
  const std::string in = directory.path() + "/in";
  const std::string err = directory.path() + "/err";
  std::ofstream(in) << input;
  const std::string command = std::string(BARNABAS_COMMAND) + " " + arguments + " < " + in + " 2> " + err;
  Outcome outcome;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return outcome;
  std::array<char, 4096> buffer{};
  for (std::size_t got = 0; (got = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    outcome.out.append(buffer.data(), got);
  const int status = pclose(pipe);
  outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  std::stringstream text;
  text << std::ifstream(err).rdbuf();
  outcome.err = text.str();
  return outcome;
}

}  // namespace barnabas::cli
