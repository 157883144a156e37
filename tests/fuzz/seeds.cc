#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "common/bytes/writer.h"
#include "common/protocol/message_registry.h"
#include "tests/support/golden.h"

namespace {

using namespace barnabas;

constexpr std::size_t kLargestSeedBytes = 4096;

void write_seed(const std::filesystem::path& folder, std::size_t number, BytesView bytes) {
  if (bytes.size() > kLargestSeedBytes) return;
  std::filesystem::create_directories(folder);
  std::ofstream out(folder / std::to_string(number), std::ios::binary);
  out.write(as_text(bytes).data(), static_cast<std::streamsize>(bytes.size()));
}

/// As fuzz_message.cc reads it: which message, which version, its bytes.
void message_seeds(const std::filesystem::path& folder) {
  const auto all = protocol::all_messages();
  std::size_t number = 0;
  for (const char* file : {"messages-requests.jsonl", "messages-responses.jsonl", "messages-other.jsonl"}) {
    for (const nlohmann::json& line : testing::golden_lines(file)) {
      const auto* info = protocol::find_message(line["message"].get<std::string>());
      if (info == nullptr) continue;
      Writer out;
      out.uint16(static_cast<std::uint16_t>(info - all.data()));
      out.int8(static_cast<std::int8_t>(line["version"].get<int>() - info->min_version));
      out.bytes(testing::from_base64(line["base64"].get<std::string>()));
      write_seed(folder, number++, out.view());
    }
  }
}

void request_seeds(const std::filesystem::path& folder) {
  std::size_t number = 0;
  for (const nlohmann::json& line : testing::golden_lines("frames.jsonl")) {
    if (line["type"] != "request") continue;
    const Bytes frame = testing::from_base64(line["base64"].get<std::string>());
    write_seed(folder, number++, BytesView(frame).subspan(sizeof(std::int32_t)));
  }
}

void record_seeds(const std::filesystem::path& folder) {
  std::size_t number = 0;
  for (const nlohmann::json& line : testing::golden_lines("records.jsonl")) {
    write_seed(folder, number++, testing::from_base64(line["base64"].get<std::string>()));
  }
}

}  // namespace

/// fuzz_seeds FOLDER: writes what Kafka wrote (tests/golden) as starting points, a folder for each target.
int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: fuzz_seeds FOLDER\n";
    return 1;
  }
  const std::filesystem::path folder = argv[1];
  message_seeds(folder / "message");
  request_seeds(folder / "request");
  record_seeds(folder / "records");
  return 0;
}
