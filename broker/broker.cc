#include "broker/broker.h"

#include <fmt/core.h>

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <chrono>
#include <utility>

#include "broker/api/all_apis.h"
#include "broker/api/fetch_session.h"
#include "broker/config/listeners.h"
#include "broker/group/group_coordinator.h"
#include "broker/metadata/controller.h"
#include "broker/metadata/meta_properties.h"
#include "broker/metadata/producer_id_manager.h"
#include "broker/metadata/topic_log_config.h"
#include "broker/metrics/broker_metrics.h"
#include "broker/metrics/metrics_server.h"
#include "broker/partition/replica_manager.h"
#include "broker/server/purgatory.h"
#include "broker/server/server.h"

namespace barnabas::broker {
namespace {

constexpr std::int64_t kShortestIntervalMs = 1;
constexpr runtime::Duration kFlushInterval =
    std::chrono::seconds(1);  // how exact flush.ms and file.delete.delay.ms are
constexpr runtime::Duration kCheckpointInterval = std::chrono::seconds(60);

}  // namespace

/// Its parts in the order of their start; they go in the opposite one.
class Broker::State {
 public:
  State(runtime::Env& env, net::Network& network, config::BrokerConfig config, BrokerOptions options)
      : env_(env), network_(network), config_(std::move(config)), options_(std::move(options)), purgatory_(env) {}

  Result<void> start() {
    if (auto done = listen(); !done) return done;
    if (auto done = open_data(); !done) return done;
    if (auto done = join_cluster(); !done) return done;
    if (auto done = start_metrics(); !done) return done;
    server_->serve();
    serving_ = true;
    start_tasks();
    return {};
  }

  Result<void> stop() {
    if (std::exchange(stopped_, true)) return {};
    purgatory_.shut_down();
    if (server_) server_->close_connections();
    stop_metrics();
    tasks_.reset();
    Result<void> result;
    if (groups_) groups_->stop();
    if (controller_) result = leave_cluster();
    if (server_) server_->stop();
    controller_.reset();
    if (server_) server_->clear();
    groups_.reset();
    replicas_.reset();
    return result;
  }

  const BrokerOptions& options() const { return options_; }
  const Server& server() const { return *server_; }
  const std::string& cluster_id() const { return directories_.cluster_id; }
  const std::string& data_directory() const { return config_.data_directories().front(); }
  std::uint16_t metrics_port() const { return metrics_port_; }

 private:
  /// The ports first: what is in use should not touch any data.
  Result<void> listen() {
    services_.env = &env_;
    services_.logger = options_.logger;
    services_.node_id = config_.node_id();
    services_.config = &config_;
    services_.purgatory = &purgatory_;
    services_.metrics = &metrics_;
    auto addresses = config::listeners_of(config_.values());
    if (!addresses) return failure(std::move(addresses.error()));
    auto advertised = config::advertised_listeners_of(config_.values(), "localhost");
    if (!advertised) return failure(std::move(advertised.error()));
    Result<Server::Options> options = Server::options_of(config_.values(), options_.reactors);
    if (!options) return failure(std::move(options.error()));
    server_ = std::make_unique<Server>(services_, all_apis(), network_, std::move(*options));
    for (std::size_t i = 0; i < addresses->size(); ++i) {
      if (auto bound = server_->bind((*addresses)[i], (*advertised)[i]); !bound) return bound;
    }
    return {};
  }

  Result<void> open_data() {
    const std::vector<std::string>& paths = config_.data_directories();
    if (paths.size() != 1) {
      return failure(Errc::invalid_config,
                     fmt::format("log.dirs names {} directories; one is served yet", paths.size()));
    }
    auto directories = metadata::open_data_directories(env_, paths, config_.metadata_directory(), config_.node_id());
    if (!directories) return failure(std::move(directories.error()));
    directories_ = std::move(*directories);
    services_.cluster_id = directories_.cluster_id;
    partition::ReplicaManagerOptions options;
    options.node_id = config_.node_id();
    options.directory = paths.front();
    options.log_settings.producer_id_expiration_ms = config_.values().get_int("producer.id.expiration.ms");
    options.topic_config = [this](const metadata::ConfigMap& overrides, const metadata::MetadataImage& image) {
      return metadata::topic_log_config(overrides, image, config_.values(), config_.node_id());
    };
    options.on_move = [this](const Uuid& topic_id, std::int32_t partition) {
      purgatory_.notify({topic_id, partition});
      if (groups_) groups_->on_move(topic_id, partition);
    };
    auto replicas = partition::ReplicaManager::open(env_, std::move(options), options_.logger.named("log"));
    if (!replicas && replicas.error().code == Errc::locked) {
      return failure(Errc::locked, fmt::format("data directory {} is in use by another broker", paths.front()));
    }
    if (!replicas) return failure(std::move(replicas.error()));
    replicas_ = std::move(*replicas);
    services_.replicas = replicas_.get();
    auto settings = group::GroupSettings::of(config_.values());
    if (!settings) return failure(std::move(settings.error()));
    groups_ = std::make_unique<group::GroupCoordinator>(env_, *settings, *replicas_, options_.logger.named("groups"));
    services_.groups = groups_.get();
    return {};
  }

