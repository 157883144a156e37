#include "common/protocol/errors.h"

#include <array>
#include <cstddef>
#include <string>

namespace barnabas::protocol {
namespace {

constexpr std::array kErrors = {
    ErrorInfo{ErrorCode::unknown_server_error, "UNKNOWN_SERVER_ERROR", false, false,
              "The server experienced an unexpected error when processing the request."},
    ErrorInfo{ErrorCode::none, "NONE", false, false, ""},
    ErrorInfo{ErrorCode::offset_out_of_range, "OFFSET_OUT_OF_RANGE", false, false,
              "The requested offset is not within the range of offsets maintained by the server."},
    ErrorInfo{ErrorCode::corrupt_message, "CORRUPT_MESSAGE", true, false,
              "This message has failed its CRC checksum, exceeds the valid size, has a null key for a compacted topic, "
              "or is otherwise corrupt."},
    ErrorInfo{ErrorCode::unknown_topic_or_partition, "UNKNOWN_TOPIC_OR_PARTITION", true, true,
              "This server does not host this topic-partition."},
    ErrorInfo{ErrorCode::invalid_fetch_size, "INVALID_FETCH_SIZE", false, false,
              "The requested fetch size is invalid."},
    ErrorInfo{ErrorCode::leader_not_available, "LEADER_NOT_AVAILABLE", true, true,
              "There is no leader for this topic-partition as we are in the middle of a leadership election."},
    ErrorInfo{ErrorCode::not_leader_or_follower, "NOT_LEADER_OR_FOLLOWER", true, true,
              "For requests intended only for the leader, this error indicates that the broker is not the current "
              "leader. For requests intended for any replica, this error indicates that the broker is not a replica of "
              "the topic partition."},
    ErrorInfo{ErrorCode::request_timed_out, "REQUEST_TIMED_OUT", true, false, "The request timed out."},
    ErrorInfo{ErrorCode::broker_not_available, "BROKER_NOT_AVAILABLE", false, false, "The broker is not available."},
    ErrorInfo{ErrorCode::replica_not_available, "REPLICA_NOT_AVAILABLE", true, true,
              "The replica is not available for the requested topic-partition. Produce/Fetch requests and other "
              "requests intended only for the leader or follower return NOT_LEADER_OR_FOLLOWER if the broker is not a "
              "replica of the topic-partition."},
    ErrorInfo{ErrorCode::message_too_large, "MESSAGE_TOO_LARGE", false, false,
              "The request included a message larger than the max message size the server will accept."},
    ErrorInfo{ErrorCode::stale_controller_epoch, "STALE_CONTROLLER_EPOCH", false, false,
              "The controller moved to another broker."},
    ErrorInfo{ErrorCode::offset_metadata_too_large, "OFFSET_METADATA_TOO_LARGE", false, false,
              "The metadata field of the offset request was too large."},
    ErrorInfo{ErrorCode::network_exception, "NETWORK_EXCEPTION", true, true,
              "The server disconnected before a response was received."},
    ErrorInfo{ErrorCode::coordinator_load_in_progress, "COORDINATOR_LOAD_IN_PROGRESS", true, false,
              "The coordinator is loading and hence can't process requests."},
    ErrorInfo{ErrorCode::coordinator_not_available, "COORDINATOR_NOT_AVAILABLE", true, false,
              "The coordinator is not available."},
    ErrorInfo{ErrorCode::not_coordinator, "NOT_COORDINATOR", true, false, "This is not the correct coordinator."},
    ErrorInfo{ErrorCode::invalid_topic_exception, "INVALID_TOPIC_EXCEPTION", false, false,
              "The request attempted to perform an operation on an invalid topic."},
    ErrorInfo{ErrorCode::record_list_too_large, "RECORD_LIST_TOO_LARGE", false, false,
              "The request included message batch larger than the configured segment size on the server."},
    ErrorInfo{ErrorCode::not_enough_replicas, "NOT_ENOUGH_REPLICAS", true, false,
              "Messages are rejected since there are fewer in-sync replicas than required."},
    ErrorInfo{ErrorCode::not_enough_replicas_after_append, "NOT_ENOUGH_REPLICAS_AFTER_APPEND", true, false,
              "Messages are written to the log, but to fewer in-sync replicas than required."},
    ErrorInfo{ErrorCode::invalid_required_acks, "INVALID_REQUIRED_ACKS", false, false,
              "Produce request specified an invalid value for required acks."},
    ErrorInfo{ErrorCode::illegal_generation, "ILLEGAL_GENERATION", false, false,
              "Specified group generation id is not valid."},
    ErrorInfo{ErrorCode::inconsistent_group_protocol, "INCONSISTENT_GROUP_PROTOCOL", false, false,
              "The group member's supported protocols are incompatible with those of existing members or first group "
              "member tried to join with empty protocol type or empty protocol list."},
    ErrorInfo{ErrorCode::invalid_group_id, "INVALID_GROUP_ID", false, false, "The group id is invalid."},
    ErrorInfo{ErrorCode::unknown_member_id, "UNKNOWN_MEMBER_ID", false, false,
              "The coordinator is not aware of this member."},
    ErrorInfo{ErrorCode::invalid_session_timeout, "INVALID_SESSION_TIMEOUT", false, false,
              "The session timeout is not within the range allowed by the broker (as configured by "
              "group.min.session.timeout.ms and group.max.session.timeout.ms)."},
    ErrorInfo{ErrorCode::rebalance_in_progress, "REBALANCE_IN_PROGRESS", false, false,
              "The group is rebalancing, so a rejoin is needed."},
    ErrorInfo{ErrorCode::invalid_commit_offset_size, "INVALID_COMMIT_OFFSET_SIZE", false, false,
              "The committing offset data size is not valid."},
    ErrorInfo{ErrorCode::topic_authorization_failed, "TOPIC_AUTHORIZATION_FAILED", false, false,
              "Topic authorization failed."},
    ErrorInfo{ErrorCode::group_authorization_failed, "GROUP_AUTHORIZATION_FAILED", false, false,
              "Group authorization failed."},
    ErrorInfo{ErrorCode::cluster_authorization_failed, "CLUSTER_AUTHORIZATION_FAILED", false, false,
              "Cluster authorization failed."},
    ErrorInfo{ErrorCode::invalid_timestamp, "INVALID_TIMESTAMP", false, false,
              "The timestamp of the message is out of acceptable range."},
    ErrorInfo{ErrorCode::unsupported_sasl_mechanism, "UNSUPPORTED_SASL_MECHANISM", false, false,
              "The broker does not support the requested SASL mechanism."},
    ErrorInfo{ErrorCode::illegal_sasl_state, "ILLEGAL_SASL_STATE", false, false,
              "Request is not valid given the current SASL state."},
    ErrorInfo{ErrorCode::unsupported_version, "UNSUPPORTED_VERSION", false, false,
              "The version of API is not supported."},
    ErrorInfo{ErrorCode::topic_already_exists, "TOPIC_ALREADY_EXISTS", false, false,
              "Topic with this name already exists."},
    ErrorInfo{ErrorCode::invalid_partitions, "INVALID_PARTITIONS", false, false, "Number of partitions is below 1."},
    ErrorInfo{ErrorCode::invalid_replication_factor, "INVALID_REPLICATION_FACTOR", false, false,
              "Replication factor is below 1 or larger than the number of available brokers."},
    ErrorInfo{ErrorCode::invalid_replica_assignment, "INVALID_REPLICA_ASSIGNMENT", false, false,
              "Replica assignment is invalid."},
    ErrorInfo{ErrorCode::invalid_config, "INVALID_CONFIG", false, false, "Configuration is invalid."},
    ErrorInfo{ErrorCode::not_controller, "NOT_CONTROLLER", true, false,
              "This is not the correct controller for this cluster."},
    ErrorInfo{ErrorCode::invalid_request, "INVALID_REQUEST", false, false,
              "This most likely occurs because of a request being malformed by the client library or the message was "
              "sent to an incompatible broker. See the broker logs for more details."},
    ErrorInfo{ErrorCode::unsupported_for_message_format, "UNSUPPORTED_FOR_MESSAGE_FORMAT", false, false,
              "The message format version on the broker does not support the request."},
    ErrorInfo{ErrorCode::policy_violation, "POLICY_VIOLATION", false, false,
              "Request parameters do not satisfy the configured policy."},
    ErrorInfo{ErrorCode::out_of_order_sequence_number, "OUT_OF_ORDER_SEQUENCE_NUMBER", false, false,
              "The broker received an out of order sequence number."},
    ErrorInfo{ErrorCode::duplicate_sequence_number, "DUPLICATE_SEQUENCE_NUMBER", false, false,
              "The broker received a duplicate sequence number."},
    ErrorInfo{ErrorCode::invalid_producer_epoch, "INVALID_PRODUCER_EPOCH", false, false,
              "Producer attempted to produce with an old epoch."},
    ErrorInfo{ErrorCode::invalid_txn_state, "INVALID_TXN_STATE", false, false,
              "The producer attempted a transactional operation in an invalid state."},
    ErrorInfo{ErrorCode::invalid_producer_id_mapping, "INVALID_PRODUCER_ID_MAPPING", false, false,
              "The producer attempted to use a producer id which is not currently assigned to its transactional id."},
    ErrorInfo{ErrorCode::invalid_transaction_timeout, "INVALID_TRANSACTION_TIMEOUT", false, false,
              "The transaction timeout is larger than the maximum value allowed by the broker (as configured by "
              "transaction.max.timeout.ms)."},
    ErrorInfo{ErrorCode::concurrent_transactions, "CONCURRENT_TRANSACTIONS", true, false,
              "The producer attempted to update a transaction while another concurrent operation on the same "
              "transaction was ongoing."},
    ErrorInfo{ErrorCode::transaction_coordinator_fenced, "TRANSACTION_COORDINATOR_FENCED", false, false,
              "Indicates that the transaction coordinator sending a WriteTxnMarker is no longer the current "
              "coordinator for a given producer."},
    ErrorInfo{ErrorCode::transactional_id_authorization_failed, "TRANSACTIONAL_ID_AUTHORIZATION_FAILED", false, false,
              "Transactional Id authorization failed."},
    ErrorInfo{ErrorCode::security_disabled, "SECURITY_DISABLED", false, false, "Security features are disabled."},
    ErrorInfo{ErrorCode::operation_not_attempted, "OPERATION_NOT_ATTEMPTED", false, false,
              "The broker did not attempt to execute this operation. This may happen for batched RPCs where some "
              "operations in the batch failed, causing the broker to respond without trying the rest."},
    ErrorInfo{ErrorCode::kafka_storage_error, "KAFKA_STORAGE_ERROR", true, true,
              "Disk error when trying to access log file on the disk."},
    ErrorInfo{ErrorCode::log_dir_not_found, "LOG_DIR_NOT_FOUND", false, false,
              "The user-specified log directory is not found in the broker config."},
    ErrorInfo{ErrorCode::sasl_authentication_failed, "SASL_AUTHENTICATION_FAILED", false, false,
              "SASL Authentication failed."},
    ErrorInfo{ErrorCode::unknown_producer_id, "UNKNOWN_PRODUCER_ID", false, false,
              "This exception is raised by the broker if it could not locate the producer metadata associated with the "
              "producerId in question. This could happen if, for instance, the producer's records were deleted because "
              "their retention time had elapsed. Once the last records of the producerId are removed, the producer's "
              "metadata is removed from the broker, and future appends by the producer will return this exception."},
    ErrorInfo{ErrorCode::reassignment_in_progress, "REASSIGNMENT_IN_PROGRESS", false, false,
              "A partition reassignment is in progress."},
    ErrorInfo{ErrorCode::delegation_token_auth_disabled, "DELEGATION_TOKEN_AUTH_DISABLED", false, false,
              "Delegation Token feature is not enabled."},
    ErrorInfo{ErrorCode::delegation_token_not_found, "DELEGATION_TOKEN_NOT_FOUND", false, false,
              "Delegation Token is not found on server."},
    ErrorInfo{ErrorCode::delegation_token_owner_mismatch, "DELEGATION_TOKEN_OWNER_MISMATCH", false, false,
              "Specified Principal is not valid Owner/Renewer."},
    ErrorInfo{ErrorCode::delegation_token_request_not_allowed, "DELEGATION_TOKEN_REQUEST_NOT_ALLOWED", false, false,
              "Delegation Token requests are not allowed on PLAINTEXT/1-way SSL channels and on delegation token "
              "authenticated channels."},
    ErrorInfo{ErrorCode::delegation_token_authorization_failed, "DELEGATION_TOKEN_AUTHORIZATION_FAILED", false, false,
              "Delegation Token authorization failed."},
    ErrorInfo{ErrorCode::delegation_token_expired, "DELEGATION_TOKEN_EXPIRED", false, false,
              "Delegation Token is expired."},
    ErrorInfo{ErrorCode::invalid_principal_type, "INVALID_PRINCIPAL_TYPE", false, false,
              "Supplied principalType is not supported."},
    ErrorInfo{ErrorCode::non_empty_group, "NON_EMPTY_GROUP", false, false, "The group is not empty."},
    ErrorInfo{ErrorCode::group_id_not_found, "GROUP_ID_NOT_FOUND", false, false, "The group id does not exist."},
    ErrorInfo{ErrorCode::fetch_session_id_not_found, "FETCH_SESSION_ID_NOT_FOUND", true, false,
              "The fetch session ID was not found."},
    ErrorInfo{ErrorCode::invalid_fetch_session_epoch, "INVALID_FETCH_SESSION_EPOCH", true, false,
              "The fetch session epoch is invalid."},
    ErrorInfo{
        ErrorCode::listener_not_found, "LISTENER_NOT_FOUND", true, true,
        "There is no listener on the leader broker that matches the listener on which metadata request was processed."},
    ErrorInfo{ErrorCode::topic_deletion_disabled, "TOPIC_DELETION_DISABLED", false, false,
              "Topic deletion is disabled."},
    ErrorInfo{ErrorCode::fenced_leader_epoch, "FENCED_LEADER_EPOCH", true, true,
              "The leader epoch in the request is older than the epoch on the broker."},
    ErrorInfo{ErrorCode::unknown_leader_epoch, "UNKNOWN_LEADER_EPOCH", true, false,
              "The leader epoch in the request is newer than the epoch on the broker."},
    ErrorInfo{ErrorCode::unsupported_compression_type, "UNSUPPORTED_COMPRESSION_TYPE", false, false,
              "The requesting client does not support the compression type of given partition."},
    ErrorInfo{ErrorCode::stale_broker_epoch, "STALE_BROKER_EPOCH", false, false, "Broker epoch has changed."},
    ErrorInfo{ErrorCode::offset_not_available, "OFFSET_NOT_AVAILABLE", true, false,
              "The leader high watermark has not caught up from a recent leader election so the offsets cannot be "
              "guaranteed to be monotonically increasing."},
    ErrorInfo{ErrorCode::member_id_required, "MEMBER_ID_REQUIRED", false, false,
              "The group member needs to have a valid member id before actually entering a consumer group."},
    ErrorInfo{ErrorCode::preferred_leader_not_available, "PREFERRED_LEADER_NOT_AVAILABLE", true, true,
              "The preferred leader was not available."},
    ErrorInfo{ErrorCode::group_max_size_reached, "GROUP_MAX_SIZE_REACHED", false, false,
              "The group has reached its maximum size."},
    ErrorInfo{ErrorCode::fenced_instance_id, "FENCED_INSTANCE_ID", false, false,
              "The broker rejected this static consumer since another consumer with the same group.instance.id has "
              "registered with a different member.id."},
    ErrorInfo{ErrorCode::eligible_leaders_not_available, "ELIGIBLE_LEADERS_NOT_AVAILABLE", true, true,
              "Eligible topic partition leaders are not available."},
    ErrorInfo{ErrorCode::election_not_needed, "ELECTION_NOT_NEEDED", true, true,
              "Leader election not needed for topic partition."},
    ErrorInfo{ErrorCode::no_reassignment_in_progress, "NO_REASSIGNMENT_IN_PROGRESS", false, false,
              "No partition reassignment is in progress."},
    ErrorInfo{ErrorCode::group_subscribed_to_topic, "GROUP_SUBSCRIBED_TO_TOPIC", false, false,
              "Deleting offsets of a topic is forbidden while the consumer group is actively subscribed to it."},
    ErrorInfo{ErrorCode::invalid_record, "INVALID_RECORD", false, false,
              "This record has failed the validation on broker and hence will be rejected."},
    ErrorInfo{ErrorCode::unstable_offset_commit, "UNSTABLE_OFFSET_COMMIT", true, false,
              "There are unstable offsets that need to be cleared."},
    ErrorInfo{ErrorCode::throttling_quota_exceeded, "THROTTLING_QUOTA_EXCEEDED", true, false,
              "The throttling quota has been exceeded."},
    ErrorInfo{ErrorCode::producer_fenced, "PRODUCER_FENCED", false, false,
              "There is a newer producer with the same transactionalId which fences the current one."},
    ErrorInfo{ErrorCode::resource_not_found, "RESOURCE_NOT_FOUND", false, false,
              "A request illegally referred to a resource that does not exist."},
    ErrorInfo{ErrorCode::duplicate_resource, "DUPLICATE_RESOURCE", false, false,
              "A request illegally referred to the same resource twice."},
    ErrorInfo{ErrorCode::unacceptable_credential, "UNACCEPTABLE_CREDENTIAL", false, false,
              "Requested credential would not meet criteria for acceptability."},
    ErrorInfo{
        ErrorCode::inconsistent_voter_set, "INCONSISTENT_VOTER_SET", false, false,
        "Indicates that the either the sender or recipient of a voter-only request is not one of the expected voters."},
    ErrorInfo{ErrorCode::invalid_update_version, "INVALID_UPDATE_VERSION", false, false,
              "The given update version was invalid."},
    ErrorInfo{ErrorCode::feature_update_failed, "FEATURE_UPDATE_FAILED", false, false,
              "Unable to update finalized features due to an unexpected server error."},
    ErrorInfo{ErrorCode::principal_deserialization_failure, "PRINCIPAL_DESERIALIZATION_FAILURE", false, false,
              "Request principal deserialization failed during forwarding. This indicates an internal error on the "
              "broker cluster security setup."},
    ErrorInfo{ErrorCode::snapshot_not_found, "SNAPSHOT_NOT_FOUND", false, false, "Requested snapshot was not found."},
    ErrorInfo{ErrorCode::position_out_of_range, "POSITION_OUT_OF_RANGE", false, false,
              "Requested position is not greater than or equal to zero, and less than the size of the snapshot."},
    ErrorInfo{ErrorCode::unknown_topic_id, "UNKNOWN_TOPIC_ID", true, true, "This server does not host this topic ID."},
    ErrorInfo{ErrorCode::duplicate_broker_registration, "DUPLICATE_BROKER_REGISTRATION", false, false,
              "This broker ID is already in use."},
    ErrorInfo{ErrorCode::broker_id_not_registered, "BROKER_ID_NOT_REGISTERED", false, false,
              "The given broker ID was not registered."},
    ErrorInfo{ErrorCode::inconsistent_topic_id, "INCONSISTENT_TOPIC_ID", true, true,
              "The log's topic ID did not match the topic ID in the request."},
    ErrorInfo{ErrorCode::inconsistent_cluster_id, "INCONSISTENT_CLUSTER_ID", false, false,
              "The clusterId in the request does not match that found on the server."},
    ErrorInfo{ErrorCode::transactional_id_not_found, "TRANSACTIONAL_ID_NOT_FOUND", false, false,
              "The transactionalId could not be found."},
    ErrorInfo{ErrorCode::fetch_session_topic_id_error, "FETCH_SESSION_TOPIC_ID_ERROR", true, false,
              "The fetch session encountered inconsistent topic ID usage."},
    ErrorInfo{ErrorCode::ineligible_replica, "INELIGIBLE_REPLICA", false, false,
              "The new ISR contains at least one ineligible replica."},
    ErrorInfo{ErrorCode::new_leader_elected, "NEW_LEADER_ELECTED", false, false,
              "The AlterPartition request successfully updated the partition state but the leader has changed."},
    ErrorInfo{ErrorCode::offset_moved_to_tiered_storage, "OFFSET_MOVED_TO_TIERED_STORAGE", false, false,
              "The requested offset is moved to tiered storage."},
    ErrorInfo{
        ErrorCode::fenced_member_epoch, "FENCED_MEMBER_EPOCH", false, false,
        "The member epoch is fenced by the group coordinator. The member must abandon all its partitions and rejoin."},
    ErrorInfo{ErrorCode::unreleased_instance_id, "UNRELEASED_INSTANCE_ID", false, false,
              "The instance ID is still used by another member in the consumer group. That member must leave first."},
    ErrorInfo{ErrorCode::unsupported_assignor, "UNSUPPORTED_ASSIGNOR", false, false,
              "The assignor or its version range is not supported by the consumer group."},
    ErrorInfo{ErrorCode::stale_member_epoch, "STALE_MEMBER_EPOCH", false, false,
              "The member epoch is stale. The member must retry after receiving its updated member epoch via the "
              "ConsumerGroupHeartbeat API."},
    ErrorInfo{ErrorCode::mismatched_endpoint_type, "MISMATCHED_ENDPOINT_TYPE", false, false,
              "The request was sent to an endpoint of the wrong type."},
    ErrorInfo{ErrorCode::unsupported_endpoint_type, "UNSUPPORTED_ENDPOINT_TYPE", false, false,
              "This endpoint type is not supported yet."},
    ErrorInfo{ErrorCode::unknown_controller_id, "UNKNOWN_CONTROLLER_ID", false, false,
              "This controller ID is not known."},
    ErrorInfo{ErrorCode::unknown_subscription_id, "UNKNOWN_SUBSCRIPTION_ID", false, false,
              "Client sent a push telemetry request with an invalid or outdated subscription ID."},
    ErrorInfo{ErrorCode::telemetry_too_large, "TELEMETRY_TOO_LARGE", false, false,
              "Client sent a push telemetry request larger than the maximum size the broker will accept."},
    ErrorInfo{ErrorCode::invalid_registration, "INVALID_REGISTRATION", false, false,
              "The controller has considered the broker registration to be invalid."},
    ErrorInfo{ErrorCode::transaction_abortable, "TRANSACTION_ABORTABLE", false, false,
              "The server encountered an error with the transaction. The client can abort the transaction to continue "
              "using this transactional ID."},
    ErrorInfo{ErrorCode::invalid_record_state, "INVALID_RECORD_STATE", false, false,
              "The record state is invalid. The acknowledgement of delivery could not be completed."},
    ErrorInfo{ErrorCode::share_session_not_found, "SHARE_SESSION_NOT_FOUND", true, false,
              "The share session was not found."},
    ErrorInfo{ErrorCode::invalid_share_session_epoch, "INVALID_SHARE_SESSION_EPOCH", true, false,
              "The share session epoch is invalid."},
    ErrorInfo{ErrorCode::fenced_state_epoch, "FENCED_STATE_EPOCH", false, false,
              "The share coordinator rejected the request because the share-group state epoch did not match."},
    ErrorInfo{ErrorCode::invalid_voter_key, "INVALID_VOTER_KEY", false, false,
              "The voter key doesn't match the receiving replica's key."},
    ErrorInfo{ErrorCode::duplicate_voter, "DUPLICATE_VOTER", false, false,
              "The voter is already part of the set of voters."},
    ErrorInfo{ErrorCode::voter_not_found, "VOTER_NOT_FOUND", false, false,
              "The voter is not part of the set of voters."},
    ErrorInfo{ErrorCode::invalid_regular_expression, "INVALID_REGULAR_EXPRESSION", false, false,
              "The regular expression is not valid."},
    ErrorInfo{ErrorCode::rebootstrap_required, "REBOOTSTRAP_REQUIRED", false, false,
              "Client metadata is stale. The client should rebootstrap to obtain new metadata."},
    ErrorInfo{ErrorCode::streams_invalid_topology, "STREAMS_INVALID_TOPOLOGY", false, false,
              "The supplied topology is invalid."},
    ErrorInfo{ErrorCode::streams_invalid_topology_epoch, "STREAMS_INVALID_TOPOLOGY_EPOCH", false, false,
              "The supplied topology epoch is invalid."},
    ErrorInfo{ErrorCode::streams_topology_fenced, "STREAMS_TOPOLOGY_FENCED", false, false,
              "The supplied topology epoch is outdated."},
    ErrorInfo{ErrorCode::share_session_limit_reached, "SHARE_SESSION_LIMIT_REACHED", true, false,
              "The limit of share sessions has been reached."},
};

constexpr std::int16_t kFirstCode = -1;

constexpr bool in_order() {
  for (std::size_t i = 0; i < kErrors.size(); ++i) {
    if (static_cast<int>(kErrors[i].code) != static_cast<int>(i) + kFirstCode) return false;
  }
  return true;
}
static_assert(in_order(), "an error's code is its place in the table, from -1 on");

const ErrorInfo& info_of(ErrorCode code) noexcept {
  const ErrorInfo* info = find_error(code_of(code));
  return info == nullptr ? kErrors.front() : *info;
}

class KafkaCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "kafka"; }
  std::string message(int value) const override {
    const ErrorInfo* info = find_error(static_cast<std::int16_t>(value));
    if (info == nullptr) return "Kafka error " + std::to_string(value);
    if (info->message.empty()) return std::string(info->name);
    return std::string(info->name) + ": " + std::string(info->message);
  }
};

}  // namespace

std::span<const ErrorInfo> all_errors() noexcept {
  return kErrors;
}

const ErrorInfo* find_error(std::int16_t code) noexcept {
  const int index = code - kFirstCode;
  if (index < 0 || static_cast<std::size_t>(index) >= kErrors.size()) return nullptr;
  return &kErrors[static_cast<std::size_t>(index)];
}

ErrorCode error_of(std::int16_t code) noexcept {
  return find_error(code) == nullptr ? ErrorCode::unknown_server_error : static_cast<ErrorCode>(code);
}

bool is_retriable(ErrorCode code) noexcept {
  return info_of(code).retriable;
}
bool means_stale_metadata(ErrorCode code) noexcept {
  return info_of(code).stale_metadata;
}
std::string_view to_string(ErrorCode code) noexcept {
  return info_of(code).name;
}
std::string_view message_of(ErrorCode code) noexcept {
  return info_of(code).message;
}

const std::error_category& kafka_category() noexcept {
  static const KafkaCategory category;
  return category;
}

std::error_code make_error_code(ErrorCode code) noexcept {
  return {static_cast<int>(code), kafka_category()};
}

}  // namespace barnabas::protocol
