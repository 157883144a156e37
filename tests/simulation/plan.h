#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "common/runtime/clock.h"
#include "tests/simulation/history.h"

namespace barnabas::simulation {

/// The plan's own randomness; the run's is the VirtualEnv's.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  /// Uniform in [low, high].
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(high - low + 1));
  }
  bool one_in(std::int64_t count) { return between(1, count) == 1; }
  template <typename T>
  const T& pick(const std::vector<T>& choices) {
    return choices[static_cast<std::size_t>(between(0, static_cast<std::int64_t>(choices.size()) - 1))];
  }

 private:
  std::mt19937_64 engine_;
};

enum class FaultKind {
  cut_one,       ///< One connection breaks.
  cut_all,       ///< All do.
  cut_writes,    ///< For a while one write in `amount` breaks its connection halfway.
  refuse,        ///< For a while nobody gets a new connection.
  stall,         ///< For a while nothing arrives.
  slow,          ///< For a while bytes take up to `amount` milliseconds.
  pause,         ///< For a while the broker stands still.
  kill,          ///< The broker dies now, and is back after a while.
  kill_writing,  ///< It dies within its `amount`th change to the files, and is back after a while.
  power_loss,    ///< As kill_writing, and what was not synced is gone. Only where all is synced before it is
                 ///< acknowledged.
  restart,       ///< It is stopped in good order, and is back after a while.
  disk_full      ///< For a while there is room for `amount` more bytes only.
};
const char* to_string(FaultKind kind);

struct Fault {
  FaultKind kind = FaultKind::cut_one;
  runtime::Duration at{};  ///< Since the start.
  runtime::Duration lasts{};
  std::uint64_t amount = 0;
};

/// All that a seed decides beforehand: settings, workload and faults.
struct Plan {
  std::uint64_t seed = 0;
  std::int32_t partitions = 1;
  std::map<std::string, std::string> broker;  ///< Beside what every broker here has.
  std::map<std::string, std::string> topic;
  std::map<std::string, std::string> producer;
  std::map<std::string, std::string> consumer;
  Promises promises;
  int bursts = 0;            ///< Of records, spread over the time.
  int records_in_burst = 1;  ///< At most.
  int value_bytes = 1;       ///< At most, beside the record's name.
  runtime::Duration length = std::chrono::minutes(10);
  std::vector<Fault> faults;  ///< By time.

  static Plan from(std::uint64_t seed);
  std::string to_string() const;
};

}  // namespace barnabas::simulation
