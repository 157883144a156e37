#pragma once

#include <asio/awaitable.hpp>

#include "broker/server/request_context.h"
#include "common/protocol/messages/api_versions.h"
#include "common/protocol/messages/create_topics.h"
#include "common/protocol/messages/delete_groups.h"
#include "common/protocol/messages/delete_topics.h"
#include "common/protocol/messages/describe_cluster.h"
#include "common/protocol/messages/describe_configs.h"
#include "common/protocol/messages/describe_groups.h"
#include "common/protocol/messages/fetch.h"
#include "common/protocol/messages/find_coordinator.h"
#include "common/protocol/messages/heartbeat.h"
#include "common/protocol/messages/init_producer_id.h"
#include "common/protocol/messages/join_group.h"
#include "common/protocol/messages/leave_group.h"
#include "common/protocol/messages/list_groups.h"
#include "common/protocol/messages/list_offsets.h"
#include "common/protocol/messages/metadata.h"
#include "common/protocol/messages/offset_commit.h"
#include "common/protocol/messages/offset_delete.h"
#include "common/protocol/messages/offset_fetch.h"
#include "common/protocol/messages/offset_for_leader_epoch.h"
#include "common/protocol/messages/produce.h"
#include "common/protocol/messages/sync_group.h"

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
asio::awaitable<protocol::DeleteGroupsResponse> handle_delete_groups(RequestContext& context,
                                                                     protocol::DeleteGroupsRequest request);
asio::awaitable<protocol::DescribeGroupsResponse> handle_describe_groups(RequestContext& context,
                                                                         protocol::DescribeGroupsRequest request);
asio::awaitable<protocol::FindCoordinatorResponse> handle_find_coordinator(RequestContext& context,
                                                                           protocol::FindCoordinatorRequest request);
asio::awaitable<protocol::HeartbeatResponse> handle_heartbeat(RequestContext& context,
                                                              protocol::HeartbeatRequest request);
asio::awaitable<protocol::JoinGroupResponse> handle_join_group(RequestContext& context,
                                                               protocol::JoinGroupRequest request);
asio::awaitable<protocol::LeaveGroupResponse> handle_leave_group(RequestContext& context,
                                                                 protocol::LeaveGroupRequest request);
asio::awaitable<protocol::ListGroupsResponse> handle_list_groups(RequestContext& context,
                                                                 protocol::ListGroupsRequest request);
asio::awaitable<protocol::OffsetCommitResponse> handle_offset_commit(RequestContext& context,
                                                                     protocol::OffsetCommitRequest request);
asio::awaitable<protocol::OffsetDeleteResponse> handle_offset_delete(RequestContext& context,
                                                                     protocol::OffsetDeleteRequest request);
asio::awaitable<protocol::OffsetFetchResponse> handle_offset_fetch(RequestContext& context,
                                                                   protocol::OffsetFetchRequest request);
asio::awaitable<protocol::SyncGroupResponse> handle_sync_group(RequestContext& context,
                                                               protocol::SyncGroupRequest request);

}  // namespace barnabas::broker
