#include "common/protocol/messages/describe_cluster.h"

#include <gtest/gtest.h>

#include "tests/broker/server/test_broker.h"

namespace barnabas::broker {
namespace {

using namespace barnabas::testing;
using protocol::DescribeClusterRequest;
using protocol::DescribeClusterResponse;
using protocol::ErrorCode;

TEST(DescribeCluster, tells_id_controller_and_brokers_in_every_version) {
  TestBroker broker(TestBroker::Settings{{"broker.rack", "r1"}});
  RawSocket socket = broker.connect();
  for (std::int16_t version = 0; version <= 2; ++version) {
    DescribeClusterRequest request;
    request.include_cluster_authorized_operations = true;
    const auto response = ask<DescribeClusterResponse>(socket, request, version);
    ASSERT_TRUE(response) << version;
    EXPECT_EQ(response->error_code, 0);
    EXPECT_EQ(response->cluster_id, broker->cluster_id());
    EXPECT_EQ(response->controller_id, 1);
    EXPECT_EQ(response->cluster_authorized_operations, 8096);
    ASSERT_EQ(response->brokers.size(), 1u);
    EXPECT_EQ(response->brokers[0].port, broker->port());
    EXPECT_EQ(response->brokers[0].rack, "r1");
    EXPECT_FALSE(response->brokers[0].is_fenced);
  }
}

TEST(DescribeCluster, refuses_to_speak_as_a_controller) {
  TestBroker broker;
  RawSocket socket = broker.connect();
  DescribeClusterRequest request;
  request.endpoint_type = 2;
  EXPECT_EQ(static_cast<ErrorCode>(ask<DescribeClusterResponse>(socket, request, 2)->error_code),
            ErrorCode::mismatched_endpoint_type);
  request.endpoint_type = 9;
  EXPECT_EQ(static_cast<ErrorCode>(ask<DescribeClusterResponse>(socket, request, 2)->error_code),
            ErrorCode::unsupported_endpoint_type);
}

}  // namespace
}  // namespace barnabas::broker
