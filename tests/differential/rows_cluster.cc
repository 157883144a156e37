// ApiVersions and DescribeCluster.
#include "common/protocol/messages/api_versions.h"
#include "common/protocol/messages/describe_cluster.h"
#include "tests/differential/row.h"

namespace barnabas::differential {
namespace {

using protocol::ApiVersionsRequest;
using protocol::DescribeClusterRequest;

ApiVersionsRequest software(std::string name, std::string version) {
  ApiVersionsRequest request;
  request.client_software_name = std::move(name);
  request.client_software_version = std::move(version);
  return request;
}

void add_software(Rows& rows, const std::string& what, const std::string& name, const std::string& version) {
  single(rows, what, {3}, [=](const Scene&, std::int16_t) { return software(name, version); });
}

DescribeClusterRequest cluster(bool operations, std::int8_t endpoint_type, bool fenced) {
  DescribeClusterRequest request;
  request.include_cluster_authorized_operations = operations;
  request.endpoint_type = endpoint_type;
  request.include_fenced_brokers = fenced;
  return request;
}

}  // namespace

void add_cluster_rows(Rows& rows) {
  single(rows, "plain", {}, [](const Scene&, std::int16_t version) {
    return version >= 3 ? software("apache-kafka-java", "4.3.1") : ApiVersionsRequest();
  });
  add_software(rows, "without_software_name", "", "1");
  add_software(rows, "without_software_version", "a", "");
  add_software(rows, "software_name_with_a_blank", "a b", "1");
  add_software(rows, "software_name_that_starts_with_a_dash", "-a", "1");
  add_software(rows, "software_version_that_ends_with_a_dot", "a", "1.");
  add_software(rows, "software_name_with_umlaut", "gr\xc3\xbc\xc3\x9f", "1");
  add_software(rows, "software_name_of_one_letter", "a", "1");
  add_software(rows, "software_name_with_dots_and_dashes", "a.-b", "1.0-rc.1");

  single(rows, "plain", {}, [](const Scene&, std::int16_t) { return cluster(false, 1, false); });
  single(rows, "with_operations", {}, [](const Scene&, std::int16_t) { return cluster(true, 1, false); });
  single(rows, "of_controllers", {1}, [](const Scene&, std::int16_t) { return cluster(false, 2, false); });
  single(rows, "of_endpoint_type_0", {1}, [](const Scene&, std::int16_t) { return cluster(false, 0, false); });
  single(rows, "of_endpoint_type_3", {1}, [](const Scene&, std::int16_t) { return cluster(false, 3, false); });
  single(rows, "of_endpoint_type_minus_1", {1}, [](const Scene&, std::int16_t) { return cluster(false, -1, false); });
  single(rows, "with_fenced_brokers", {2}, [](const Scene&, std::int16_t) { return cluster(false, 1, true); });
}

}  // namespace barnabas::differential
