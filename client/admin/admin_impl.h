#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "barnabas/admin.h"
#include "client/admin/admin_config.h"
#include "client/core/client_runtime.h"
#include "client/core/request_router.h"

namespace barnabas::client {

/// Behind barnabas::Admin. Each call is a coroutine in the file of its subject: topics.cc, configs.cc, offsets.cc,
/// groups.cc, group_offsets.cc, cluster.cc. Threads: the coroutines run on the runtime's executor.
class AdminImpl : public std::enable_shared_from_this<AdminImpl> {
 public:
  AdminImpl(std::shared_ptr<ClientRuntime> runtime, AdminConfig config, runtime::Logger logger);
  ~AdminImpl();

  const std::shared_ptr<ClientRuntime>& runtime() const noexcept { return runtime_; }
  RequestRouter& router() noexcept { return *router_; }
  const AdminConfig& config() const noexcept { return config_; }
  runtime::MonotonicTime deadline_in(AdminTimeout timeout) const;
  /// retry.backoff.ms and its maximum.
  Backoff backoff() const {
    return {config_.client.retry_backoff, config_.client.retry_backoff_max, runtime_->random()};
  }
  /// Ends calls under way. Waits for that, unless called on the executor itself. May be called twice.
  void close();

 private:
  std::shared_ptr<ClientRuntime> runtime_;
  AdminConfig config_;
  std::shared_ptr<RequestRouter> router_;
  std::atomic<bool> closed_{false};
};

using AdminPtr = std::shared_ptr<AdminImpl>;

asio::awaitable<Result<std::vector<CreatedTopic>>> create_topics(AdminPtr admin, std::vector<NewTopic> topics,
                                                                 CreateTopicsOptions options);
asio::awaitable<Result<std::vector<DeletedTopic>>> delete_topics(AdminPtr admin, std::vector<std::string> names,
                                                                 AdminTimeout timeout);
asio::awaitable<Result<std::vector<TopicListing>>> list_topics(AdminPtr admin, bool with_internal,
                                                               AdminTimeout timeout);
asio::awaitable<Result<std::vector<TopicDescription>>> describe_topics(AdminPtr admin, std::vector<std::string> names,
                                                                       AdminTimeout timeout);
asio::awaitable<Result<std::vector<ConfigDescription>>> describe_configs(AdminPtr admin,
                                                                         std::vector<ConfigResource> resources,
                                                                         AdminTimeout timeout);
asio::awaitable<Result<ClusterDescription>> describe_cluster(AdminPtr admin, AdminTimeout timeout);
asio::awaitable<Result<std::vector<ListedOffset>>> list_offsets(AdminPtr admin,
                                                                std::map<TopicPartition, OffsetSpec> partitions,
                                                                AdminTimeout timeout);
asio::awaitable<Result<std::vector<BrokerApiVersions>>> api_versions(AdminPtr admin, AdminTimeout timeout);

asio::awaitable<Result<std::vector<GroupListing>>> list_groups(AdminPtr admin, ListGroupsOptions options);
asio::awaitable<Result<std::vector<GroupDescription>>> describe_groups(AdminPtr admin,
                                                                       std::vector<std::string> group_ids,
                                                                       AdminTimeout timeout);
asio::awaitable<Result<std::vector<DeletedGroup>>> delete_groups(AdminPtr admin, std::vector<std::string> group_ids,
                                                                 AdminTimeout timeout);
asio::awaitable<Result<Offsets>> list_group_offsets(AdminPtr admin, std::string group_id, AdminTimeout timeout);
asio::awaitable<Result<std::vector<GroupOffsetResult>>> alter_group_offsets(AdminPtr admin, std::string group_id,
                                                                            Offsets offsets, AdminTimeout timeout);
asio::awaitable<Result<std::vector<GroupOffsetResult>>> delete_group_offsets(AdminPtr admin, std::string group_id,
                                                                             std::vector<TopicPartition> partitions,
                                                                             AdminTimeout timeout);

/// A broker's error number with its words, or ours where it sends none; no error for 0.
ItemError item_error(std::int16_t code, const std::string& subject, const std::optional<std::string>& message = {});
/// What failed for one of many things, in the form that its item has.
inline ItemError error_of(const Failure& why) {
  return {why.code, why.subject};
}
/// Whether asking again may help, perhaps another broker (NOT_CONTROLLER, a leader being elected, a quota, ...).
bool is_worth_retrying(std::int16_t code) noexcept;

}  // namespace barnabas::client
