#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "barnabas/config.h"
#include "barnabas/error.h"
#include "barnabas/export.h"
#include "barnabas/groups.h"
#include "barnabas/logging.h"
#include "barnabas/metrics.h"
#include "barnabas/record.h"
#include "barnabas/runtime.h"
#include "barnabas/topic_partition.h"

namespace barnabas {
namespace client {
class AdminImpl;
}
inline namespace v0 {

/// What an admin client takes beside its settings.
struct AdminOptions {
  Runtime runtime{};  ///< Default: a thread of its own.
  LogSink log{};      ///< Default: warnings to standard error.
};

/// A topic to create.
struct NewTopic {
  std::string name;
  std::int32_t partitions = -1;          ///< -1: the broker's num.partitions.
  std::int16_t replication_factor = -1;  ///< -1: the broker's default.replication.factor.
  std::map<std::string, std::string> configs{};
  std::map<std::int32_t, std::vector<std::int32_t>>
      assignments{};  ///< Partition to broker ids; then the two counts stay -1.
};

struct CreateTopicsOptions {
  std::optional<std::chrono::milliseconds> timeout{};  ///< Default: default.api.timeout.ms.
  bool validate_only = false;
};

struct CreatedTopic {
  std::string name;
  ItemError error;
  std::string topic_id;  ///< Kafka's 22 characters.
  std::int32_t partitions = -1;
  std::int16_t replication_factor = -1;
};

struct DeletedTopic {
  std::string name;
  ItemError error;
};

struct TopicListing {
  std::string name;
  std::string topic_id;
  bool is_internal = false;
};

struct TopicDescription {
  std::string name;
  std::string topic_id;
  bool is_internal = false;
  std::vector<PartitionInfo> partitions;  ///< By number.
  ItemError error;
};

struct ClusterDescription {
  std::string cluster_id;
  std::int32_t controller_id = -1;
  std::vector<Node> brokers;  ///< By id.
};

/// What configs belong to. The numbers are Kafka's.
enum class ConfigResourceType : std::int8_t { topic = 2, broker = 4 };

struct ConfigResource {
  ConfigResourceType type = ConfigResourceType::topic;
  std::string name;  ///< A topic, or a broker's id as text.
};

struct ConfigEntry {
  std::string name;
  std::optional<std::string> value;  ///< None for a sensitive one.
  bool is_default = false;
  bool is_read_only = false;
  bool is_sensitive = false;
  std::string source;  ///< "DYNAMIC_TOPIC_CONFIG", "STATIC_BROKER_CONFIG", "DEFAULT_CONFIG", ...
  std::string documentation;
};

struct ConfigDescription {
  ConfigResource resource;
  std::vector<ConfigEntry> entries;
  ItemError error;
};

/// Which offset list_offsets asks for: one of the specials, or a time.
struct OffsetSpec {
  std::int64_t timestamp_ms = -1;

  static OffsetSpec earliest() noexcept { return {-2}; }
  static OffsetSpec latest() noexcept { return {-1}; }
  static OffsetSpec max_timestamp() noexcept { return {-3}; }
  static OffsetSpec at(Timestamp time) noexcept { return {time.time_since_epoch().count()}; }
};

struct ListedOffset {
  TopicPartition partition;
  std::int64_t offset = -1;        ///< -1: no such record.
  std::int64_t timestamp_ms = -1;  ///< -1: none.
  std::int32_t leader_epoch = -1;
  ItemError error;
};

/// An API that a broker serves.
struct ApiVersionRange {
  std::int16_t key = 0;
  std::string name;  ///< "Produce"; "ApiKey(99)" for one that we do not know.
  std::int16_t min_version = 0;
  std::int16_t max_version = 0;
};

struct BrokerApiVersions {
  std::int32_t broker_id = -1;
  std::vector<ApiVersionRange> apis;  ///< By key.
  ItemError error;
};

using AdminTimeout = std::optional<std::chrono::milliseconds>;  ///< None: default.api.timeout.ms.

/// Looks at and changes a cluster.
/// A call on many things fails as a whole (thrown, or the completion's code) only when no broker answered in time; what
/// the cluster says of one of them is in that item's error. Retriable answers are tried again until the deadline.
/// Threads: all functions may be called from any thread, several at a time. Blocking ones fail with
/// Errc::would_deadlock on the client's own reactor thread. Errors: synchronous functions throw barnabas::Error; a
/// timeout names what was tried, how often, and the last cause.
class BARNABAS_API Admin {
 public:
  /// Errors: Errc::invalid_config names the setting, and the nearest known name.
  explicit Admin(Config config, AdminOptions options = {});
  ~Admin();
  Admin(Admin&&) noexcept;
  Admin& operator=(Admin&&) noexcept;

  std::vector<CreatedTopic> create_topics(std::vector<NewTopic> topics, CreateTopicsOptions options = {});
  std::vector<DeletedTopic> delete_topics(std::vector<std::string> names, AdminTimeout timeout = {});
  /// Internal topics (__consumer_offsets, ...) only when asked for.
  std::vector<TopicListing> list_topics(bool with_internal = false, AdminTimeout timeout = {});
  std::vector<TopicDescription> describe_topics(std::vector<std::string> names, AdminTimeout timeout = {});
  std::vector<ConfigDescription> describe_configs(std::vector<ConfigResource> resources, AdminTimeout timeout = {});
  ClusterDescription describe_cluster(AdminTimeout timeout = {});
  std::vector<ListedOffset> list_offsets(std::map<TopicPartition, OffsetSpec> partitions, AdminTimeout timeout = {});
  /// Of every broker of the cluster.
  std::vector<BrokerApiVersions> api_versions(AdminTimeout timeout = {});

  /// Of every broker: each knows those that it coordinates. By id.
  std::vector<GroupListing> list_groups(ListGroupsOptions options = {});
  /// A group that does not exist has the state dead, and (from newer brokers) the error GROUP_ID_NOT_FOUND.
  std::vector<GroupDescription> describe_groups(std::vector<std::string> group_ids, AdminTimeout timeout = {});
  /// Their committed offsets go with them. Errors, per group: NON_EMPTY_GROUP, GROUP_ID_NOT_FOUND.
  std::vector<DeletedGroup> delete_groups(std::vector<std::string> group_ids, AdminTimeout timeout = {});
  /// All that the group has committed; nothing for a group that does not exist.
  Offsets list_group_offsets(std::string group_id, AdminTimeout timeout = {});
  /// Commits in the name of a group without members, which is made where it does not exist.
  /// Errors, per partition: UNKNOWN_MEMBER_ID while the group has members, UNKNOWN_TOPIC_OR_PARTITION.
  std::vector<GroupOffsetResult> alter_group_offsets(std::string group_id, Offsets offsets, AdminTimeout timeout = {});
  /// Errors: GROUP_ID_NOT_FOUND; per partition: GROUP_SUBSCRIBED_TO_TOPIC while a member reads the topic.
  std::vector<GroupOffsetResult> delete_group_offsets(std::string group_id, std::vector<TopicPartition> partitions,
                                                      AdminTimeout timeout = {});

  // The same with any Asio completion token: void(std::error_code, what the function above returns). Defined in
  // admin_async.h.
  template <typename CompletionToken>
  auto async_create_topics(std::vector<NewTopic> topics, CreateTopicsOptions options, CompletionToken&& token);
  template <typename CompletionToken>
  auto async_delete_topics(std::vector<std::string> names, AdminTimeout timeout, CompletionToken&& token);
  template <typename CompletionToken>
  auto async_list_topics(bool with_internal, AdminTimeout timeout, CompletionToken&& token);
  template <typename CompletionToken>
  auto async_describe_topics(std::vector<std::string> names, AdminTimeout timeout, CompletionToken&& token);
  template <typename CompletionToken>
  auto async_describe_configs(std::vector<ConfigResource> resources, AdminTimeout timeout, CompletionToken&& token);
  template <typename CompletionToken>
  auto async_describe_cluster(AdminTimeout timeout, CompletionToken&& token);
  template <typename CompletionToken>
  auto async_list_offsets(std::map<TopicPartition, OffsetSpec> partitions, AdminTimeout timeout,
                          CompletionToken&& token);
  template <typename CompletionToken>
  auto async_api_versions(AdminTimeout timeout, CompletionToken&& token);
  template <typename CompletionToken>
  auto async_list_groups(ListGroupsOptions options, CompletionToken&& token);
  template <typename CompletionToken>
  auto async_describe_groups(std::vector<std::string> group_ids, AdminTimeout timeout, CompletionToken&& token);
  template <typename CompletionToken>
  auto async_delete_groups(std::vector<std::string> group_ids, AdminTimeout timeout, CompletionToken&& token);
  template <typename CompletionToken>
  auto async_list_group_offsets(std::string group_id, AdminTimeout timeout, CompletionToken&& token);
  template <typename CompletionToken>
  auto async_alter_group_offsets(std::string group_id, Offsets offsets, AdminTimeout timeout, CompletionToken&& token);
  template <typename CompletionToken>
  auto async_delete_group_offsets(std::string group_id, std::vector<TopicPartition> partitions, AdminTimeout timeout,
                                  CompletionToken&& token);

  /// Ends calls under way with Errc::closed. May be called twice.
  void close();

  AdminMetrics metrics() const;

  /// For the library's own templates.
  client::AdminImpl& impl() const noexcept { return *impl_; }

 private:
  std::shared_ptr<client::AdminImpl> impl_;
};

}  // namespace v0
}  // namespace barnabas
