#pragma once

#include <span>
#include <string_view>

#include "common/bytes/bytes.h"

/// What is fuzzed. Each takes any bytes, and ends the process where a promise does not hold: the fuzzer's programs
/// (fuzzer_main.cc) and the test that replays the corpus (corpus_test.cc) call the same functions.
namespace barnabas::fuzz {

/// One message of any kind, as seeds.cc writes them: which (two bytes), its version (one), then the message.
void message(BytesView input);
/// What a broker reads off a connection: frames behind each other. The first byte says in what pieces they arrive.
void frame(BytesView input);
/// Bytes as a Produce request or a Fetch response carries them: batches behind each other.
void records(BytesView input);
/// A data directory: a byte for how it was shut down, then files, each its kind (a byte, log_files.h), length (uint16)
/// and bytes.
void log_files(BytesView input);
/// What befalls a group coordinator: requests, records of its log, time (groups.h).
void groups(BytesView input);
/// A server.properties.
void properties(BytesView input);

struct Target {
  std::string_view name;  ///< Of its program (fuzz_<name>) and of its folder in corpus/.
  void (*run)(BytesView input);
};

inline constexpr Target kTargets[] = {
    {"message", message},     {"frame", frame},   {"records", records},
    {"log_files", log_files}, {"groups", groups}, {"properties", properties},
};

}  // namespace barnabas::fuzz
