#pragma once

#include <asio/cancellation_signal.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "client/core/api_usage.h"
#include "client/core/bootstrap.h"
#include "client/core/broker_versions.h"
#include "client/core/client_runtime.h"
#include "client/core/connection_counters.h"
#include "common/bytes/reader.h"
#include "common/bytes/writer.h"
#include "common/net/byte_stream.h"
#include "common/protocol/api_keys.h"
#include "common/runtime/logging.h"

namespace barnabas::client {

/// A response's bytes, behind its size field. Views into it live as long as a copy of it does. The memory is not zeroed
/// first.
struct Frame {
  std::shared_ptr<std::byte[]> storage;
  std::size_t size = 0;
  BytesView view() const noexcept { return {storage.get(), size}; }
};

/// A decoded response with the frame that its RecordsRef and other views point into.
template <typename Response>
struct Reply {
  Response body;
  std::int16_t version = 0;
  Frame frame;
};

/// Record batches that go into a request without being copied: in the order of its RecordsRefs with external_bytes > 0,
/// whose lengths they must have. `owner` keeps the bytes, and `parts`, until they are written.
struct ExternalBytes {
  std::span<const BytesView> parts;
  std::shared_ptr<const void> owner;
};

/// How a call may differ from the plain one.
struct CallOptions {
  std::optional<VersionRange> versions{};  ///< Narrower than client_versions(); both must allow it.
  ExternalBytes external{};
  /// Asked when the size of the answer is known; false: it is not kept, and the call fails with Errc::buffer_full.
  std::function<bool(std::size_t bytes)> admit{};
};

struct ConnectionOptions {
  std::string client_id;
  int send_buffer_bytes = -1;
  int receive_buffer_bytes = -1;
  std::shared_ptr<ConnectionCounters> counters;
};

/// One connection to one broker, past its ApiVersions exchange. Requests are written in the order in which call() was
/// first resumed, several at a time; the broker answers in that order. A request that gets no answer by its deadline
/// closes the connection (the answer to the next one would wait behind it), as Kafka's does. Threads: the executor's
/// only. Errors: all name broker, API and cause. Errc::timed_out, Errc::disconnected, Errc::closed,
/// Errc::unsupported_version, Errc::corrupt_data.
class BrokerConnection : public std::enable_shared_from_this<BrokerConnection> {
 public:
  /// `broker_id` -1: a bootstrap address. Nothing is done before open().
  BrokerConnection(std::shared_ptr<ClientRuntime> runtime, std::int32_t broker_id, HostAndPort address,
                   ConnectionOptions options);
  ~BrokerConnection();

  /// Connects, asks for ApiVersions (falling back to version 0); then it is ready for calls. Once. On failure it is
  /// closed.
  asio::awaitable<Result<void>> open(runtime::MonotonicTime deadline);

  /// Sends a request in the highest version that both sides and `options` allow, and waits for its answer.
  /// `auto reply = co_await connection->call<protocol::FetchResponse>(std::move(request), deadline);`
  template <typename Response, typename Request>
  asio::awaitable<Result<Reply<Response>>> call(Request request, runtime::MonotonicTime deadline,
                                                CallOptions options = {}) {
    const auto self = shared_from_this();
    const auto version = version_for(Request::kApiKey, options.versions);
    if (!version) co_return failure(version.error());
    auto writer = encoded(request, *version);
    if (!writer) co_return failure(writer.error());
    const auto frame = co_await exchange(Request::kApiKey, *version, std::move(*writer), std::move(options), deadline);
    if (!frame) co_return failure(frame.error());
    co_return decoded<Response>(Request::kApiKey, *version, *frame);
  }
  /// The same for a request that its owner uses again, memory and all.
  template <typename Response, typename Request>
  asio::awaitable<Result<Reply<Response>>> call_shared(std::shared_ptr<const Request> request,
                                                       runtime::MonotonicTime deadline, CallOptions options = {}) {
    const auto self = shared_from_this();
    const auto version = version_for(Request::kApiKey, options.versions);
    if (!version) co_return failure(version.error());
    auto writer = encoded(*request, *version);
    if (!writer) co_return failure(writer.error());
    const auto frame = co_await exchange(Request::kApiKey, *version, std::move(*writer), std::move(options), deadline);
    if (!frame) co_return failure(frame.error());
    co_return decoded<Response>(Request::kApiKey, *version, *frame);
  }

  /// Sends a request that has no answer (Produce with acks=0); returns when it is written.
  template <typename Request>
  asio::awaitable<Result<void>> send_only(std::shared_ptr<const Request> request, runtime::MonotonicTime deadline,
                                          CallOptions options = {}) {
    const auto self = shared_from_this();
    const auto version = version_for(Request::kApiKey, options.versions);
    if (!version) co_return failure(version.error());
    auto writer = encoded(*request, *version);
    if (!writer) co_return failure(writer.error());
    co_return co_await write_only(Request::kApiKey, std::move(*writer), std::move(options.external), deadline);
  }

