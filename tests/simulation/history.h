#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace barnabas::simulation {

/// What the application learnt of one record that it gave to the producer.
enum class Fate {
  unknown,       ///< The callback never came: a defect by itself.
  acknowledged,  ///< Stored, said the broker.
  failed         ///< An error: it may be stored or not, but not twice.
};

/// One record of the application. Numbers are given in the order of sending.
struct Sent {
  std::int32_t partition = 0;
  std::string value;
  Fate fate = Fate::unknown;
  std::int64_t offset = -1;  ///< As acknowledged; -1: not told.
  std::string error;
  int callbacks = 0;
};

/// One record as a consumer saw it.
struct Seen {
  std::int64_t offset = 0;
  std::string value;
};

using Log = std::vector<Seen>;  // of one partition, in the order of reading

/// All that can be observed of a run from outside.
struct History {
  std::vector<Sent> sent;
  std::map<std::int32_t, Log> followed;  ///< What the consumer read that was there all the time.
  std::map<std::int32_t, Log> audited;   ///< What a new consumer read at the end.
};

/// What was promised, where the settings make it so.
struct Promises {
  bool exactly_once = true;  ///< Idempotence: never twice. Without it: acknowledged at least once.
  bool ordered = true;       ///< As sent, per partition.
};

/// The violations, each one sentence; empty: all is well. A record is named by its number in `sent`.
std::vector<std::string> check(const History& history, const Promises& promises);

}  // namespace barnabas::simulation
