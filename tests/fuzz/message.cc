#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "common/bytes/reader.h"
#include "common/bytes/writer.h"
#include "common/protocol/message_registry.h"
#include "tests/fuzz/targets.h"

namespace barnabas::fuzz {
namespace {

/// What was accepted must be written, read again, and then be written the same.
void check(const protocol::MessageInfo& info, std::int16_t version, BytesView bytes) {
  Reader in(bytes);
  Writer first;
  nlohmann::json json;
  const Result<void> read = info.recode(in, version, &first, &json);
  if (!read) {
    if (read.error().code != Errc::corrupt_data) std::abort();
    return;
  }
  Reader again(first.view());
  Writer second;
  if (!info.recode(again, version, &second, nullptr) || again.remaining() != 0) std::abort();
  if (!std::ranges::equal(first.view(), second.view())) std::abort();
}

}  // namespace

void message(BytesView input) {
  Reader in(input);
  const auto all = protocol::all_messages();
  const protocol::MessageInfo& info = all[in.uint16() % all.size()];
  const int versions = info.max_version - info.min_version + 1;
  const int offset = static_cast<std::uint8_t>(in.int8()) % versions;
  check(info, static_cast<std::int16_t>(info.min_version + offset), in.bytes(in.remaining()));
}

}  // namespace barnabas::fuzz
