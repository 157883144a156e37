#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

// docs/guarantees.md names the tests that keep each promise: they must be there.
namespace barnabas::promises {
namespace {

std::string text_of(const std::filesystem::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// "Suite.test" of all tests in the tree.
std::set<std::string> tests_of_the_tree() {
  static const std::regex kTest(R"(\bTEST(?:_F|_P)?\((\w+),\s*(\w+)\))");
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(BARNABAS_SOURCE_DIR "/tests")) {
    if (entry.path().extension() != ".cc") continue;
    const std::string text = text_of(entry.path());
    for (std::sregex_iterator at(text.begin(), text.end(), kTest), end; at != end; ++at) {
      names.insert((*at)[1].str() + '.' + (*at)[2].str());
    }
  }
  return names;
}

TEST(Guarantees, names_tests_that_exist) {
  static const std::regex kName(R"(`(\w+\.\w+_\w+)`)");
  const std::string page = text_of(BARNABAS_SOURCE_DIR "/docs/guarantees.md");
  const std::set<std::string> tests = tests_of_the_tree();
  std::size_t named = 0;
  for (std::sregex_iterator at(page.begin(), page.end(), kName), end; at != end; ++at, ++named) {
    EXPECT_TRUE(tests.contains((*at)[1].str())) << (*at)[1].str() << " is named by the page and is no test";
  }
  EXPECT_GT(named, 50U);
}

}  // namespace
}  // namespace barnabas::promises
