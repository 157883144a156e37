#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "broker/coordinator/coordinator_runtime.h"
#include "tests/support/golden.h"

namespace barnabas::coordinator {
namespace {

TEST(PartitionOf, is_kafkas_for_every_golden_group_id) {
  std::size_t checked = 0;
  for (const nlohmann::json& line : testing::golden_lines("primitives.jsonl")) {
    if (line["kind"] != "coordinatorPartition") continue;
    const std::string id = line["id"];
    EXPECT_EQ(partition_of(id, 50), line["consumerOffsets50"].get<int>()) << id;
    EXPECT_EQ(partition_of(id, 7), line["mod7"].get<int>()) << id;
    ++checked;
  }
  EXPECT_GT(checked, 0U);
}

}  // namespace
}  // namespace barnabas::coordinator
