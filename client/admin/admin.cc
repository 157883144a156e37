// The public edge of the admin client: synchronous calls wait for the coroutines and throw, asynchronous ones start
// them.
#include "barnabas/admin.h"

#include <memory>
#include <utility>

#include "barnabas/admin_async.h"
#include "client/admin/admin_impl.h"
#include "client/core/errors.h"
#include "client/core/start.h"

namespace barnabas {
namespace client {
namespace {

// A call ends by its own deadline; only a user's executor that does not run goes beyond.
constexpr std::chrono::seconds kGrace{1};

std::shared_ptr<AdminImpl> make_admin(const Config& config, const AdminOptions& options) {
  const auto parsed = value_or_throw(admin_config_table().parse(config.properties()));
  AdminConfig settings = value_or_throw(admin_config_of(parsed));
  const runtime::Logger logger = make_logger(options.log, settings.client.client_id);
  log_settings_without_effect(logger, parsed);
  const Runtime runtime = options.runtime ? options.runtime : Runtime::make();
  return std::make_shared<AdminImpl>(runtime.internals(), std::move(settings), logger);
}

template <typename T>
T wait_for(AdminImpl& admin, AdminTimeout timeout, asio::awaitable<Result<T>> work) {
  const auto deadline = admin.deadline_in(timeout);
  const bool is_endless = deadline == runtime::MonotonicTime::max();
  return value_or_throw(admin.runtime()->wait(std::move(work), is_endless ? deadline : deadline + kGrace));
}

}  // namespace

asio::any_io_executor executor_of(AdminImpl& admin) {
  return admin.runtime()->executor();
}

void start_create_topics(AdminImpl& admin, std::vector<NewTopic> topics, CreateTopicsOptions options,
                         Handler<std::error_code, std::vector<CreatedTopic>> done) {
  start(admin.runtime(), create_topics(admin.shared_from_this(), std::move(topics), std::move(options)),
        std::move(done));
}

void start_delete_topics(AdminImpl& admin, std::vector<std::string> names, AdminTimeout timeout,
                         Handler<std::error_code, std::vector<DeletedTopic>> done) {
  start(admin.runtime(), delete_topics(admin.shared_from_this(), std::move(names), timeout), std::move(done));
}

void start_list_topics(AdminImpl& admin, bool with_internal, AdminTimeout timeout,
                       Handler<std::error_code, std::vector<TopicListing>> done) {
  start(admin.runtime(), list_topics(admin.shared_from_this(), with_internal, timeout), std::move(done));
}

void start_describe_topics(AdminImpl& admin, std::vector<std::string> names, AdminTimeout timeout,
                           Handler<std::error_code, std::vector<TopicDescription>> done) {
  start(admin.runtime(), describe_topics(admin.shared_from_this(), std::move(names), timeout), std::move(done));
}

void start_describe_configs(AdminImpl& admin, std::vector<ConfigResource> resources, AdminTimeout timeout,
                            Handler<std::error_code, std::vector<ConfigDescription>> done) {
  start(admin.runtime(), describe_configs(admin.shared_from_this(), std::move(resources), timeout), std::move(done));
}

void start_describe_cluster(AdminImpl& admin, AdminTimeout timeout, Handler<std::error_code, ClusterDescription> done) {
  start(admin.runtime(), describe_cluster(admin.shared_from_this(), timeout), std::move(done));
}

void start_list_offsets(AdminImpl& admin, std::map<TopicPartition, OffsetSpec> partitions, AdminTimeout timeout,
                        Handler<std::error_code, std::vector<ListedOffset>> done) {
  start(admin.runtime(), list_offsets(admin.shared_from_this(), std::move(partitions), timeout), std::move(done));
}

void start_api_versions(AdminImpl& admin, AdminTimeout timeout,
                        Handler<std::error_code, std::vector<BrokerApiVersions>> done) {
  start(admin.runtime(), api_versions(admin.shared_from_this(), timeout), std::move(done));
}

void start_list_groups(AdminImpl& admin, ListGroupsOptions options,
                       Handler<std::error_code, std::vector<GroupListing>> done) {
  start(admin.runtime(), list_groups(admin.shared_from_this(), std::move(options)), std::move(done));
}

void start_describe_groups(AdminImpl& admin, std::vector<std::string> group_ids, AdminTimeout timeout,
                           Handler<std::error_code, std::vector<GroupDescription>> done) {
  start(admin.runtime(), describe_groups(admin.shared_from_this(), std::move(group_ids), timeout), std::move(done));
}

void start_delete_groups(AdminImpl& admin, std::vector<std::string> group_ids, AdminTimeout timeout,
                         Handler<std::error_code, std::vector<DeletedGroup>> done) {
  start(admin.runtime(), delete_groups(admin.shared_from_this(), std::move(group_ids), timeout), std::move(done));
}

void start_list_group_offsets(AdminImpl& admin, std::string group_id, AdminTimeout timeout,
                              Handler<std::error_code, Offsets> done) {
  start(admin.runtime(), list_group_offsets(admin.shared_from_this(), std::move(group_id), timeout), std::move(done));
}

void start_alter_group_offsets(AdminImpl& admin, std::string group_id, Offsets offsets, AdminTimeout timeout,
                               Handler<std::error_code, std::vector<GroupOffsetResult>> done) {
  start(admin.runtime(),
        alter_group_offsets(admin.shared_from_this(), std::move(group_id), std::move(offsets), timeout),
        std::move(done));
}

void start_delete_group_offsets(AdminImpl& admin, std::string group_id, std::vector<TopicPartition> partitions,
                                AdminTimeout timeout, Handler<std::error_code, std::vector<GroupOffsetResult>> done) {
  start(admin.runtime(),
        delete_group_offsets(admin.shared_from_this(), std::move(group_id), std::move(partitions), timeout),
        std::move(done));
}

}  // namespace client

inline namespace v0 {

Admin::Admin(Config config, AdminOptions options) : impl_(client::make_admin(config, options)) {}
Admin::~Admin() {
  if (impl_) impl_->close();
}
Admin::Admin(Admin&&) noexcept = default;
Admin& Admin::operator=(Admin&& other) noexcept {
  if (this == &other) return *this;
  if (impl_) impl_->close();
  impl_ = std::move(other.impl_);
  return *this;
}

std::vector<CreatedTopic> Admin::create_topics(std::vector<NewTopic> topics, CreateTopicsOptions options) {
  const AdminTimeout timeout = options.timeout;
  return client::wait_for(*impl_, timeout, client::create_topics(impl_, std::move(topics), std::move(options)));
}

std::vector<DeletedTopic> Admin::delete_topics(std::vector<std::string> names, AdminTimeout timeout) {
  return client::wait_for(*impl_, timeout, client::delete_topics(impl_, std::move(names), timeout));
}

std::vector<TopicListing> Admin::list_topics(bool with_internal, AdminTimeout timeout) {
  return client::wait_for(*impl_, timeout, client::list_topics(impl_, with_internal, timeout));
}

std::vector<TopicDescription> Admin::describe_topics(std::vector<std::string> names, AdminTimeout timeout) {
  return client::wait_for(*impl_, timeout, client::describe_topics(impl_, std::move(names), timeout));
}

std::vector<ConfigDescription> Admin::describe_configs(std::vector<ConfigResource> resources, AdminTimeout timeout) {
  return client::wait_for(*impl_, timeout, client::describe_configs(impl_, std::move(resources), timeout));
}

ClusterDescription Admin::describe_cluster(AdminTimeout timeout) {
  return client::wait_for(*impl_, timeout, client::describe_cluster(impl_, timeout));
}

std::vector<ListedOffset> Admin::list_offsets(std::map<TopicPartition, OffsetSpec> partitions, AdminTimeout timeout) {
  return client::wait_for(*impl_, timeout, client::list_offsets(impl_, std::move(partitions), timeout));
}

std::vector<BrokerApiVersions> Admin::api_versions(AdminTimeout timeout) {
  return client::wait_for(*impl_, timeout, client::api_versions(impl_, timeout));
}

std::vector<GroupListing> Admin::list_groups(ListGroupsOptions options) {
  const AdminTimeout timeout = options.timeout;
  return client::wait_for(*impl_, timeout, client::list_groups(impl_, std::move(options)));
}

std::vector<GroupDescription> Admin::describe_groups(std::vector<std::string> group_ids, AdminTimeout timeout) {
  return client::wait_for(*impl_, timeout, client::describe_groups(impl_, std::move(group_ids), timeout));
}

std::vector<DeletedGroup> Admin::delete_groups(std::vector<std::string> group_ids, AdminTimeout timeout) {
  return client::wait_for(*impl_, timeout, client::delete_groups(impl_, std::move(group_ids), timeout));
}

Offsets Admin::list_group_offsets(std::string group_id, AdminTimeout timeout) {
  return client::wait_for(*impl_, timeout, client::list_group_offsets(impl_, std::move(group_id), timeout));
}

std::vector<GroupOffsetResult> Admin::alter_group_offsets(std::string group_id, Offsets offsets, AdminTimeout timeout) {
  return client::wait_for(*impl_, timeout,
                          client::alter_group_offsets(impl_, std::move(group_id), std::move(offsets), timeout));
}

std::vector<GroupOffsetResult> Admin::delete_group_offsets(std::string group_id, std::vector<TopicPartition> partitions,
                                                           AdminTimeout timeout) {
  return client::wait_for(*impl_, timeout,
                          client::delete_group_offsets(impl_, std::move(group_id), std::move(partitions), timeout));
}

void Admin::close() {
  impl_->close();
}

AdminMetrics Admin::metrics() const {
  return {.connections = impl_->router().metrics()};
}

}  // namespace v0
}  // namespace barnabas
