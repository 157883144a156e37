#pragma once

#include <map>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "barnabas/admin.h"
#include "barnabas/handler_async.h"

namespace barnabas {
namespace client {

/// What the templates below call; implemented in client/admin.
BARNABAS_API asio::any_io_executor executor_of(AdminImpl& admin);
BARNABAS_API void start_create_topics(AdminImpl& admin, std::vector<NewTopic> topics, CreateTopicsOptions options,
                                      Handler<std::error_code, std::vector<CreatedTopic>> done);
BARNABAS_API void start_delete_topics(AdminImpl& admin, std::vector<std::string> names, AdminTimeout timeout,
                                      Handler<std::error_code, std::vector<DeletedTopic>> done);
BARNABAS_API void start_list_topics(AdminImpl& admin, bool with_internal, AdminTimeout timeout,
                                    Handler<std::error_code, std::vector<TopicListing>> done);
BARNABAS_API void start_describe_topics(AdminImpl& admin, std::vector<std::string> names, AdminTimeout timeout,
                                        Handler<std::error_code, std::vector<TopicDescription>> done);
BARNABAS_API void start_describe_configs(AdminImpl& admin, std::vector<ConfigResource> resources, AdminTimeout timeout,
                                         Handler<std::error_code, std::vector<ConfigDescription>> done);
BARNABAS_API void start_describe_cluster(AdminImpl& admin, AdminTimeout timeout,
                                         Handler<std::error_code, ClusterDescription> done);
BARNABAS_API void start_list_offsets(AdminImpl& admin, std::map<TopicPartition, OffsetSpec> partitions,
                                     AdminTimeout timeout, Handler<std::error_code, std::vector<ListedOffset>> done);
BARNABAS_API void start_api_versions(AdminImpl& admin, AdminTimeout timeout,
                                     Handler<std::error_code, std::vector<BrokerApiVersions>> done);
BARNABAS_API void start_list_groups(AdminImpl& admin, ListGroupsOptions options,
                                    Handler<std::error_code, std::vector<GroupListing>> done);
BARNABAS_API void start_describe_groups(AdminImpl& admin, std::vector<std::string> group_ids, AdminTimeout timeout,
                                        Handler<std::error_code, std::vector<GroupDescription>> done);
BARNABAS_API void start_delete_groups(AdminImpl& admin, std::vector<std::string> group_ids, AdminTimeout timeout,
                                      Handler<std::error_code, std::vector<DeletedGroup>> done);
BARNABAS_API void start_list_group_offsets(AdminImpl& admin, std::string group_id, AdminTimeout timeout,
                                           Handler<std::error_code, Offsets> done);
BARNABAS_API void start_alter_group_offsets(AdminImpl& admin, std::string group_id, Offsets offsets,
                                            AdminTimeout timeout,
                                            Handler<std::error_code, std::vector<GroupOffsetResult>> done);
BARNABAS_API void start_delete_group_offsets(AdminImpl& admin, std::string group_id,
                                             std::vector<TopicPartition> partitions, AdminTimeout timeout,
                                             Handler<std::error_code, std::vector<GroupOffsetResult>> done);

}  // namespace client

inline namespace v0 {

template <typename CompletionToken>
auto Admin::async_create_topics(std::vector<NewTopic> topics, CreateTopicsOptions options, CompletionToken&& token) {
  using Done = Handler<std::error_code, std::vector<CreatedTopic>>;
  return initiate<std::error_code, std::vector<CreatedTopic>>(
      std::forward<CompletionToken>(token), client::executor_of(*impl_),
      [impl = impl_, topics = std::move(topics), options = std::move(options)](Done done) mutable {
        client::start_create_topics(*impl, std::move(topics), std::move(options), std::move(done));
      });
}

template <typename CompletionToken>
auto Admin::async_delete_topics(std::vector<std::string> names, AdminTimeout timeout, CompletionToken&& token) {
  using Done = Handler<std::error_code, std::vector<DeletedTopic>>;
  return initiate<std::error_code, std::vector<DeletedTopic>>(
      std::forward<CompletionToken>(token), client::executor_of(*impl_),
      [impl = impl_, names = std::move(names), timeout](Done done) mutable {
        client::start_delete_topics(*impl, std::move(names), timeout, std::move(done));
      });
}

template <typename CompletionToken>
auto Admin::async_list_topics(bool with_internal, AdminTimeout timeout, CompletionToken&& token) {
  using Done = Handler<std::error_code, std::vector<TopicListing>>;
  return initiate<std::error_code, std::vector<TopicListing>>(
      std::forward<CompletionToken>(token), client::executor_of(*impl_),
      [impl = impl_, with_internal, timeout](Done done) mutable {
        client::start_list_topics(*impl, with_internal, timeout, std::move(done));
      });
}

template <typename CompletionToken>
auto Admin::async_describe_topics(std::vector<std::string> names, AdminTimeout timeout, CompletionToken&& token) {
  using Done = Handler<std::error_code, std::vector<TopicDescription>>;
  return initiate<std::error_code, std::vector<TopicDescription>>(
      std::forward<CompletionToken>(token), client::executor_of(*impl_),
      [impl = impl_, names = std::move(names), timeout](Done done) mutable {
        client::start_describe_topics(*impl, std::move(names), timeout, std::move(done));
      });
}

template <typename CompletionToken>
auto Admin::async_describe_configs(std::vector<ConfigResource> resources, AdminTimeout timeout,
                                   CompletionToken&& token) {
  using Done = Handler<std::error_code, std::vector<ConfigDescription>>;
  return initiate<std::error_code, std::vector<ConfigDescription>>(
      std::forward<CompletionToken>(token), client::executor_of(*impl_),
      [impl = impl_, resources = std::move(resources), timeout](Done done) mutable {
        client::start_describe_configs(*impl, std::move(resources), timeout, std::move(done));
      });
}

template <typename CompletionToken>
auto Admin::async_describe_cluster(AdminTimeout timeout, CompletionToken&& token) {
  using Done = Handler<std::error_code, ClusterDescription>;
  return initiate<std::error_code, ClusterDescription>(
      std::forward<CompletionToken>(token), client::executor_of(*impl_),
      [impl = impl_, timeout](Done done) mutable { client::start_describe_cluster(*impl, timeout, std::move(done)); });
}

template <typename CompletionToken>
auto Admin::async_list_offsets(std::map<TopicPartition, OffsetSpec> partitions, AdminTimeout timeout,
                               CompletionToken&& token) {
  using Done = Handler<std::error_code, std::vector<ListedOffset>>;
  return initiate<std::error_code, std::vector<ListedOffset>>(
      std::forward<CompletionToken>(token), client::executor_of(*impl_),
      [impl = impl_, partitions = std::move(partitions), timeout](Done done) mutable {
        client::start_list_offsets(*impl, std::move(partitions), timeout, std::move(done));
      });
}

template <typename CompletionToken>
auto Admin::async_api_versions(AdminTimeout timeout, CompletionToken&& token) {
  using Done = Handler<std::error_code, std::vector<BrokerApiVersions>>;
  return initiate<std::error_code, std::vector<BrokerApiVersions>>(
      std::forward<CompletionToken>(token), client::executor_of(*impl_),
      [impl = impl_, timeout](Done done) mutable { client::start_api_versions(*impl, timeout, std::move(done)); });
}

template <typename CompletionToken>
auto Admin::async_list_groups(ListGroupsOptions options, CompletionToken&& token) {
  using Done = Handler<std::error_code, std::vector<GroupListing>>;
  return initiate<std::error_code, std::vector<GroupListing>>(
      std::forward<CompletionToken>(token), client::executor_of(*impl_),
      [impl = impl_, options = std::move(options)](Done done) mutable {
        client::start_list_groups(*impl, std::move(options), std::move(done));
      });
}

template <typename CompletionToken>
auto Admin::async_describe_groups(std::vector<std::string> group_ids, AdminTimeout timeout, CompletionToken&& token) {
  using Done = Handler<std::error_code, std::vector<GroupDescription>>;
  return initiate<std::error_code, std::vector<GroupDescription>>(
      std::forward<CompletionToken>(token), client::executor_of(*impl_),
      [impl = impl_, group_ids = std::move(group_ids), timeout](Done done) mutable {
        client::start_describe_groups(*impl, std::move(group_ids), timeout, std::move(done));
      });
}

template <typename CompletionToken>
auto Admin::async_delete_groups(std::vector<std::string> group_ids, AdminTimeout timeout, CompletionToken&& token) {
  using Done = Handler<std::error_code, std::vector<DeletedGroup>>;
  return initiate<std::error_code, std::vector<DeletedGroup>>(
      std::forward<CompletionToken>(token), client::executor_of(*impl_),
      [impl = impl_, group_ids = std::move(group_ids), timeout](Done done) mutable {
        client::start_delete_groups(*impl, std::move(group_ids), timeout, std::move(done));
      });
}

template <typename CompletionToken>
auto Admin::async_list_group_offsets(std::string group_id, AdminTimeout timeout, CompletionToken&& token) {
  using Done = Handler<std::error_code, Offsets>;
  return initiate<std::error_code, Offsets>(std::forward<CompletionToken>(token), client::executor_of(*impl_),
                                            [impl = impl_, group_id = std::move(group_id), timeout](Done done) mutable {
                                              client::start_list_group_offsets(*impl, std::move(group_id), timeout,
                                                                               std::move(done));
                                            });
}

template <typename CompletionToken>
auto Admin::async_alter_group_offsets(std::string group_id, Offsets offsets, AdminTimeout timeout,
                                      CompletionToken&& token) {
  using Done = Handler<std::error_code, std::vector<GroupOffsetResult>>;
  return initiate<std::error_code, std::vector<GroupOffsetResult>>(
      std::forward<CompletionToken>(token), client::executor_of(*impl_),
      [impl = impl_, group_id = std::move(group_id), offsets = std::move(offsets), timeout](Done done) mutable {
        client::start_alter_group_offsets(*impl, std::move(group_id), std::move(offsets), timeout, std::move(done));
      });
}

template <typename CompletionToken>
auto Admin::async_delete_group_offsets(std::string group_id, std::vector<TopicPartition> partitions,
                                       AdminTimeout timeout, CompletionToken&& token) {
  using Done = Handler<std::error_code, std::vector<GroupOffsetResult>>;
  return initiate<std::error_code, std::vector<GroupOffsetResult>>(
      std::forward<CompletionToken>(token), client::executor_of(*impl_),
      [impl = impl_, group_id = std::move(group_id), partitions = std::move(partitions), timeout](Done done) mutable {
        client::start_delete_group_offsets(*impl, std::move(group_id), std::move(partitions), timeout, std::move(done));
      });
}

}  // namespace v0
}  // namespace barnabas
