#pragma once

#include <asio/awaitable.hpp>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "broker/server/api_table.h"
#include "broker/server/broker_services.h"
#include "broker/server/connection_limits.h"
#include "broker/server/request_context.h"
#include "broker/server/request_memory.h"
#include "broker/server/spare_frames.h"
#include "common/net/byte_stream.h"
#include "common/net/framing.h"
#include "common/runtime/env.h"

namespace barnabas::broker {

struct ConnectionOptions {
  std::int32_t max_request_bytes = 100 * 1024 * 1024;     ///< socket.request.max.bytes
  runtime::Duration max_idle = std::chrono::minutes(10);  ///< connections.max.idle.ms; zero or less: never.
  std::size_t max_in_flight = 100;  ///< Requests read whose answers are not written yet; beyond it nothing is read.
  std::size_t max_unsent_bytes = 1024 * 1024;  ///< The same for the bytes of answers that the client does not take.
};

/// One client's connection: reads requests, lets each take effect before the next one starts, writes the answers in
/// order. Only waiting overlaps: a fetch that polls, a produce that waits for acks=all. A frame that cannot be one
/// closes the connection with one line in the log, and nothing else notices. Threads: its stream's executor only. Kept
/// alive by its own coroutines.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  /// `on_end` is called once, by the destructor, on the stream's executor.
  Connection(std::shared_ptr<net::ByteStream> stream, const ListenerInfo& listener, BrokerServices& services,
             const ApiTable& apis, RequestMemory& memory, SpareFrames& spare_frames, ConnectionOptions options,
             std::unique_ptr<ConnectionLimits::Place> place, std::function<void(Connection*)> on_end);
  ~Connection();

  /// Starts the coroutines; they end with the connection.
  void start();
  /// Ends it without a word; requests that wait stop waiting.
  void close() noexcept;
  const std::string& peer() const noexcept { return info_.peer; }

 private:
  struct Exchange;
  using Self = std::shared_ptr<Connection>;

  static asio::awaitable<void> read_requests(Self self);
  static asio::awaitable<void> read_on(Self self);
  static asio::awaitable<void> next_turn(Self self);
  static asio::awaitable<void> send_soon(Self self);
  static asio::awaitable<void> write_answers(Self self);
  static asio::awaitable<void> watch_idleness(Self self);
  asio::awaitable<Result<void>> write_answer(std::shared_ptr<Exchange> exchange);

  Result<std::shared_ptr<Exchange>> begin(Bytes frame);
  void finish(Exchange& exchange, const Result<void>& outcome);
  void send_answers_with_the_next();
  void send_answers();
  bool begin_sending();
  void send_plain_answers();
  void end_writing(const Failure& why);
  void pop_answer();
  /// For what is no request that we could answer.
  void refuse(const std::string& reason);
  void close_behind_answers(const std::string& reason);
  void close_because(const std::string& reason);
  bool may_read() const;
  void wake_reader_when_room();
  void spawn(asio::awaitable<void> coroutine);

  const std::shared_ptr<net::ByteStream> stream_;
  BrokerServices& services_;
  const ApiTable& apis_;
  RequestMemory& memory_;
  SpareFrames& spare_frames_;
  const ConnectionOptions options_;
  std::unique_ptr<ConnectionLimits::Place> place_;
  const std::function<void(Connection*)> on_end_;
  ConnectionInfo info_;
  net::FrameReader frames_;
  std::deque<std::shared_ptr<Exchange>> exchanges_;  // in the order of their requests
  std::unique_ptr<runtime::Alarm> reader_wakes_;
  std::unique_ptr<runtime::Alarm> idleness_;
  runtime::MonotonicTime last_active_;
  std::size_t unsent_bytes_ = 0;  // of the answers in exchanges_
  bool is_writing_ = false;       // in a coroutine
  bool is_sending_posted_ = false;
  bool closed_ = false;
};

}  // namespace barnabas::broker
