#pragma once

#include <asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "common/bytes/bytes.h"
#include "common/bytes/result.h"
#include "common/net/byte_stream.h"
#include "common/runtime/env.h"

namespace barnabas::net {

/// The client's side of one connection: many requests under way at once, answered in the order of sending.
/// Requests that wait while a write is under way leave together in the next one.
/// A request whose deadline passes ends the connection, as its answer could never be told from the next one's: all
/// others then fail with Errc::disconnected and that reason.
/// Threads: the stream's executor's only; calls may overlap freely.
class RequestChannel {
 public:
  RequestChannel(runtime::Env& env, std::unique_ptr<ByteStream> stream, std::int32_t response_bytes_max);
  RequestChannel(const RequestChannel&) = delete;
  RequestChannel& operator=(const RequestChannel&) = delete;
  /// Closes.
  ~RequestChannel();

  /// For the header of the next request: every number is given out once.
  std::int32_t next_correlation_id() noexcept;

  /// Sends a request and returns the whole response frame, which starts with its correlation id.
  /// `parts` are the request without its size, written as they lie; they must live until the call returns.
  /// Errors: Errc::timed_out at `deadline`; Errc::disconnected with the cause; Errc::closed after close();
  /// Errc::corrupt_data when the answer is another request's; Errc::cancelled when the coroutine is cancelled.
  asio::awaitable<Result<Bytes>> call(std::int32_t correlation_id, std::vector<BytesView> parts,
                                      runtime::MonotonicTime deadline);
  /// Sends a request that is not answered (Produce with acks=0); returns when it is written.
  asio::awaitable<Result<void>> send(std::vector<BytesView> parts, runtime::MonotonicTime deadline);

  /// Fails what is under way with Errc::closed. May be called twice.
  void close();
  bool is_open() const noexcept;
  /// Why it is not open any more; the code is Errc::ok while it is.
  const Failure& close_reason() const noexcept;
  /// Called once, when the connection ends for another reason than close(); not from inside a call of this class.
  void on_disconnect(std::function<void(const Failure&)> handler);

  /// Requests sent or waiting to be, and not answered yet.
  std::size_t in_flight() const noexcept;
  /// When something was last sent or received: for connections.max.idle.ms.
  runtime::MonotonicTime last_used() const noexcept;
  const std::string& peer_name() const noexcept;

 private:
  struct State;
  struct Request;
  static asio::awaitable<Result<Bytes>> run(std::shared_ptr<State> state, std::shared_ptr<Request> request,
                                            runtime::MonotonicTime deadline);
  static asio::awaitable<void> write_all(std::shared_ptr<State> state);
  static asio::awaitable<void> read_all(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace barnabas::net
