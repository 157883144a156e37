#include "broker/api/protocol_page.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "client/core/api_usage.h"

namespace barnabas::broker {
namespace {

TEST(ProtocolPage, is_what_the_tables_in_the_code_say) {
  std::vector<ApiRange> client;
  for (const client::ApiUsage& usage : client::api_usage()) {
    client.push_back({usage.api, usage.versions.min, usage.versions.max});
  }
  const std::string page = protocol_page(client);
  const std::string path = std::string(BARNABAS_SOURCE_DIR) + "/docs/protocol.md";
  if (std::getenv("BARNABAS_WRITE_DOCS") != nullptr) std::ofstream(path) << page;
  std::ifstream in(path);
  const std::string written{std::istreambuf_iterator<char>(in), {}};
  EXPECT_EQ(written, page) << "BARNABAS_WRITE_DOCS=1 writes it anew";
}

}  // namespace
}  // namespace barnabas::broker