  Result<void> join_cluster() {
    metadata::ControllerOptions options;
    options.node_id = config_.node_id();
    options.directory = config_.metadata_directory();
    options.directory_id = directories_.metadata_directory_id;
    options.log_directories = directories_.ids;
    options.unsynced_files = directories_.unsynced_files;
    options.config = &config_.values();
    options.on_fatal = [this](const Failure& why) {
      options_.logger.error("the metadata log failed: {}", why.message());
      if (options_.on_fatal) options_.on_fatal(why);
    };
    auto controller = metadata::Controller::open(env_, std::move(options));
    if (!controller) return failure(std::move(controller.error()));
    controller_ = std::move(*controller);
    services_.controller = controller_.get();
    controller_->add_listener(replicas_.get());
    controller_->add_listener(groups_.get());
    metadata::BrokerRegistrationRequest registration;
    for (const ListenerInfo& listener : server_->listeners()) {
      registration.endpoints.push_back(
          {listener.name, listener.advertised_host, static_cast<std::uint16_t>(listener.advertised_port), 0});
    }
    if (!config_.values().is_null("broker.rack")) registration.rack = config_.values().get_string("broker.rack");
    if (auto registered = controller_->register_broker(registration); !registered) return registered;
    for (const std::string& problem : replicas_->problems()) options_.logger.error("{}", problem);
    producer_ids_ = std::make_unique<metadata::ProducerIdManager>(*controller_);
    services_.producer_ids = producer_ids_.get();
    sessions_ = std::make_unique<FetchSessionCache>(
        static_cast<std::size_t>(config_.values().get_int("max.incremental.fetch.session.cache.slots")),
        [this] { return env_.random().next(); });
    services_.fetch_sessions = sessions_.get();
    return {};
  }

  Result<void> leave_cluster() {
    const std::int64_t epoch = controller_->broker_epoch();
    Result<void> result;
    if (serving_ && config_.values().get_bool("controlled.shutdown.enable")) result = controller_->shutdown();
    if (replicas_) {
      Result<void> closed = replicas_->shutdown(epoch);
      if (!closed && result) result = std::move(closed);
    }
    return result;
  }

  Result<void> start_metrics() {
    metrics_.set_partition_source([this] { return partition_gauges(); });
    metrics_.set_group_source([this] { return group_gauges(); });
    if (config_.values().is_null("metrics.port")) return {};
    metrics_reactor_ = env_.make_reactor("broker-metrics");
    metrics_server_ = std::make_unique<MetricsServer>(env_, network_, metrics_reactor_->executor(),
                                                      [this] { return metrics_.exposition(); });
    const auto port = static_cast<std::uint16_t>(config_.values().get_int("metrics.port"));
    if (auto started = metrics_server_->start("", port); !started)
      return failure(started.error().code, "metrics.port: " + started.error().subject);
    metrics_port_ = metrics_server_->port();
    return {};
  }

  /// The thread first, which reads what stops next; its context last, which the server's sockets live in.
  void stop_metrics() {
    if (metrics_reactor_) metrics_reactor_->stop();
    metrics_server_.reset();
    metrics_reactor_.reset();
  }

  std::vector<PartitionGauges> partition_gauges() const {
    std::vector<PartitionGauges> gauges;
    for (const partition::PartitionPtr& partition : replicas_->partitions()) {
      const log::PartitionLog& log = partition->log();
      gauges.push_back({partition->id().topic, partition->id().index, static_cast<std::int64_t>(log.size_bytes()),
                        log.log_start_offset(), log.log_end_offset()});
    }
    return gauges;
  }

