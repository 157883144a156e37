#include "client/core/broker_connection.h"

#include <algorithm>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/co_spawn.hpp>
#include <cstring>
#include <exception>

#include "client/core/connection_setup.h"
#include "common/protocol/headers.h"

namespace barnabas::client {
namespace {

constexpr std::size_t kReadAheadBytes = 64 * 1024;
constexpr std::size_t kSizeFieldBytes = 4;
constexpr std::size_t kMaxResponseBytes = std::size_t{512} << 20;  // ten times fetch.max.bytes' default
constexpr std::size_t kMaxRequestsPerWrite = 16;
constexpr std::size_t kFirstHeadBytes = 512;       // a Produce request for a few partitions, without its batches
constexpr std::size_t kMaxSpareHeadBytes = 16384;  // a larger one is rare, and not worth its memory
constexpr std::size_t kMaxSpareHeads = 8;
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
  runtime_->spawn(read_loop(shared_from_this()));
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
    Writer writer = start_frame(protocol::ApiKey::api_versions, version);
    if (auto encoded = send->request.encode(writer, version); !encoded) co_return failure(encoded.error());
    CallOptions none;
    const auto frame =
        co_await exchange(protocol::ApiKey::api_versions, version, std::move(writer), std::move(none), deadline);
    if (!frame) co_return failure(frame.error());
    const auto response = decode_api_versions(frame->view(), version);
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

Writer BrokerConnection::start_frame(protocol::ApiKey api, std::int16_t version) {
  Bytes memory;
  if (spare_heads_.empty()) {
    memory.reserve(kFirstHeadBytes);
  } else {
    memory = std::move(spare_heads_.back());
    spare_heads_.pop_back();
  }
  Writer writer(std::move(memory));
  protocol::begin_frame(writer);
  // A header fails only for a client.id above 32767 bytes, which the settings rule out.
  static_cast<void>(protocol::encode_request_header(writer, api, version, next_correlation_id_, options_.client_id));
  return writer;
}

std::shared_ptr<BrokerConnection::Exchange> BrokerConnection::enqueue(protocol::ApiKey api, std::int16_t version,
                                                                      Writer writer, CallOptions options,
                                                                      bool expects_answer) {
  auto exchange = std::make_shared<Exchange>(*runtime_);
  exchange->api = api;
  exchange->version = version;
  exchange->correlation_id = next_correlation_id_;
  exchange->expects_answer = expects_answer;
  exchange->admit = std::move(options.admit);
  next_correlation_id_ = next_correlation_id_ == INT32_MAX ? 0 : next_correlation_id_ + 1;
  protocol::end_frame(writer, 0);
  outgoing_.push_back({std::move(writer), std::move(options.external), exchange});
  if (expects_answer) {
    in_flight_.push_back(exchange);
    options_.counters->requests_in_flight.fetch_add(1, kRelaxed);
  }
  last_used_ = runtime_->now();
  if (!writing_) {
    writing_ = true;
    runtime_->spawn(write_loop(shared_from_this()));
  }
  return exchange;
}

asio::awaitable<Result<Frame>> BrokerConnection::exchange(protocol::ApiKey api, std::int16_t version, Writer writer,
                                                          CallOptions options, runtime::MonotonicTime deadline) {
  if (closed_) co_return failure(close_reason_);
  const auto started = runtime_->now();
  const auto sent = enqueue(api, version, std::move(writer), std::move(options), true);
  const GateResult waited = co_await sent->gate.wait(deadline);
  if (waited == GateResult::opened) {
    if (!sent->result) co_return failure(explained(api, sent->result.error()));
    co_return std::move(sent->result);
  }
  if (waited == GateResult::cancelled)
    co_return failure(Errc::cancelled, std::string(protocol::to_string(api)) + " to " + name_);
  const auto waited_ms = std::chrono::duration_cast<std::chrono::milliseconds>(runtime_->now() - started).count();
  options_.counters->requests_timed_out.fetch_add(1, kRelaxed);
  const std::string what = std::string(protocol::to_string(api)) + " to " + name_;
  close({Errc::disconnected,
         "the connection was closed because " + what + " got no answer within " + std::to_string(waited_ms) + " ms"});
  co_return failure(Errc::timed_out, what + ": no answer within " + std::to_string(waited_ms) + " ms");
}

asio::awaitable<Result<void>> BrokerConnection::write_only(protocol::ApiKey api, Writer writer, ExternalBytes external,
                                                           runtime::MonotonicTime deadline) {
  if (closed_) co_return failure(close_reason_);
  CallOptions options;
  options.external = std::move(external);
  const auto sent = enqueue(api, 0, std::move(writer), std::move(options), false);
  const GateResult waited = co_await sent->gate.wait(deadline);
  const std::string what = std::string(protocol::to_string(api)) + " to " + name_;
  if (waited == GateResult::cancelled) co_return failure(Errc::cancelled, what);
  if (waited == GateResult::timed_out) {
    close({Errc::disconnected, "the connection was closed because " + what + " could not be written in time"});
    co_return failure(Errc::timed_out, what + ": could not be written in time");
  }
  if (!sent->result) co_return failure(explained(api, sent->result.error()));
  co_return Result<void>{};
}

asio::awaitable<void> BrokerConnection::write_loop(std::shared_ptr<BrokerConnection> self) {
  while (!self->outgoing_.empty() && !self->closed_) {
    self->collect_writes();
    const std::span<const BytesView> views(self->write_parts_);
    const auto written = co_await self->stream_->write(views);
    self->end_writes(written);
    if (!written) self->close(written.error());
  }
  self->writing_ = false;
}

void BrokerConnection::collect_writes() {
  while (!outgoing_.empty() && being_written_.size() < kMaxRequestsPerWrite) {
    being_written_.push_back(std::move(outgoing_.front()));
    outgoing_.pop_front();
  }
  write_parts_.clear();
  for (const Outgoing& out : being_written_) append_parts(write_parts_, out.head, out.external.parts);
  options_.counters->requests_sent.fetch_add(being_written_.size(), kRelaxed);
  options_.counters->bytes_sent.fetch_add(total_bytes(write_parts_), kRelaxed);
}

void BrokerConnection::end_writes(const Result<void>& written) {
  for (Outgoing& out : being_written_) {
    if (!out.exchange->expects_answer) {
      out.exchange->result = written ? Result<Frame>(Frame{}) : failure(written.error());
      out.exchange->gate.open();
    }
    Bytes memory = out.head.take();
    if (memory.capacity() > kMaxSpareHeadBytes || spare_heads_.size() >= kMaxSpareHeads) continue;
    memory.clear();
    spare_heads_.push_back(std::move(memory));
  }
  being_written_.clear();
}

asio::awaitable<void> BrokerConnection::read_loop(std::shared_ptr<BrokerConnection> self) {
  while (!self->closed_) {
    auto response = co_await self->read_response();
    if (response) {
      self->take_response(std::move(*response));
    } else {
      self->close(response.error());
    }
  }
}

asio::awaitable<Result<BrokerConnection::Incoming>> BrokerConnection::read_response() {
  if (auto filled = co_await fill(kSizeFieldBytes); !filled) co_return failure(filled.error());
  Reader reader(BytesView(input_).subspan(input_at_, kSizeFieldBytes));
  const std::int32_t announced = reader.int32();
  if (announced < 0 || static_cast<std::size_t>(announced) > kMaxResponseBytes) {
    co_return failure(Errc::corrupt_data, name_ + " announces a response of " + std::to_string(announced) + " bytes");
  }
  input_at_ += kSizeFieldBytes;
  const auto size = static_cast<std::size_t>(announced);
  const bool has_room = in_flight_.empty() || !in_flight_.front()->admit || in_flight_.front()->admit(size);
  if (!has_room) co_return co_await read_past(size);
  Frame frame{std::make_shared_for_overwrite<std::byte[]>(size), size};
  std::size_t done = std::min(size, input_end_ - input_at_);
  if (done > 0) std::memcpy(frame.storage.get(), input_.data() + input_at_, done);
  input_at_ += done;
  while (done < size) {
    const MutableBytesView rest(frame.storage.get() + done, size - done);
    const auto count = co_await stream_->read_some(rest);
    if (!count) co_return failure(count.error());
    done += *count;
  }
  options_.counters->bytes_received.fetch_add(size + kSizeFieldBytes, kRelaxed);
  co_return Incoming{std::move(frame), 0};
}

/// Keeps what the response's header may take.
asio::awaitable<Result<BrokerConnection::Incoming>> BrokerConnection::read_past(std::size_t size) {
  constexpr std::size_t kHeadBytes = 256;
  Frame head{std::make_shared_for_overwrite<std::byte[]>(kHeadBytes), std::min(size, kHeadBytes)};
  std::size_t done = 0;
  while (done < size) {
    if (auto filled = co_await fill(1); !filled) co_return failure(filled.error());
    const std::size_t count = std::min(size - done, input_end_ - input_at_);
    if (done < head.size) {
      std::memcpy(head.storage.get() + done, input_.data() + input_at_, std::min(count, head.size - done));
    }
    input_at_ += count;
    done += count;
  }
  options_.counters->bytes_received.fetch_add(size + kSizeFieldBytes, kRelaxed);
  co_return Incoming{std::move(head), size};
}

asio::awaitable<Result<void>> BrokerConnection::fill(std::size_t wanted_bytes) {
  if (input_.empty()) input_.resize(kReadAheadBytes);
  if (input_at_ == input_end_) input_at_ = input_end_ = 0;
  while (input_end_ - input_at_ < wanted_bytes) {
    if (input_end_ == input_.size()) {
      std::memmove(input_.data(), input_.data() + input_at_, input_end_ - input_at_);
      input_end_ -= input_at_;
      input_at_ = 0;
    }
    const MutableBytesView room = MutableBytesView(input_).subspan(input_end_);
    const auto count = co_await stream_->read_some(room);
    if (!count) co_return failure(count.error());
    input_end_ += *count;
  }
  co_return Result<void>{};
}

void BrokerConnection::take_response(Incoming response) {
  const Frame& frame = response.frame;
  if (in_flight_.empty()) return close({Errc::corrupt_data, name_ + " answered what was not asked"});
  const auto exchange = in_flight_.front();
  Reader reader(frame.view());
  const auto header = protocol::decode_response_header(reader, exchange->api, exchange->version);
  if (!header || header->correlation_id != exchange->correlation_id) {
    return close({Errc::corrupt_data, name_ + " answered out of order"});
  }
  in_flight_.pop_front();
  options_.counters->requests_in_flight.fetch_sub(1, kRelaxed);
  options_.counters->responses_received.fetch_add(1, kRelaxed);
  last_used_ = runtime_->now();
  const std::size_t skipped = reader.position();
  std::shared_ptr<std::byte[]> body(frame.storage, frame.storage.get() + skipped);
  if (response.refused_bytes > 0) {
    exchange->result =
        failure(Errc::buffer_full, "no room for an answer of " + std::to_string(response.refused_bytes) + " bytes");
  } else {
    exchange->result = Frame{std::move(body), frame.size - skipped};
  }
  exchange->gate.open();
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
  for (Outgoing& out : std::exchange(outgoing_, {})) {
    if (out.exchange->expects_answer) continue;
    out.exchange->result = failure(close_reason_);
    out.exchange->gate.open();
  }
  for (const auto& exchange : std::exchange(in_flight_, {})) {
    exchange->result = failure(close_reason_);
    exchange->gate.open();
  }
}

Failure BrokerConnection::explained(protocol::ApiKey api, const Failure& cause) const {
  return {cause.code,
          std::string(protocol::to_string(api)) + " to " + name_ + (cause.subject.empty() ? "" : ": " + cause.subject)};
}

}  // namespace barnabas::client
