#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "common/runtime/temporary_directory.h"
#include "tests/support/child_process.h"

namespace barnabas::testing {
namespace {

std::size_t count_of(const std::string& what, const std::string& text) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + what.size())) ++count;
  return count;
}

/// The figure behind `name` in a line of its own.
double figure_of(const std::string& name, const std::string& text) {
  const std::size_t at = text.find("\n" + name + " ");
  return at == std::string::npos ? -1 : std::stod(text.substr(at + 1 + name.size()));
}

TEST(Demo, loads_reads_back_and_survives_the_kill_of_a_member_with_the_same_sums) {
  const runtime::TemporaryDirectory directory;
  const std::string input = directory.path() + "/input";
  {
    std::ofstream out(input);
    for (int i = 0; i < 30'000; ++i) out << "line " << i << ", one of many that are each a record\n";
  }
  ChildProcess demo({std::string(BARNABAS_BINARY_DIR) + "/bin/barnabas-demo", "--input", input});
  const int exit_code = demo.wait();
  const std::string said = demo.output();
  ASSERT_EQ(exit_code, 0) << said;
  EXPECT_EQ(count_of("...  agrees\n", said), 12u) << "six partitions in each act: " << said;
  EXPECT_NE(said.find("member 3 (pid "), std::string::npos) << said;
  EXPECT_EQ(count_of(" member 3   member ", said), 2u) << "two partitions went to others: " << said;
  EXPECT_GE(figure_of("killed after, records", said), 15'000) << said;
  EXPECT_GT(figure_of("hand-over took, ms", said), 0) << said;
  EXPECT_GE(figure_of("processed twice, records", said), 0) << said;
}

TEST(Demo, says_so_when_the_broker_does_not_start) {
  const std::string program = std::string(BARNABAS_BINARY_DIR) + "/bin/barnabas-demo";
  ChildProcess demo({program, "--input", "/proc/self/status", "--broker", "/bin/false"});
  EXPECT_EQ(demo.wait(), 1);
  EXPECT_NE(demo.output().find("the broker did not start"), std::string::npos) << demo.output();
}

}  // namespace
}  // namespace barnabas::testing
