#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

namespace barnabas::testing {

/// Expects that docs/`file` holds `page`, which the code says; with BARNABAS_WRITE_DOCS set it is written instead.
/// Tests that call this are named ..._page_is_current, so that all pages can be written at once (docs/contributing.md).
inline void expect_page_is_current(const std::string& file, const std::string& page) {
  const std::string path = std::string(BARNABAS_SOURCE_DIR) + "/docs/" + file;
  if (std::getenv("BARNABAS_WRITE_DOCS") != nullptr) std::ofstream(path) << page;
  std::ifstream in(path);
  const std::string written{std::istreambuf_iterator<char>(in), {}};
  EXPECT_TRUE(written == page) << path << " is out of date: run this test with BARNABAS_WRITE_DOCS=1";
}

}  // namespace barnabas::testing
