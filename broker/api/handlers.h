#pragma once

#include <asio/awaitable.hpp>

#include "broker/server/request_context.h"
#include "common/protocol/messages/api_versions.h"
#include "common/protocol/messages/create_topics.h"
#include "common/protocol/messages/delete_topics.h"
#include "common/protocol/messages/describe_cluster.h"
#include "common/protocol/messages/describe_configs.h"
#include "common/protocol/messages/fetch.h"
#include "common/protocol/messages/init_producer_id.h"
#include "common/protocol/messages/list_offsets.h"
#include "common/protocol/messages/metadata.h"
#include "common/protocol/messages/offset_for_leader_epoch.h"
#include "common/protocol/messages/produce.h"

/// The handlers, one file each: <stem>.cc. A handler gets a decoded request whose records are views into the frame, and
/// returns the answer; what an API asks of the connection beyond that (no answer, close, wait) it says through the
/// context. Threads: the connection's executor.
namespace barnabas::broker {

asio::awaitable<protocol::ApiVersionsResponse> handle_api_versions(RequestContext& context,
                                                                   protocol::ApiVersionsRequest request);
asio::awaitable<protocol::CreateTopicsResponse> handle_create_topics(RequestContext& context,
                                                                     protocol::CreateTopicsRequest request);
asio::awaitable<protocol::DeleteTopicsResponse> handle_delete_topics(RequestContext& context,
                                                                     protocol::DeleteTopicsRequest request);
asio::awaitable<protocol::DescribeClusterResponse> handle_describe_cluster(RequestContext& context,
                                                                           protocol::DescribeClusterRequest request);
asio::awaitable<protocol::DescribeConfigsResponse> handle_describe_configs(RequestContext& context,
                                                                           protocol::DescribeConfigsRequest request);
asio::awaitable<protocol::FetchResponse> handle_fetch(RequestContext& context, protocol::FetchRequest request);
asio::awaitable<protocol::InitProducerIdResponse> handle_init_producer_id(RequestContext& context,
                                                                          protocol::InitProducerIdRequest request);
asio::awaitable<protocol::ListOffsetsResponse> handle_list_offsets(RequestContext& context,
                                                                   protocol::ListOffsetsRequest request);
asio::awaitable<protocol::MetadataResponse> handle_metadata(RequestContext& context, protocol::MetadataRequest request);
asio::awaitable<protocol::OffsetForLeaderEpochResponse> handle_offset_for_leader_epoch(
    RequestContext& context, protocol::OffsetForLeaderEpochRequest request);
asio::awaitable<protocol::ProduceResponse> handle_produce(RequestContext& context, protocol::ProduceRequest request);

}  // namespace barnabas::broker