  /// The version that call() would take now.
  Result<std::int16_t> version_for(protocol::ApiKey api, std::optional<VersionRange> narrower = {}) const;
  const BrokerVersions& versions() const noexcept { return versions_; }

  bool is_open() const noexcept { return !closed_; }
  /// Ends all calls under way with `why`. May be called twice.
  void close(Failure why);
  /// Why it is closed.
  const Failure& close_reason() const noexcept { return close_reason_; }
  std::size_t in_flight() const noexcept { return in_flight_.size(); }
  std::int32_t broker_id() const noexcept { return broker_id_; }
  const HostAndPort& address() const noexcept { return address_; }
  /// "broker 1 (localhost:9092)" or "bootstrap server localhost:9092".
  const std::string& name() const noexcept { return name_; }
  /// A bootstrap address turned out to be this broker.
  void set_broker_id(std::int32_t broker_id);
  /// When the last request was sent or answer received: for connections.max.idle.ms.
  runtime::MonotonicTime last_used() const noexcept { return last_used_; }

 private:
  struct Exchange {
    explicit Exchange(const ClientRuntime& runtime) : gate(runtime.timers(), runtime.executor()) {}
    protocol::ApiKey api{};
    std::int16_t version = 0;
    std::int32_t correlation_id = 0;
    bool expects_answer = true;
    std::function<bool(std::size_t)> admit;
    Gate gate;
    Result<Frame> result = failure(Errc::closed);
  };
  struct Outgoing {
    Writer head;             // size field, header, body
    ExternalBytes external;  // between the head's bytes, where it says
    std::shared_ptr<Exchange> exchange;
  };

  asio::awaitable<Result<void>> connect(runtime::MonotonicTime deadline);
  static asio::awaitable<void> connect_stream(std::shared_ptr<BrokerConnection> self);
  asio::awaitable<Result<void>> negotiate(runtime::MonotonicTime deadline);
  Writer start_frame(protocol::ApiKey api, std::int16_t version);
  /// A response as far as it was kept.
  struct Incoming {
    Frame frame;
    std::size_t refused_bytes = 0;  ///< Its size, where the caller has no room for it; `frame` is its head then.
  };

  std::shared_ptr<Exchange> enqueue(protocol::ApiKey api, std::int16_t version, Writer writer, CallOptions options,
                                    bool expects_answer);
  asio::awaitable<Result<Frame>> exchange(protocol::ApiKey api, std::int16_t version, Writer writer,
                                          CallOptions options, runtime::MonotonicTime deadline);
  asio::awaitable<Result<void>> write_only(protocol::ApiKey api, Writer writer, ExternalBytes external,
                                           runtime::MonotonicTime deadline);
  static asio::awaitable<void> write_loop(std::shared_ptr<BrokerConnection> self);
  void collect_writes();
  void end_writes(const Result<void>& written);
  static asio::awaitable<void> read_loop(std::shared_ptr<BrokerConnection> self);
  asio::awaitable<Result<Incoming>> read_response();
  asio::awaitable<Result<Incoming>> read_past(std::size_t size);
  asio::awaitable<Result<void>> fill(std::size_t wanted_bytes);
  void take_response(Incoming response);
  Failure explained(protocol::ApiKey api, const Failure& cause) const;

  template <typename Request>
  Result<Writer> encoded(const Request& request, std::int16_t version) {
    Writer writer = start_frame(Request::kApiKey, version);
    const auto done = request.encode(writer, version);
    if (!done) return failure(explained(Request::kApiKey, done.error()));
    return writer;
  }
  template <typename Response>
  Result<Reply<Response>> decoded(protocol::ApiKey api, std::int16_t version, const Frame& frame) const {
    Reader reader(frame.view());
    auto body = Response::decode(reader, version);
    if (!body) return failure(explained(api, body.error()));
    return Reply<Response>{std::move(*body), version, frame};
  }

  std::shared_ptr<ClientRuntime> runtime_;
  std::int32_t broker_id_;
  HostAndPort address_;
  ConnectionOptions options_;
  std::string name_;
  std::unique_ptr<net::ByteStream> stream_;
  BrokerVersions versions_;
  std::shared_ptr<Gate> connected_;  // opened when the stream is there, or will not be
  asio::cancellation_signal connect_cancel_;
  Failure connect_failure_;
  std::deque<Outgoing> outgoing_;
  std::vector<Outgoing> being_written_;              // the write loop's
  std::vector<BytesView> write_parts_;               // of being_written_
  std::vector<Bytes> spare_heads_;                   // empty ones, with memory for the next requests
  std::deque<std::shared_ptr<Exchange>> in_flight_;  // sent or to be sent, in that order, those with an answer
  Bytes input_;                                      // read ahead, used from input_at_ to input_end_
  std::size_t input_at_ = 0;
  std::size_t input_end_ = 0;
  runtime::MonotonicTime last_used_{};
  std::int32_t next_correlation_id_ = 0;
  bool writing_ = false;
  bool closed_ = false;
  Failure close_reason_;
};

}  // namespace barnabas::client
