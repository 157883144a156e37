#pragma once

#include <asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/metadata/controller_client.h"
#include "broker/metadata/delta.h"
#include "broker/metadata/image.h"
#include "common/bytes/result.h"
#include "common/runtime/config_table.h"
#include "common/runtime/env.h"

namespace barnabas::metadata {

struct ControllerOptions {
  std::int32_t node_id = 1;
  std::string
      directory;      ///< Data directory that holds __cluster_metadata-0: DataDirectories made it (meta_properties.h).
  Uuid directory_id;  ///< From its meta.properties.
  std::vector<std::string> unsynced_files;  ///< To be synced with the log's first records (DataDirectories).
  std::vector<Uuid> log_directories;  ///< Ids of all directories that take partitions; the first gets the new ones.
  Endpoint controller_endpoint{"CONTROLLER", "localhost", 9093, 0};
  const runtime::ParsedConfig* config = nullptr;  ///< server.properties with its defaults; outlives the controller.
  /// Called once when the metadata log cannot be trusted any more (a failed sync): the process should end. May be
  /// empty.
  std::function<void(const Failure&)> on_fatal;
};

/// What a broker says of itself when it joins.
struct BrokerRegistrationRequest {
  std::vector<Endpoint> endpoints;  ///< As advertised, with the ports that were really bound.
  std::optional<std::string> rack;
};

/// Keeps the cluster's metadata: one serial queue, on a thread of its own. A request becomes records and a response;
/// the records are appended to the metadata log and synced, replayed into a new image, shown to the listeners, and only
/// then does the response leave. Nothing changes state but replay, so a start and a live change run through the same
/// code. Order of use: open, add_listener, register_broker, serve, shutdown. Errors: an append that fails changes
/// nothing and is answered with KAFKA_STORAGE_ERROR; after a failed sync every later change fails the same way. Source:
/// Kafka's QuorumController and its control managers.
class Controller final : public ControllerClient {
 public:
  /// Replays the metadata log, or writes a fresh directory's first records, and takes the next leader epoch.
  /// Errors: a finalised feature beyond what we know, a log that cannot be read, a directory that cannot be written.
  static Result<std::unique_ptr<Controller>> open(runtime::Env& env, ControllerOptions options);
  ~Controller() override;

  /// Called at once with everything there is, then on every change (image() is the new one by then). The listener
  /// outlives the controller.
  void add_listener(MetadataListener* listener);
  /// Registers this broker, makes it leader of its partitions with new leader epochs, and unfences it. Blocks for the
  /// sync.
  Result<void> register_broker(const BrokerRegistrationRequest& request);
  /// Hands the partitions back and fences the broker, as Kafka's controlled shutdown does, and closes the log.
  /// Listeners do not see it; later requests fail.
  Result<void> shutdown();

  ImagePtr image() const override;
  asio::awaitable<protocol::CreateTopicsResponse> create_topics(protocol::CreateTopicsRequest request) override;
  asio::awaitable<protocol::DeleteTopicsResponse> delete_topics(protocol::DeleteTopicsRequest request) override;
  asio::awaitable<Result<ProducerIdBlock>> allocate_producer_ids() override;

  /// Of this broker; for .kafka_cleanshutdown. -1 before register_broker.
  std::int64_t broker_epoch() const;
  /// Of the metadata log.
  std::int32_t leader_epoch() const;

 private:
  class State;
  explicit Controller(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;  // shared with nobody for long: work on the queue only asks whether it is still there
};

}  // namespace barnabas::metadata
