#include "broker/api/all_apis.h"

#include "broker/api/api_versions.h"
#include "broker/api/handlers.h"

namespace barnabas::broker {
namespace {

using namespace protocol;

constexpr MemoryEstimate kSmall{4096, 2};
/// Records stay in the frame and go to the file from there.
constexpr MemoryEstimate kProduce{4096, 1};
/// Records go from file to socket and touch no memory of ours.
constexpr MemoryEstimate kFetch{4096, 4};
/// An answer may name every topic, whatever the request's size.
constexpr MemoryEstimate kWholeCluster{256 * 1024, 4};

ApiRow api_versions_row() {
  ApiRow row = api_row<ApiVersionsRequest, ApiVersionsResponse, handle_api_versions>(AclOperation::none,
                                                                                     ThrottleClass::none, kSmall);
  row.listeners = ListenerKinds::both;
  row.serve = &serve_api_versions;
  return row;
}

std::vector<ApiRow> rows() {
  using Throttle = ThrottleClass;
  return {
      api_row<ProduceRequest, ProduceResponse, handle_produce>(AclOperation::write, Throttle::produce, kProduce),
      api_row<FetchRequest, FetchResponse, handle_fetch>(AclOperation::read, Throttle::fetch, kFetch),
      api_row<ListOffsetsRequest, ListOffsetsResponse, handle_list_offsets>(AclOperation::describe, Throttle::request,
                                                                            kSmall),
      api_row<MetadataRequest, MetadataResponse, handle_metadata>(AclOperation::describe, Throttle::request,
                                                                  kWholeCluster),
      api_versions_row(),
      api_row<CreateTopicsRequest, CreateTopicsResponse, handle_create_topics>(AclOperation::create,
                                                                               Throttle::controller_mutation, kSmall),
      api_row<DeleteTopicsRequest, DeleteTopicsResponse, handle_delete_topics>(AclOperation::remove,
                                                                               Throttle::controller_mutation, kSmall),
      api_row<InitProducerIdRequest, InitProducerIdResponse, handle_init_producer_id>(AclOperation::idempotent_write,
                                                                                      Throttle::request, kSmall),
      api_row<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse, handle_offset_for_leader_epoch>(
          AclOperation::describe, Throttle::request, kSmall),
      api_row<DescribeConfigsRequest, DescribeConfigsResponse, handle_describe_configs>(
          AclOperation::describe_configs, Throttle::request, kWholeCluster),
      api_row<DescribeClusterRequest, DescribeClusterResponse, handle_describe_cluster>(AclOperation::describe,
                                                                                        Throttle::request, kSmall),
      api_row<DeleteGroupsRequest, DeleteGroupsResponse, handle_delete_groups>(AclOperation::remove, Throttle::request,
                                                                               kSmall),
      api_row<DescribeGroupsRequest, DescribeGroupsResponse, handle_describe_groups>(AclOperation::describe,
                                                                                     Throttle::request, kWholeCluster),
      api_row<FindCoordinatorRequest, FindCoordinatorResponse, handle_find_coordinator>(AclOperation::describe,
                                                                                        Throttle::request, kSmall),
      api_row<HeartbeatRequest, HeartbeatResponse, handle_heartbeat>(AclOperation::read, Throttle::request, kSmall),
      api_row<JoinGroupRequest, JoinGroupResponse, handle_join_group>(AclOperation::read, Throttle::request,
                                                                      kWholeCluster),
      api_row<LeaveGroupRequest, LeaveGroupResponse, handle_leave_group>(AclOperation::read, Throttle::request, kSmall),
      api_row<ListGroupsRequest, ListGroupsResponse, handle_list_groups>(AclOperation::describe, Throttle::request,
                                                                         kWholeCluster),
      api_row<OffsetCommitRequest, OffsetCommitResponse, handle_offset_commit>(AclOperation::read, Throttle::request,
                                                                               kSmall),
      api_row<OffsetDeleteRequest, OffsetDeleteResponse, handle_offset_delete>(AclOperation::remove, Throttle::request,
                                                                               kSmall),
      api_row<OffsetFetchRequest, OffsetFetchResponse, handle_offset_fetch>(AclOperation::describe, Throttle::request,
                                                                            kWholeCluster),
      api_row<SyncGroupRequest, SyncGroupResponse, handle_sync_group>(AclOperation::read, Throttle::request, kSmall),
  };
}

}  // namespace

const ApiTable& all_apis() {
  static const ApiTable table(rows());
  return table;
}

}  // namespace barnabas::broker
