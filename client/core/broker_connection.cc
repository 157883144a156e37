#include "client/core/broker_connection.h"

#include <algorithm>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/co_spawn.hpp>
#include <asio/use_awaitable.hpp>
#include <cstring>
#include <exception>

#include "client/core/connection_setup.h"
#include "common/protocol/headers.h"

namespace barnabas::client {
namespace {

constexpr std::size_t kReadAheadBytes = 64 * 1024;
constexpr std::size_t kSizeFieldBytes = 4;
constexpr std::size_t kMaxResponseBytes = std::size_t{512} << 20;  // ten times fetch.max.bytes' default
constexpr std::size_t kFirstHeadBytes = 512;       // a Produce request for a few partitions, without its batches
constexpr std::size_t kMaxSpareHeadBytes = 16384;  // a larger one is rare, and not worth its memory
constexpr std::size_t kMaxSpareExchanges = 8;
constexpr std::size_t kSmallFrameBytes = 1024;  // the answer to a Produce request for some twenty partitions
constexpr std::size_t kMaxSpareFrames = 8;
constexpr std::memory_order kRelaxed = std::memory_order_relaxed;

std::string name_of(std::int32_t broker_id, const HostAndPort& address) {
  if (broker_id < 0) return "bootstrap server " + address.to_string();
  return "broker " + std::to_string(broker_id) + " (" + address.to_string() + ')';
}

/// The frame's own bytes with the external ones in between.
void append_parts(std::vector<BytesView>& parts, const Writer& writer, std::span<const BytesView> external) {
  const BytesView head = writer.view();
  const std::vector<ExternalPart>& cuts = writer.external_parts();
  std::size_t done = 0;
  for (std::size_t i = 0; i < cuts.size() && i < external.size(); ++i) {
    parts.push_back(head.subspan(done, cuts[i].position - done));
    parts.push_back(external[i]);
    done = cuts[i].position;
  }
  parts.push_back(head.subspan(done));
}

std::size_t total_bytes(const std::vector<BytesView>& parts) {
  std::size_t total = 0;
  for (const BytesView part : parts) total += part.size();
  return total;
}

}  // namespace

BrokerConnection::BrokerConnection(std::shared_ptr<ClientRuntime> runtime, std::int32_t broker_id, HostAndPort address,
                                   ConnectionOptions options)
    : runtime_(std::move(runtime)),
      broker_id_(broker_id),
      address_(std::move(address)),
      options_(std::move(options)),
      name_(name_of(broker_id_, address_)),
      connected_(runtime_->make_gate()),
      last_used_(runtime_->now()) {}

BrokerConnection::~BrokerConnection() {
  if (!closed_) close({Errc::closed, name_});
  unlink();
}

void BrokerConnection::set_broker_id(std::int32_t broker_id) {
  broker_id_ = broker_id;
  name_ = name_of(broker_id_, address_);
}

asio::awaitable<Result<void>> BrokerConnection::open(runtime::MonotonicTime deadline) {
  const auto self = shared_from_this();
  auto connected = co_await connect(deadline);
  if (connected) connected = co_await negotiate(deadline);
  if (!connected) close(connected.error());
  co_return connected;
}

asio::awaitable<Result<void>> BrokerConnection::connect(runtime::MonotonicTime deadline) {
  asio::co_spawn(
      runtime_->executor(), connect_stream(shared_from_this()),
      asio::bind_cancellation_slot(connect_cancel_.slot(), [self = shared_from_this()](const std::exception_ptr&) {}));
  const GateResult waited = co_await connected_->wait(deadline);
  if (waited == GateResult::cancelled) co_return failure(Errc::cancelled, "connect to " + name_);
  if (waited == GateResult::timed_out)
    co_return failure(Errc::timed_out, "connect to " + name_ + ": no connection was made");
  if (closed_) co_return failure(close_reason_);
  if (!stream_) co_return failure(connect_failure_);
  options_.counters->connections_open.fetch_add(1, kRelaxed);
  options_.counters->connections_opened.fetch_add(1, kRelaxed);
  start_read();
  co_return Result<void>{};
}

asio::awaitable<void> BrokerConnection::connect_stream(std::shared_ptr<BrokerConnection> self) {
  const net::SocketOptions options{self->options_.send_buffer_bytes, self->options_.receive_buffer_bytes};
  const asio::any_io_executor executor = self->runtime_->executor();
  std::string host = self->address_.host;
  const std::uint16_t port = self->address_.port;
  auto stream = co_await self->runtime_->network().connect(executor, std::move(host), port, options);
  if (self->closed_) {
    if (stream) (*stream)->close();
  } else if (stream) {
    self->stream_ = std::move(*stream);
  } else {
    self->connect_failure_ = {stream.error().code, "connect to " + self->name_ + ": " + stream.error().subject};
  }
  self->connected_->open();
}

asio::awaitable<Result<void>> BrokerConnection::negotiate(runtime::MonotonicTime deadline) {
  ConnectionSetup setup;
  ConnectionSetup::Action action = setup.start();
  while (auto* send = std::get_if<ConnectionSetup::Send>(&action)) {
    const std::int16_t version = send->version;
    auto sent = encoded(send->request, version);
    if (!sent) co_return failure(sent.error());
    CallOptions none;
    const auto reply = co_await exchange(std::move(*sent), std::move(none), deadline);
    if (!reply) co_return failure(reply.error());
    const auto response = decode_api_versions(reply->frame.view(), version);
    if (!response) co_return failure(explained(protocol::ApiKey::api_versions, response.error()));
    action = setup.on_response(*response);
  }
  if (auto* failed = std::get_if<ConnectionSetup::Fail>(&action)) {
    co_return failure(explained(protocol::ApiKey::api_versions, failed->why));
  }
  versions_ = std::move(std::get<ConnectionSetup::Done>(action).versions);
  co_return Result<void>{};
}

Result<std::int16_t> BrokerConnection::version_for(protocol::ApiKey api, std::optional<VersionRange> narrower) const {
  if (closed_) return failure(close_reason_);
  VersionRange ours = client_versions(api);
  if (narrower) ours = {std::max(ours.min, narrower->min), std::min(ours.max, narrower->max)};
  auto version = versions_.pick(api, ours);
  if (!version) return failure(version.error().code, name_ + ": " + version.error().subject);
  return version;
}

// --- requests ---

BrokerConnection::ExchangePtr BrokerConnection::begin_exchange(protocol::ApiKey api, std::int16_t version) {
  ExchangePtr exchange;
  if (spare_exchanges_.empty()) {
    exchange = std::make_shared<Exchange>();
    exchange->head.reserve(kFirstHeadBytes);
  } else {
    exchange = std::move(spare_exchanges_.back());
    spare_exchanges_.pop_back();
  }
  exchange->api = api;
  exchange->version = version;
  exchange->correlation_id = next_correlation_id_;
  next_correlation_id_ = next_correlation_id_ == INT32_MAX ? 0 : next_correlation_id_ + 1;
  protocol::begin_frame(exchange->head);
  // A header fails only for a client.id above 32767 bytes, which the settings rule out.
  static_cast<void>(
      protocol::encode_request_header(exchange->head, api, version, exchange->correlation_id, options_.client_id));
  return exchange;
}

void BrokerConnection::enqueue(ExchangePtr exchange, CallOptions options, runtime::MonotonicTime deadline, Done done) {
  if (closed_) return done(failure(close_reason_));
  protocol::end_frame(exchange->head, 0);
  exchange->external = std::move(options.external);
  exchange->expects_answer = options.expects_answer;
  exchange->admit = std::move(options.admit);
  exchange->started = last_used_ = runtime_->now();
  exchange->done = std::move(done);
  Exchange* const raw = exchange.get();
  raw->timer = runtime_->timers()->add(deadline, [this, raw] { time_out(*raw); });
  raw->done.on_cancel([this, raw] { cancel(*raw); });
  if (callers_++ == 0) link(*runtime_->timers());
  if (raw->expects_answer) {
    in_flight_.push_back(exchange);
    options_.counters->requests_in_flight.fetch_add(1, kRelaxed);
  }
  outgoing_.push_back(std::move(exchange));
  start_write();
}

asio::awaitable<Result<RawReply>> BrokerConnection::exchange(ExchangePtr sent, CallOptions options,
                                                             runtime::MonotonicTime deadline) {
  auto start = [this, deadline, exchange = std::move(sent), how = std::move(options)](Done done) mutable {
    enqueue(std::move(exchange), std::move(how), deadline, std::move(done));
  };
  return initiate<Result<RawReply>>(asio::use_awaitable, runtime_->executor(), std::move(start));
}

/// Tells the caller. The answer, or the end of the write, may still come.
void BrokerConnection::finish(Exchange& exchange, Result<RawReply> result) {
  if (!exchange.done) return;
  runtime_->timers()->cancel(std::exchange(exchange.timer, {}));
  if (--callers_ == 0) unlink();
  Done done = std::move(exchange.done);
  done.clear_cancel();
  done(std::move(result));
}

void BrokerConnection::cancel(Exchange& exchange) {
  finish(exchange, failure(Errc::cancelled, name_call(exchange.api)));
}

void BrokerConnection::time_out(Exchange& exchange) {
  const std::string what = name_call(exchange.api);
  if (!exchange.expects_answer) {
    finish(exchange, failure(Errc::timed_out, what + ": could not be written in time"));
    close({Errc::disconnected, "the connection was closed because " + what + " could not be written in time"});
    return;
  }
  using std::chrono::milliseconds;
  const auto waited = std::chrono::duration_cast<milliseconds>(runtime_->now() - exchange.started);
  const std::string in_vain = " within " + std::to_string(waited.count()) + " ms";
  options_.counters->requests_timed_out.fetch_add(1, kRelaxed);
  finish(exchange, failure(Errc::timed_out, what + ": no answer" + in_vain));
  close({Errc::disconnected, "the connection was closed because " + what + " got no answer" + in_vain});
}

/// For the next request, where this was the last to hold it.
void BrokerConnection::keep(ExchangePtr exchange) {
  if (exchange.use_count() > 1 || exchange->head.capacity() > kMaxSpareHeadBytes) return;
  if (spare_exchanges_.size() >= kMaxSpareExchanges) return;
  exchange->head.clear();
  exchange->admit = nullptr;
  spare_exchanges_.push_back(std::move(exchange));
}

void BrokerConnection::abandon() {
  const auto self = shared_from_this();  // one of the callbacks may be the last to hold it
  unlink();
  callers_ = 0;
  std::vector<Done> dropped;
  const auto drop = [&dropped](const ExchangePtr& exchange) {
    if (!exchange->done) return;
    exchange->done.clear_cancel();
    dropped.push_back(std::move(exchange->done));
  };
  for (const ExchangePtr& exchange : outgoing_) drop(exchange);
  for (const ExchangePtr& exchange : being_written_) drop(exchange);
  for (const ExchangePtr& exchange : in_flight_) drop(exchange);
}

void BrokerConnection::start_write() {
  if (outgoing_.empty() || !being_written_.empty() || closed_) return;
  being_written_.swap(outgoing_);
  write_parts_.clear();
  for (const ExchangePtr& out : being_written_) append_parts(write_parts_, out->head, out->external.parts);
  options_.counters->requests_sent.fetch_add(being_written_.size(), kRelaxed);
  options_.counters->bytes_sent.fetch_add(total_bytes(write_parts_), kRelaxed);
  stream_->start_write(write_parts_, shared_from_this());
}

void BrokerConnection::on_written(Result<void> written) {
  for (ExchangePtr& out : being_written_) {
    out->external = {};
    if (!out->expects_answer) {
      finish(*out, written ? Result<RawReply>(RawReply{}) : failure(explained(out->api, written.error())));
    }
    keep(std::move(out));
  }
  being_written_.clear();
  if (!written) close(written.error());
  start_write();
}

// --- responses ---

/// Straight into the response that is arriving where all that was read ahead is used up, else ahead.
void BrokerConnection::start_read() {
  if (incoming_.is_under_way && !incoming_.is_refused) {
    const MutableBytesView whole(incoming_.frame.storage.get(), incoming_.size);
    return stream_->start_read(whole.subspan(incoming_.received), shared_from_this());
  }
  if (input_.empty()) input_.resize(kReadAheadBytes);
  if (input_at_ > 0) {
    std::memmove(input_.data(), input_.data() + input_at_, input_end_ - input_at_);  // less than a size field
    input_end_ -= std::exchange(input_at_, 0);
  }
  stream_->start_read(MutableBytesView(input_).subspan(input_end_), shared_from_this());
}

void BrokerConnection::on_read(Result<std::size_t> count) {
  if (closed_) return;
  if (!count) return close(count.error());
  if (incoming_.is_under_way && !incoming_.is_refused) {
    incoming_.received += *count;
  } else {
    input_end_ += *count;
  }
  while (!closed_ && take_response()) continue;
  if (!closed_) start_read();
}

/// What has arrived of the next response; false: it is not whole yet.
bool BrokerConnection::take_response() {
  if (!incoming_.is_under_way && !begin_response()) return false;
  Frame& frame = incoming_.frame;
  const std::size_t count = std::min(incoming_.size - incoming_.received, input_end_ - input_at_);
  if (count > 0 && incoming_.received < frame.size) {
    std::memcpy(frame.storage.get() + incoming_.received, input_.data() + input_at_,
                std::min(count, frame.size - incoming_.received));
  }
  input_at_ += count;
  incoming_.received += count;
  if (incoming_.received < incoming_.size) return false;
  options_.counters->bytes_received.fetch_add(incoming_.size + kSizeFieldBytes, kRelaxed);
  deliver(std::exchange(incoming_, {}));
  return true;
}

/// Reads the size of the next response and asks its caller for room; false: the size is not there, or cannot be.
bool BrokerConnection::begin_response() {
  constexpr std::size_t kHeadBytes = 256;  // what the header of a refused response may take
  if (input_end_ - input_at_ < kSizeFieldBytes) return false;
  Reader reader(BytesView(input_).subspan(input_at_, kSizeFieldBytes));
  const std::int32_t announced = reader.int32();
  if (announced < 0 || static_cast<std::size_t>(announced) > kMaxResponseBytes) {
    close({Errc::corrupt_data, name_ + " announces a response of " + std::to_string(announced) + " bytes"});
    return false;
  }
  input_at_ += kSizeFieldBytes;
  const auto size = static_cast<std::size_t>(announced);
  const bool has_room = in_flight_.empty() || !in_flight_.front()->admit || in_flight_.front()->admit(size);
  incoming_ = {.is_under_way = true, .is_refused = !has_room, .size = size};
  incoming_.frame = make_frame(has_room ? size : std::min(size, kHeadBytes));
  return true;
}

Frame BrokerConnection::make_frame(std::size_t size) {
  if (size > kSmallFrameBytes) return {std::make_shared_for_overwrite<std::byte[]>(size), size};
  if (spare_frames_.empty()) return {std::make_shared_for_overwrite<std::byte[]>(kSmallFrameBytes), size};
  Frame frame{std::move(spare_frames_.back()), size};
  spare_frames_.pop_back();
  return frame;
}

void BrokerConnection::reuse(RawReply reply) {
  std::shared_ptr<std::byte[]>& storage = reply.frame.storage;
  if (reply.frame.size > kSmallFrameBytes || storage.use_count() != 1) return;
  if (spare_frames_.size() < kMaxSpareFrames) spare_frames_.push_back(std::move(storage));
}

void BrokerConnection::deliver(Incoming response) {
  if (in_flight_.empty()) return close({Errc::corrupt_data, name_ + " answered what was not asked"});
  Reader reader(response.frame.view());
  ExchangePtr exchange = in_flight_.front();
  const auto header = protocol::decode_response_header(reader, exchange->api, exchange->version);
  if (!header || header->correlation_id != exchange->correlation_id) {
    return close({Errc::corrupt_data, name_ + " answered out of order"});
  }
  in_flight_.pop_front();
  options_.counters->requests_in_flight.fetch_sub(1, kRelaxed);
  options_.counters->responses_received.fetch_add(1, kRelaxed);
  last_used_ = runtime_->now();
  response.frame.begin = reader.position();
  if (response.is_refused) {
    const Failure why{Errc::buffer_full, "no room for an answer of " + std::to_string(response.size) + " bytes"};
    finish(*exchange, failure(explained(exchange->api, why)));
  } else {
    finish(*exchange, RawReply{std::move(response.frame), exchange->version});
  }
  keep(std::move(exchange));
}

void BrokerConnection::close(Failure why) {
  if (closed_) return;
  closed_ = true;
  close_reason_ = std::move(why);
  if (stream_) {
    stream_->close();
    options_.counters->connections_open.fetch_sub(1, kRelaxed);
  } else {
    options_.counters->connections_failed.fetch_add(1, kRelaxed);
    if (!connected_->is_open()) connect_cancel_.emit(asio::cancellation_type::terminal);
    connected_->open();
  }
  options_.counters->requests_in_flight.fetch_sub(in_flight_.size(), kRelaxed);
  // Those that were to be answered are in flight too; of the others on their way on_written() tells.
  for (const ExchangePtr& exchange : std::exchange(outgoing_, {})) {
    if (!exchange->expects_answer) finish(*exchange, failure(explained(exchange->api, close_reason_)));
  }
  for (const ExchangePtr& exchange : std::exchange(in_flight_, {})) {
    finish(*exchange, failure(explained(exchange->api, close_reason_)));
  }
}

std::string BrokerConnection::name_call(protocol::ApiKey api) const {
  return std::string(protocol::to_string(api)) + " to " + name_;
}

Failure BrokerConnection::explained(protocol::ApiKey api, const Failure& cause) const {
  return {cause.code, name_call(api) + (cause.subject.empty() ? "" : ": " + cause.subject)};
}

}  // namespace barnabas::client
