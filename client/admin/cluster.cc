// DescribeCluster, and which APIs each broker serves.
#include "client/admin/admin_call.h"
#include "common/protocol/messages/describe_cluster.h"

namespace barnabas::client {

using protocol::DescribeClusterRequest;
using protocol::DescribeClusterResponse;

asio::awaitable<Result<ClusterDescription>> describe_cluster(AdminPtr admin, AdminTimeout timeout) {
  const auto deadline = admin->deadline_in(timeout);
  std::function<DescribeClusterRequest(std::int16_t)> build = [](std::int16_t) { return DescribeClusterRequest{}; };
  const auto reply = co_await ask<DescribeClusterResponse>(admin, Target{}, build, deadline);
  if (!reply) co_return failure(reply.error());
  if (reply->body.error_code != 0) {
    co_return failure(
        broker_failure(reply->body.error_code, "DescribeCluster: " + reply->body.error_message.value_or("")));
  }
  ClusterDescription cluster;
  cluster.cluster_id = reply->body.cluster_id;
  cluster.controller_id = reply->body.controller_id;
  for (const auto& broker : reply->body.brokers) {
    cluster.brokers.push_back({broker.broker_id, broker.host, static_cast<std::uint16_t>(broker.port), broker.rack});
  }
  std::sort(cluster.brokers.begin(), cluster.brokers.end(), [](const Node& a, const Node& b) { return a.id < b.id; });
  co_return cluster;
}

asio::awaitable<Result<std::vector<BrokerApiVersions>>> api_versions(AdminPtr admin, AdminTimeout timeout) {
  const auto deadline = admin->deadline_in(timeout);
  const auto snapshot = co_await admin->router().refresh_metadata(deadline);
  if (!snapshot) co_return failure(snapshot.error());
  const std::shared_ptr<const ClusterSnapshot> cluster = *snapshot;
  std::vector<BrokerApiVersions> all;
  for (const auto& [id, node] : cluster->brokers) {
    auto& broker = all.emplace_back();
    broker.broker_id = id;
    const auto connection =
        co_await connect_to(admin, Target{Target::Kind::broker, id}, admin->router().within_request_timeout(deadline));
    if (!connection) {
      broker.error = {connection.error().code, connection.error().subject};
      continue;
    }
    for (const auto& [key, range] : (*connection)->versions().ranges()) {
      const auto* known = protocol::find_api(key);
      const std::string name = known != nullptr ? std::string(known->name) : "ApiKey(" + std::to_string(key) + ")";
      broker.apis.push_back({key, name, range.min, range.max});
    }
  }
  co_return all;
}

}  // namespace barnabas::client
