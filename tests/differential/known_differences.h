#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace barnabas::differential {

/// A difference between Apache Kafka and our broker that stays.
struct KnownDifference {
  std::string_view rows;  ///< Names of rows; * stands for any text.
  std::string_view path;  ///< Where in the outcomes, as a JSON pointer; * stands for any text.
  std::string_view why;
  std::string_view kafka = "*";  ///< What each says there, as JSON; "(nothing)" where the field is missing.
  std::string_view ours = "*";
};

/// What `tests/golden/logdir/wire.jsonl` shows otherwise than our broker; `rows` are "API_number of the request".
std::span<const KnownDifference> known_replay_differences();

/// The list. An entry that no row shows any more fails the test.
std::span<const KnownDifference> known_differences();

/// Whether the text is the pattern, where * stands for any text.
bool matches(std::string_view pattern, std::string_view text);

/// The places where two outcomes differ, one line each: "path: kafka's | ours".
struct Difference {
  std::string path;
  std::string kafka;
  std::string ours;
};
std::vector<Difference> differences(const nlohmann::json& kafka, const nlohmann::json& ours);

}  // namespace barnabas::differential
