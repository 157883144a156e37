#pragma once

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/bytes/writer.h"
#include "common/net/framing.h"
#include "common/net/memory_network.h"
#include "common/protocol/headers.h"
#include "common/protocol/messages/api_versions.h"
#include "common/protocol/messages/metadata.h"
#include "common/runtime/virtual_env.h"

namespace barnabas::client {

/// A broker that answers as a test says: over a network in memory, with the real codec.
class ScriptedBroker {
 public:
  /// Fills the answer's body; false: never answers.
  using Handler = std::function<bool(std::int16_t version, Reader& request, Writer& response)>;

  ScriptedBroker(runtime::VirtualEnv& env, net::MemoryNetwork& network, std::string host, std::uint16_t port);
  ~ScriptedBroker();

  void on(protocol::ApiKey api, std::int16_t min_version, std::int16_t max_version, Handler handler);
  /// Answers Metadata with this, whatever topics are asked for.
  void serve_metadata(protocol::MetadataResponse response);
  /// From within a handler: its answer leaves that much later, and with it those behind it on the same connection.
  void hold_answer(runtime::Duration how_long) { state_->hold = how_long; }
  /// Breaks all connections and refuses new ones.
  void stop();
  void start();

  int connections() const { return state_->connections; }
  int requests(protocol::ApiKey api) const;

 private:
  struct State {
    explicit State(runtime::Env& the_env) : env(the_env) {}
    runtime::Env& env;
    runtime::Duration hold{};
    std::map<protocol::ApiKey, std::pair<std::pair<std::int16_t, std::int16_t>, Handler>> handlers;
    std::map<protocol::ApiKey, int> requests;
    std::unique_ptr<net::Acceptor> acceptor;
    std::vector<std::weak_ptr<net::ByteStream>> streams;
    int connections = 0;
  };
  static asio::awaitable<void> accept_loop(std::shared_ptr<State> state, asio::any_io_executor executor);
  static asio::awaitable<void> serve(std::shared_ptr<State> state, std::shared_ptr<net::ByteStream> stream);
  static bool answer(State& state, BytesView request, Writer& response);
  static void answer_api_versions(State& state, std::int16_t version, Writer& response);

  runtime::VirtualEnv& env_;
  net::MemoryNetwork& network_;
  std::string host_;
  std::uint16_t port_;
  std::shared_ptr<State> state_ = std::make_shared<State>(env_);
};

/// A cluster's answer: brokers 1..n on the given hosts (port 9092), and topics whose partitions are led by the given
/// ids.
protocol::MetadataResponse cluster(const std::vector<std::string>& hosts,
                                   const std::map<std::string, std::vector<std::int32_t>>& leaders = {});

}  // namespace barnabas::client
