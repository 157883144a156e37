#include "common/protocol/api_keys.h"

#include <array>
#include <cstddef>

namespace barnabas::protocol {
namespace {

constexpr std::array kApis = {
    ApiInfo{ApiKey::produce, "Produce", 3, 13, 13, 0, 9, true, false, false, false},
    ApiInfo{ApiKey::fetch, "Fetch", 4, 18, 18, 4, 12, true, true, false, false},
    ApiInfo{ApiKey::list_offsets, "ListOffsets", 1, 11, 11, 1, 6, true, false, false, false},
    ApiInfo{ApiKey::metadata, "Metadata", 0, 13, 13, 0, 9, true, false, false, false},
    ApiInfo{ApiKey::leader_and_isr, "LeaderAndIsr", 0, -1, -1, 0, kNoVersion, false, false, true, false},
    ApiInfo{ApiKey::stop_replica, "StopReplica", 0, -1, -1, 0, kNoVersion, false, false, true, false},
    ApiInfo{ApiKey::update_metadata, "UpdateMetadata", 0, -1, -1, 0, kNoVersion, false, false, true, false},
    ApiInfo{ApiKey::controlled_shutdown, "ControlledShutdown", 0, -1, -1, 0, kNoVersion, false, false, true, false},
    ApiInfo{ApiKey::offset_commit, "OffsetCommit", 2, 10, 10, 2, 8, true, false, false, false},
    ApiInfo{ApiKey::offset_fetch, "OffsetFetch", 1, 10, 10, 1, 6, true, false, false, false},
    ApiInfo{ApiKey::find_coordinator, "FindCoordinator", 0, 6, 6, 0, 3, true, false, false, false},
    ApiInfo{ApiKey::join_group, "JoinGroup", 0, 9, 9, 0, 6, true, false, false, false},
    ApiInfo{ApiKey::heartbeat, "Heartbeat", 0, 4, 4, 0, 4, true, false, false, false},
    ApiInfo{ApiKey::leave_group, "LeaveGroup", 0, 5, 5, 0, 4, true, false, false, false},
    ApiInfo{ApiKey::sync_group, "SyncGroup", 0, 5, 5, 0, 4, true, false, false, false},
    ApiInfo{ApiKey::describe_groups, "DescribeGroups", 0, 6, 6, 0, 5, true, false, false, false},
    ApiInfo{ApiKey::list_groups, "ListGroups", 0, 5, 5, 0, 3, true, false, false, false},
    ApiInfo{ApiKey::sasl_handshake, "SaslHandshake", 0, 1, 1, 0, kNoVersion, true, true, false, false},
    ApiInfo{ApiKey::api_versions, "ApiVersions", 0, 4, 4, 0, 3, true, true, false, false},
    ApiInfo{ApiKey::create_topics, "CreateTopics", 2, 7, 7, 2, 5, true, true, false, true},
    ApiInfo{ApiKey::delete_topics, "DeleteTopics", 1, 6, 6, 1, 4, true, true, false, true},
    ApiInfo{ApiKey::delete_records, "DeleteRecords", 0, 2, 2, 0, 2, true, false, false, false},
    ApiInfo{ApiKey::init_producer_id, "InitProducerId", 0, 6, 5, 0, 2, true, false, false, false},
    ApiInfo{ApiKey::offset_for_leader_epoch, "OffsetForLeaderEpoch", 2, 4, 4, 2, 4, true, false, false, false},
    ApiInfo{ApiKey::add_partitions_to_txn, "AddPartitionsToTxn", 0, 5, 5, 0, 3, true, false, false, false},
    ApiInfo{ApiKey::add_offsets_to_txn, "AddOffsetsToTxn", 0, 4, 4, 0, 3, true, false, false, false},
    ApiInfo{ApiKey::end_txn, "EndTxn", 0, 5, 5, 0, 3, true, false, false, false},
    ApiInfo{ApiKey::write_txn_markers, "WriteTxnMarkers", 1, 2, 2, 1, 1, true, false, true, false},
    ApiInfo{ApiKey::txn_offset_commit, "TxnOffsetCommit", 0, 5, 5, 0, 3, true, false, false, false},
    ApiInfo{ApiKey::describe_acls, "DescribeAcls", 1, 3, 3, 1, 2, true, true, false, false},
    ApiInfo{ApiKey::create_acls, "CreateAcls", 1, 3, 3, 1, 2, true, true, false, true},
    ApiInfo{ApiKey::delete_acls, "DeleteAcls", 1, 3, 3, 1, 2, true, true, false, true},
    ApiInfo{ApiKey::describe_configs, "DescribeConfigs", 1, 4, 4, 1, 4, true, true, false, false},
    ApiInfo{ApiKey::alter_configs, "AlterConfigs", 0, 2, 2, 0, 2, true, true, false, true},
    ApiInfo{ApiKey::alter_replica_log_dirs, "AlterReplicaLogDirs", 1, 2, 2, 1, 2, true, false, false, false},
    ApiInfo{ApiKey::describe_log_dirs, "DescribeLogDirs", 1, 5, 5, 1, 2, true, false, false, false},
    ApiInfo{ApiKey::sasl_authenticate, "SaslAuthenticate", 0, 2, 2, 0, 2, true, true, false, false},
    ApiInfo{ApiKey::create_partitions, "CreatePartitions", 0, 3, 3, 0, 2, true, true, false, true},
    ApiInfo{ApiKey::create_delegation_token, "CreateDelegationToken", 1, 3, 3, 1, 2, true, true, false, true},
    ApiInfo{ApiKey::renew_delegation_token, "RenewDelegationToken", 1, 2, 2, 1, 2, true, true, false, true},
    ApiInfo{ApiKey::expire_delegation_token, "ExpireDelegationToken", 1, 2, 2, 1, 2, true, true, false, true},
    ApiInfo{ApiKey::describe_delegation_token, "DescribeDelegationToken", 1, 3, 3, 1, 2, true, true, false, false},
    ApiInfo{ApiKey::delete_groups, "DeleteGroups", 0, 2, 2, 0, 2, true, false, false, false},
    ApiInfo{ApiKey::elect_leaders, "ElectLeaders", 0, 2, 2, 0, 2, true, true, false, true},
    ApiInfo{ApiKey::incremental_alter_configs, "IncrementalAlterConfigs", 0, 1, 1, 0, 1, true, true, false, true},
    ApiInfo{ApiKey::alter_partition_reassignments, "AlterPartitionReassignments", 0, 1, 1, 0, 0, true, true, false,
            true},
    ApiInfo{ApiKey::list_partition_reassignments, "ListPartitionReassignments", 0, 0, 0, 0, 0, true, true, false, true},
    ApiInfo{ApiKey::offset_delete, "OffsetDelete", 0, 0, 0, 0, kNoVersion, true, false, false, false},
    ApiInfo{ApiKey::describe_client_quotas, "DescribeClientQuotas", 0, 1, 1, 0, 1, true, false, false, false},
    ApiInfo{ApiKey::alter_client_quotas, "AlterClientQuotas", 0, 1, 1, 0, 1, true, true, false, true},
    ApiInfo{ApiKey::describe_user_scram_credentials, "DescribeUserScramCredentials", 0, 0, 0, 0, 0, true, true, false,
            false},
    ApiInfo{ApiKey::alter_user_scram_credentials, "AlterUserScramCredentials", 0, 0, 0, 0, 0, true, true, false, true},
    ApiInfo{ApiKey::vote, "Vote", 0, 2, 2, 0, 0, false, true, true, false},
    ApiInfo{ApiKey::begin_quorum_epoch, "BeginQuorumEpoch", 0, 1, 1, 0, 1, false, true, true, false},
    ApiInfo{ApiKey::end_quorum_epoch, "EndQuorumEpoch", 0, 1, 1, 0, 1, false, true, true, false},
    ApiInfo{ApiKey::describe_quorum, "DescribeQuorum", 0, 2, 2, 0, 0, true, true, true, true},
    ApiInfo{ApiKey::alter_partition, "AlterPartition", 2, 3, 3, 2, 0, false, true, true, false},
    ApiInfo{ApiKey::update_features, "UpdateFeatures", 0, 2, 2, 0, 0, true, true, true, true},
    ApiInfo{ApiKey::envelope, "Envelope", 0, 0, 0, 0, 0, false, true, true, false},
    ApiInfo{ApiKey::fetch_snapshot, "FetchSnapshot", 0, 1, 1, 0, 0, false, true, false, false},
    ApiInfo{ApiKey::describe_cluster, "DescribeCluster", 0, 2, 2, 0, 0, true, true, false, false},
    ApiInfo{ApiKey::describe_producers, "DescribeProducers", 0, 0, 0, 0, 0, true, false, false, false},
    ApiInfo{ApiKey::broker_registration, "BrokerRegistration", 0, 4, 4, 0, 0, false, true, true, false},
    ApiInfo{ApiKey::broker_heartbeat, "BrokerHeartbeat", 0, 2, 2, 0, 0, false, true, true, false},
    ApiInfo{ApiKey::unregister_broker, "UnregisterBroker", 0, 0, 0, 0, 0, true, true, false, true},
    ApiInfo{ApiKey::describe_transactions, "DescribeTransactions", 0, 0, 0, 0, 0, true, false, false, false},
    ApiInfo{ApiKey::list_transactions, "ListTransactions", 0, 2, 2, 0, 0, true, false, false, false},
    ApiInfo{ApiKey::allocate_producer_ids, "AllocateProducerIds", 0, 0, 0, 0, 0, false, true, true, true},
    ApiInfo{ApiKey::consumer_group_heartbeat, "ConsumerGroupHeartbeat", 0, 1, 1, 0, 0, true, false, false, false},
    ApiInfo{ApiKey::consumer_group_describe, "ConsumerGroupDescribe", 0, 1, 1, 0, 0, true, false, false, false},
    ApiInfo{ApiKey::controller_registration, "ControllerRegistration", 0, 0, 0, 0, 0, false, true, false, false},
    ApiInfo{ApiKey::get_telemetry_subscriptions, "GetTelemetrySubscriptions", 0, 0, 0, 0, 0, true, false, false, false},
    ApiInfo{ApiKey::push_telemetry, "PushTelemetry", 0, 0, 0, 0, 0, true, false, false, false},
    ApiInfo{ApiKey::assign_replicas_to_dirs, "AssignReplicasToDirs", 0, 0, 0, 0, 0, false, true, false, false},
    ApiInfo{ApiKey::list_config_resources, "ListConfigResources", 0, 1, 1, 0, 0, true, false, false, false},
    ApiInfo{ApiKey::describe_topic_partitions, "DescribeTopicPartitions", 0, 0, 0, 0, 0, true, false, false, false},
    ApiInfo{ApiKey::share_group_heartbeat, "ShareGroupHeartbeat", 1, 1, 1, 1, 0, true, false, false, false},
    ApiInfo{ApiKey::share_group_describe, "ShareGroupDescribe", 1, 1, 1, 1, 0, true, false, false, false},
    ApiInfo{ApiKey::share_fetch, "ShareFetch", 1, 2, 2, 1, 0, true, false, false, false},
    ApiInfo{ApiKey::share_acknowledge, "ShareAcknowledge", 1, 2, 2, 1, 0, true, false, false, false},
    ApiInfo{ApiKey::add_raft_voter, "AddRaftVoter", 0, 1, 1, 0, 0, true, true, false, true},
    ApiInfo{ApiKey::remove_raft_voter, "RemoveRaftVoter", 0, 0, 0, 0, 0, true, true, false, true},
    ApiInfo{ApiKey::update_raft_voter, "UpdateRaftVoter", 0, 0, 0, 0, 0, false, true, false, false},
    ApiInfo{ApiKey::initialize_share_group_state, "InitializeShareGroupState", 0, 0, 0, 0, 0, true, false, true, false},
    ApiInfo{ApiKey::read_share_group_state, "ReadShareGroupState", 0, 0, 0, 0, 0, true, false, true, false},
    ApiInfo{ApiKey::write_share_group_state, "WriteShareGroupState", 0, 1, 1, 0, 0, true, false, true, false},
    ApiInfo{ApiKey::delete_share_group_state, "DeleteShareGroupState", 0, 0, 0, 0, 0, true, false, true, false},
    ApiInfo{ApiKey::read_share_group_state_summary, "ReadShareGroupStateSummary", 0, 1, 1, 0, 0, true, false, true,
            false},
    ApiInfo{ApiKey::streams_group_heartbeat, "StreamsGroupHeartbeat", 0, 0, 0, 0, 0, true, false, false, false},
    ApiInfo{ApiKey::streams_group_describe, "StreamsGroupDescribe", 0, 0, 0, 0, 0, true, false, false, false},
    ApiInfo{ApiKey::describe_share_group_offsets, "DescribeShareGroupOffsets", 0, 1, 1, 0, 0, true, false, false,
            false},
    ApiInfo{ApiKey::alter_share_group_offsets, "AlterShareGroupOffsets", 0, 0, 0, 0, 0, true, false, false, false},
    ApiInfo{ApiKey::delete_share_group_offsets, "DeleteShareGroupOffsets", 0, 0, 0, 0, 0, true, false, false, false},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kApis.size(); ++i) {
    if (static_cast<std::size_t>(kApis[i].key) != i) return false;
  }
  return true;
}
static_assert(in_order(), "an API's key is its place in the table");

}  // namespace

std::span<const ApiInfo> all_apis() noexcept {
  return kApis;
}

const ApiInfo* find_api(std::int16_t key) noexcept {
  if (key < 0 || static_cast<std::size_t>(key) >= kApis.size()) return nullptr;
  return &kApis[static_cast<std::size_t>(key)];
}

std::string_view to_string(ApiKey key) noexcept {
  const ApiInfo* api = find_api(key);
  return api == nullptr ? "Unknown" : api->name;
}

}  // namespace barnabas::protocol
