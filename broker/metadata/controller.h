#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "broker/metadata/controller_client.h"
#include "broker/metadata/delta.h"
#include "broker/metadata/image.h"
#include "common/bytes/result.h"
#include "common/runtime/env.h"

namespace barnabas::metadata {

class MetadataLog;

struct ControllerOptions {
  std::int32_t node_id = 1;
  std::string directory;  ///< Data directory that holds __cluster_metadata-0; formatted already (data_directory.h).
  Uuid directory_id;      ///< From its meta.properties.
  std::vector<Uuid> log_directories;  ///< Ids of all data directories that take partitions; the first gets new ones.
  Endpoint controller_endpoint{"CONTROLLER", "localhost", 9093, 0};
  std::int32_t default_partitions = 1;          ///< num.partitions
  std::int16_t default_replication_factor = 1;  ///< default.replication.factor
  std::int64_t snapshot_after_bytes = 20 * 1024 * 1024;  ///< metadata.log.max.record.bytes.between.snapshots
};

/// What a broker says of itself when it joins.
struct BrokerRegistrationRequest {
  Uuid incarnation_id;
  std::vector<Endpoint> endpoints;  ///< As advertised, with the ports that were really bound.
  std::optional<std::string> rack;
};

/// Keeps the cluster's metadata: one serial queue, on one thread of its own. A request becomes records and a response; the
/// records are appended to the metadata log and synced, replayed into a new image, shown to the listeners, and only then
/// does the response leave. Nothing changes state but replay, so a start and a live change run through the same code.
/// Order of use: open, add_listener, register_broker, serve, shutdown.
/// Errors: an append that fails changes nothing and answers KAFKA_STORAGE_ERROR; after a failed sync every later change
/// fails the same way (failed() says why: the process should end).
/// Source: Kafka's QuorumController and its control managers.
class Controller final : public ControllerClient {
 public:
  /// Replays the metadata log, or writes a fresh directory's first records, and takes the next leader epoch.
  /// Errors: a finalised feature above what we know, a log that cannot be read, a directory that cannot be written.
  static Result<std::unique_ptr<Controller>> open(runtime::Env& env, ControllerOptions options);
  ~Controller() override;

  /// Called at once with everything there is, then on every change. Before register_broker only. The listener outlives this.
  void add_listener(MetadataListener* listener);
  /// Registers this broker, makes it leader of its partitions with new leader epochs, and unfences it. Blocks for the sync.
  Result<void> register_broker(const BrokerRegistrationRequest& request);
  /// Hands the partitions back and fences the broker, as Kafka's controlled shutdown does. Later requests fail.
  Result<void> shutdown();

  ImagePtr image() const override;
  asio::awaitable<protocol::CreateTopicsResponse> create_topics(protocol::CreateTopicsRequest request) override;
  asio::awaitable<protocol::DeleteTopicsResponse> delete_topics(protocol::DeleteTopicsRequest request) override;
  asio::awaitable<Result<ProducerIdBlock>> allocate_producer_ids() override;

  /// Of this broker; for .kafka_cleanshutdown. -1 before register_broker.
  std::int64_t broker_epoch() const;
  std::int32_t leader_epoch() const;

 private:
  class State;
  explicit Controller(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace barnabas::metadata
