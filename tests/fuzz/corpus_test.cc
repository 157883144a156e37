#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/fuzz/targets.h"

namespace barnabas::fuzz {
namespace {

struct Input {
  std::string name;
  Bytes bytes;
};

/// Sorted by name: the test runs the same everywhere.
std::vector<Input> corpus_of(std::string_view target) {
  std::vector<Input> inputs;
  const std::filesystem::path folder = std::filesystem::path(BARNABAS_SOURCE_DIR) / "tests/fuzz/corpus" / target;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    const BytesView bytes = as_bytes(text);
    inputs.push_back({entry.path().filename().string(), Bytes(bytes.begin(), bytes.end())});
  }
  std::ranges::sort(inputs, {}, &Input::name);
  return inputs;
}

class Corpus : public ::testing::TestWithParam<Target> {};

// What does not hold ends the process (the targets abort): the last trace names the input.
TEST_P(Corpus, replays_without_a_broken_promise) {
  const auto inputs = corpus_of(GetParam().name);
  ASSERT_GE(inputs.size(), 5U);
  for (const Input& input : inputs) {
    RecordProperty("input", input.name);
    GetParam().run(input.bytes);
  }
}

TEST_P(Corpus, replays_cut_short_and_with_flipped_bits) {
  constexpr std::size_t kSteps = 24;
  for (const Input& input : corpus_of(GetParam().name)) {
    const std::size_t step = std::max<std::size_t>(1, input.bytes.size() / kSteps);
    for (std::size_t at = 0; at < input.bytes.size(); at += step) {
      GetParam().run(BytesView(input.bytes).first(at));
      Bytes flipped = input.bytes;
      flipped[at] ^= static_cast<std::byte>(1U << (at % 8));
      GetParam().run(flipped);
    }
  }
}

std::string name_of(const ::testing::TestParamInfo<Target>& info) {
  return std::string(info.param.name);
}

INSTANTIATE_TEST_SUITE_P(Fuzz, Corpus, ::testing::ValuesIn(kTargets), name_of);

}  // namespace
}  // namespace barnabas::fuzz
