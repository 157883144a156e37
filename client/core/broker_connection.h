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

#include "barnabas/handler_async.h"
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

/// A response's bytes, behind its header. Views into it live as long as a copy of it does. The memory is not zeroed
/// first.
struct Frame {
  std::shared_ptr<std::byte[]> storage;
  std::size_t size = 0;
  std::size_t begin = 0;  ///< Behind the header.
  BytesView view() const noexcept { return BytesView(storage.get(), size).subspan(begin); }
};

/// A response that is not decoded yet.
struct RawReply {
  Frame frame;
  std::int16_t version = 0;
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
  bool expects_answer = true;  ///< Not: Produce with acks=0, which ends when it is written.
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
/// first resumed, or start() called, several at a time; the broker answers in that order. A request that gets no answer
/// by its deadline closes the connection (the answer to the next one would wait behind it), as Kafka's does.
/// Threads: the executor's only. Errors: all name broker, API and cause. Errc::timed_out, Errc::disconnected,
/// Errc::closed, Errc::unsupported_version, Errc::corrupt_data.
class BrokerConnection final : public std::enable_shared_from_this<BrokerConnection>,
                               public net::StreamUser,
                               private Abandonable {
 public:
  using Done = Handler<Result<RawReply>>;

  /// `broker_id` -1: a bootstrap address. Nothing is done before open().
  BrokerConnection(std::shared_ptr<ClientRuntime> runtime, std::int32_t broker_id, HostAndPort address,
                   ConnectionOptions options);
  ~BrokerConnection() override;

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
    auto sent = encoded(request, *version);
    if (!sent) co_return failure(sent.error());
    const auto reply = co_await exchange(std::move(*sent), std::move(options), deadline);
    if (!reply) co_return failure(reply.error());
    co_return decoded<Response>(*reply);
  }

  /// The same without a coroutine, and without an allocation once some requests have been answered. `done` is called
  /// later, never inside the call; its reply is for decoded(), and then for reuse().
  template <typename Request>
  void start(const Request& request, runtime::MonotonicTime deadline, CallOptions options, Done done) {
    const auto version = version_for(Request::kApiKey, options.versions);
    if (!version) return done(failure(version.error()));
    auto sent = encoded(request, *version);
    if (!sent) return done(failure(sent.error()));
    enqueue(std::move(*sent), std::move(options), deadline, std::move(done));
  }
  template <typename Response>
  Result<Reply<Response>> decoded(const RawReply& reply) const {
    Reader reader(reply.frame.view());
    auto body = Response::decode(reader, reply.version);
    if (!body) return failure(explained(Response::kApiKey, body.error()));
    return Reply<Response>{std::move(*body), reply.version, reply.frame};
  }
  /// The memory of a reply that its receiver is done with.
  void reuse(RawReply reply);

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
  /// A request on its way: to be written, to be answered, or both. Used again, with its memory.
  struct Exchange {
    protocol::ApiKey api{};
    std::int16_t version = 0;
    std::int32_t correlation_id = 0;
    Writer head;             // size field, header, body
    ExternalBytes external;  // between the head's bytes, where it says
    bool expects_answer = true;
    std::function<bool(std::size_t)> admit;
    runtime::MonotonicTime started{};
    Timers::Id timer;
    Done done;  // empty: the caller has been told
  };
  using ExchangePtr = std::shared_ptr<Exchange>;  // shared by the write and by the wait for the answer
  /// The response that is arriving.
  struct Incoming {
    bool is_under_way = false;
    bool is_refused = false;  // the caller has no room for it: `frame` is its head
    std::size_t size = 0;
    std::size_t received = 0;
    Frame frame;
  };

  asio::awaitable<Result<void>> connect(runtime::MonotonicTime deadline);
  static asio::awaitable<void> connect_stream(std::shared_ptr<BrokerConnection> self);
  asio::awaitable<Result<void>> negotiate(runtime::MonotonicTime deadline);
  ExchangePtr begin_exchange(protocol::ApiKey api, std::int16_t version);
  void enqueue(ExchangePtr exchange, CallOptions options, runtime::MonotonicTime deadline, Done done);
  asio::awaitable<Result<RawReply>> exchange(ExchangePtr sent, CallOptions options, runtime::MonotonicTime deadline);
  void finish(Exchange& exchange, Result<RawReply> result);
  void cancel(Exchange& exchange);
  void time_out(Exchange& exchange);
  void keep(ExchangePtr exchange);
  void abandon() override;
  Failure explained(protocol::ApiKey api, const Failure& cause) const;
  std::string name_call(protocol::ApiKey api) const;

  void start_write();
  void on_written(Result<void> written) override;
  void start_read();
  void on_read(Result<std::size_t> count) override;
  bool take_response();
  bool begin_response();
  Frame make_frame(std::size_t size);
  void deliver(Incoming response);

  template <typename Request>
  Result<ExchangePtr> encoded(const Request& request, std::int16_t version) {
    auto exchange = begin_exchange(Request::kApiKey, version);
    const auto done = request.encode(exchange->head, version);
    if (!done) return failure(explained(Request::kApiKey, done.error()));
    return exchange;
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
  std::vector<ExchangePtr> outgoing_;
  std::vector<ExchangePtr> being_written_;
  std::vector<BytesView> write_parts_;  // of being_written_
  std::deque<ExchangePtr> in_flight_;   // sent or to be sent, in that order, those with an answer
  std::vector<ExchangePtr> spare_exchanges_;
  std::size_t callers_ = 0;  // who are still to be told
  Bytes input_;              // read ahead, used from input_at_ to input_end_
  std::size_t input_at_ = 0;
  std::size_t input_end_ = 0;
  Incoming incoming_;
  std::vector<std::shared_ptr<std::byte[]>> spare_frames_;  // of small responses
  runtime::MonotonicTime last_used_{};
  std::int32_t next_correlation_id_ = 0;
  bool closed_ = false;
  Failure close_reason_;
};

}  // namespace barnabas::client
