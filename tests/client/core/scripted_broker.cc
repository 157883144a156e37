#include "tests/client/core/scripted_broker.h"

#include <array>

namespace barnabas::client {

using protocol::ApiKey;

ScriptedBroker::ScriptedBroker(runtime::VirtualEnv& env, net::MemoryNetwork& network, std::string host,
                               std::uint16_t port)
    : env_(env), network_(network), host_(std::move(host)), port_(port) {
  start();
}

ScriptedBroker::~ScriptedBroker() {
  stop();
}

void ScriptedBroker::on(ApiKey api, std::int16_t min_version, std::int16_t max_version, Handler handler) {
  state_->handlers[api] = {{min_version, max_version}, std::move(handler)};
}

void ScriptedBroker::serve_metadata(protocol::MetadataResponse response) {
  on(ApiKey::metadata, 0, 12,
     [response](std::int16_t version, Reader&, Writer& out) { return response.encode(out, version).has_value(); });
}

int ScriptedBroker::requests(ApiKey api) const {
  const auto found = state_->requests.find(api);
  return found == state_->requests.end() ? 0 : found->second;
}

void ScriptedBroker::start() {
  if (state_->acceptor) return;
  auto acceptor = network_.listen(env_.executor(), host_, port_, {});
  if (!acceptor) return;
  state_->acceptor = std::move(*acceptor);
  asio::co_spawn(env_.executor(), accept_loop(state_, env_.executor()), asio::detached);
}

void ScriptedBroker::stop() {
  if (state_->acceptor) state_->acceptor->close();
  for (const auto& weak : state_->streams) {
    if (const auto stream = weak.lock()) stream->close();
  }
  state_->streams.clear();
  env_.run_for(std::chrono::milliseconds(0));
  state_->acceptor.reset();
}

asio::awaitable<void> ScriptedBroker::accept_loop(std::shared_ptr<State> state, asio::any_io_executor executor) {
  for (;;) {
    auto stream = co_await state->acceptor->accept(executor);
    if (!stream) co_return;
    std::shared_ptr<net::ByteStream> shared = std::move(*stream);
    state->streams.push_back(shared);
    ++state->connections;
    asio::co_spawn(executor, serve(state, shared), asio::detached);
  }
}

asio::awaitable<void> ScriptedBroker::serve(std::shared_ptr<State> state, std::shared_ptr<net::ByteStream> stream) {
  net::FrameReader frames(*stream, 1 << 20);
  for (;;) {
    Bytes spare;
    const auto frame = co_await frames.next(std::move(spare));
    if (!frame) co_return;
    Writer response;
    state->hold = {};
    if (!answer(*state, *frame, response)) continue;
    if (state->hold > runtime::Duration{}) co_await state->env.sleep_for(state->hold);
    const std::array<BytesView, 1> parts{response.view()};
    const std::span<const BytesView> view(parts);
    const auto written = co_await stream->write(view);
    if (!written) co_return;
  }
}

bool ScriptedBroker::answer(State& state, BytesView request, Writer& response) {
  Reader reader(request);
  const auto header = protocol::decode_request_header(reader);
  if (!header) return false;
  const auto api = static_cast<ApiKey>(header->request_api_key);
  const std::int16_t version = header->request_api_version;
  ++state.requests[api];
  protocol::begin_frame(response);
  if (!protocol::encode_response_header(response, api, version, header->correlation_id)) return false;
  const auto found = state.handlers.find(api);
  if (found == state.handlers.end()) {
    if (api != ApiKey::api_versions) return false;
    answer_api_versions(state, version, response);
  } else if (!found->second.second(version, reader, response)) {
    return false;
  }
  protocol::end_frame(response, 0);
  return true;
}

void ScriptedBroker::answer_api_versions(State& state, std::int16_t version, Writer& response) {
  protocol::ApiVersionsResponse body;
  for (const auto& [api, entry] : state.handlers) {
    auto& row = body.api_keys.emplace_back();
    row.api_key = static_cast<std::int16_t>(api);
    row.min_version = entry.first.first;
    row.max_version = entry.first.second;
  }
  static_cast<void>(body.encode(response, version));
}

protocol::MetadataResponse cluster(const std::vector<std::string>& hosts,
                                   const std::map<std::string, std::vector<std::int32_t>>& leaders) {
  protocol::MetadataResponse response;
  response.cluster_id = "test-cluster";
  response.controller_id = 1;
  std::int32_t id = 0;
  for (const std::string& host : hosts) {
    auto& broker = response.brokers.emplace_back();
    broker.node_id = ++id;
    broker.host = host;
    broker.port = 9092;
  }
  for (const auto& [name, partitions] : leaders) {
    auto& topic = response.topics.emplace_back();
    topic.name = name;
    for (std::size_t i = 0; i < partitions.size(); ++i) {
      auto& partition = topic.partitions.emplace_back();
      partition.partition_index = static_cast<std::int32_t>(i);
      partition.leader_id = partitions[i];
      partition.leader_epoch = 1;
    }
  }
  return response;
}

}  // namespace barnabas::client