  GroupGauges group_gauges() const {
    GroupGauges gauges;
    groups_->for_each([&gauges](const group::GroupShard& shard) {
      gauges.rebalances += shard.groups().rebalances();
      gauges.commits += shard.offsets().commits();
      for (const auto& [id, one] : shard.groups().all()) ++gauges.by_state[std::string(to_string(one->state()))];
      for (const auto& [id, topics] : shard.offsets().store().all()) {
        for (const auto& [topic, partitions] : topics) {
          for (const auto& [index, committed] : partitions) {
            gauges.lags.push_back({id, topic, index, committed.offset, 0});
          }
        }
      }
    });
    for (LagGauge& one : gauges.lags) {
      const partition::PartitionPtr read = replicas_->find(one.topic, one.partition);
      if (read) one.lag = std::max<std::int64_t>(0, read->log().high_watermark() - one.committed_offset);
    }
    return gauges;
  }

  void start_tasks() {
    tasks_ = env_.make_worker_pool("broker-tasks", 1);
    const auto setting = [this](const char* name) {
      return std::chrono::milliseconds(std::max(kShortestIntervalMs, config_.values().get_long(name)));
    };
    const auto start = [this](runtime::Duration interval, void (State::*task)()) {
      asio::co_spawn(tasks_->executor(), repeat(this, interval, task), asio::detached);
    };
    start(setting("log.retention.check.interval.ms"), &State::apply_retention);
    start(kFlushInterval, &State::flush);
    start(kCheckpointInterval, &State::checkpoint);
  }

  static asio::awaitable<void> repeat(State* self, runtime::Duration interval, void (State::*task)()) {
    for (;;) {
      const Result<void> slept = co_await self->env_.sleep_for(interval);
      if (!slept) co_return;
      (self->*task)();
    }
  }

  void apply_retention() { note(replicas_->logs().maintain()); }
  void flush() {
    note(replicas_->logs().purge_deleted());
    for (const partition::PartitionPtr& partition : replicas_->partitions()) {
      if (!partition->log().is_offline()) note(partition->log().flush_if_due());
    }
  }
  void checkpoint() { note(replicas_->checkpoint()); }
  void note(const Result<void>& result) {
    if (!result) options_.logger.error("{}", result.error().message());
  }

  runtime::Env& env_;
  net::Network& network_;
  const config::BrokerConfig config_;
  const BrokerOptions options_;
  BrokerServices services_;
  BrokerMetrics metrics_;
  Purgatory purgatory_;
  metadata::DataDirectories directories_;
  std::unique_ptr<partition::ReplicaManager> replicas_;
  std::unique_ptr<group::GroupCoordinator> groups_;
  std::unique_ptr<metadata::Controller> controller_;
  std::unique_ptr<metadata::ProducerIdManager> producer_ids_;
  std::unique_ptr<FetchSessionCache> sessions_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<runtime::Reactor> metrics_reactor_;
  std::unique_ptr<MetricsServer> metrics_server_;
  std::uint16_t metrics_port_ = 0;
  std::unique_ptr<runtime::WorkerPool> tasks_;
  bool serving_ = false;
  bool stopped_ = false;
};

Result<std::unique_ptr<Broker>> Broker::start(runtime::Env& env, net::Network& network, config::BrokerConfig config,
                                              BrokerOptions options) {
  for (const std::string& name : config.settings_without_effect()) {
    options.logger.info("{} is set and has no effect here", name);
  }
  auto state = std::make_unique<State>(env, network, std::move(config), std::move(options));
  Result<void> started = state->start();
  if (!started) {
    static_cast<void>(state->stop());  // the first failure is the one to tell
    return failure(std::move(started.error()));
  }
  return std::unique_ptr<Broker>(new Broker(std::move(state)));
}

Broker::Broker(std::unique_ptr<State> state) : state_(std::move(state)) {}

Broker::~Broker() {
  const Result<void> stopped = stop();
  if (!stopped) state_->options().logger.error("stop: {}", stopped.error().message());
}

Result<void> Broker::stop() {
  return state_->stop();
}
std::uint16_t Broker::port() const {
  return state_->server().port();
}
std::uint16_t Broker::metrics_port() const {
  return state_->metrics_port();
}
const std::string& Broker::cluster_id() const {
  return state_->cluster_id();
}
const std::string& Broker::data_directory() const {
  return state_->data_directory();
}
std::size_t Broker::connection_count() const {
  return state_->server().connection_count();
}

std::string Broker::listening_on() const {
  std::string text;
  for (const ListenerInfo& listener : state_->server().listeners()) {
    if (!text.empty()) text += ',';
    text += fmt::format("{}://{}:{}", listener.name, listener.advertised_host, listener.advertised_port);
  }
  return text;
}

}  // namespace barnabas::broker
