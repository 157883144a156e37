#include "broker/api/protocol_page.h"

#include <gtest/gtest.h>

#include "client/core/api_usage.h"
#include "tests/support/generated_page.h"

namespace barnabas::broker {
namespace {

TEST(ProtocolPage, page_is_current) {
  std::vector<ApiRange> client;
  for (const client::ApiUsage& usage : client::api_usage()) {
    client.push_back({usage.api, usage.versions.min, usage.versions.max});
  }
  const std::string page = protocol_page(client);
  testing::expect_page_is_current("protocol.md", page);
}

}  // namespace
}  // namespace barnabas::broker
