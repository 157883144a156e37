#include <cstdint>

#include "tests/fuzz/targets.h"

/// What libFuzzer calls; BARNABAS_FUZZ_TARGET is one of targets.h.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  barnabas::fuzz::BARNABAS_FUZZ_TARGET(barnabas::BytesView(reinterpret_cast<const std::byte*>(data), size));
  return 0;
}
