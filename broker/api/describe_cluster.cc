// DescribeCluster: v1 brokers or controllers can be asked for; v2 fenced brokers too.
#include <utility>

#include "broker/api/authorized_operations.h"
#include "broker/api/handlers.h"
#include "broker/metadata/controller_client.h"
#include "common/protocol/errors.h"

namespace barnabas::broker {
namespace {

using protocol::DescribeClusterRequest;
using protocol::DescribeClusterResponse;
using protocol::ErrorCode;

constexpr std::int8_t kBrokers = 1;
constexpr std::int8_t kControllers = 2;

DescribeClusterResponse refusal(std::int8_t endpoint_type) {
  const bool is_known = endpoint_type == kControllers;
  DescribeClusterResponse response;
  response.error_code =
      static_cast<std::int16_t>(is_known ? ErrorCode::mismatched_endpoint_type : ErrorCode::unsupported_endpoint_type);
  response.error_message =
      is_known ? "The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER"
               : "Unsupported endpoint type " + std::to_string(static_cast<int>(endpoint_type));
  return response;
}

}  // namespace

asio::awaitable<DescribeClusterResponse> handle_describe_cluster(RequestContext& context,
                                                                 DescribeClusterRequest request) {
  if (request.endpoint_type != kBrokers) co_return refusal(request.endpoint_type);
  DescribeClusterResponse response;
  response.cluster_id = context.broker().cluster_id;
  response.controller_id = context.broker().node_id;
  const metadata::ImagePtr image = context.broker().controller->image();
  for (const auto& [id, broker] : image->brokers()) {
    const bool is_self = id == context.broker().node_id;
    const metadata::Endpoint* endpoint = broker.endpoint(context.listener().name);
    if (!is_self && (endpoint == nullptr || (broker.fenced && !request.include_fenced_brokers))) continue;
    DescribeClusterResponse::DescribeClusterBroker answer;
    answer.broker_id = id;
    answer.host = is_self ? context.listener().advertised_host : endpoint->host;
    answer.port = is_self ? context.listener().advertised_port : endpoint->port;
    answer.rack = broker.rack;
    answer.is_fenced = !is_self && broker.fenced;
    response.brokers.push_back(std::move(answer));
  }
  if (request.include_cluster_authorized_operations) {
    response.cluster_authorized_operations = authorized_operations(context, ResourceType::cluster, "kafka-cluster");
  }
  co_return response;
}

}  // namespace barnabas::broker
