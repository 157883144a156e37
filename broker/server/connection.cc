#include "broker/server/connection.h"

#include <algorithm>
#include <array>
#include <asio/co_spawn.hpp>
#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>
#include <chrono>
#include <exception>
#include <utility>

#include "broker/metrics/broker_metrics.h"
#include "broker/server/dispatch.h"
#include "common/net/framing.h"
#include "common/protocol/headers.h"

namespace barnabas::broker {
namespace {

constexpr std::size_t kFrameSizeBytes = 4;
constexpr std::size_t kUsualAnswerBytes = 256;
constexpr std::size_t kCopiedBytes = 16 * 1024;
constexpr std::size_t kGatheredBytes = 128 * 1024;
constexpr std::size_t kGatheredAnswers = 32;
constexpr std::chrono::milliseconds kLongestGathering{1};
constexpr runtime::MonotonicTime kNever = runtime::MonotonicTime::max();

/// The peer hung up, or we did: nothing that the log needs to say.
bool is_ordinary_end(const std::error_code& code) {
  return code == Errc::disconnected || code == Errc::closed || code == Errc::cancelled;
}

Result<void> append_copy(Bytes& out, BytesView before, const FileRegion& region) {
  out.insert(out.end(), before.begin(), before.end());
  const std::size_t start = out.size();
  out.resize(start + static_cast<std::size_t>(region.length));
  const Result<std::size_t> read = region.file->read_at(MutableBytesView(out).subspan(start), region.position);
  if (!read) return failure(read.error());
  if (*read == region.length) return {};
  return failure(Errc::corrupt_data, region.file->path() + " is shorter than what should be sent of it");
}

}  // namespace

struct Connection::Exchange {
  Exchange(BrokerServices& services, const ApiTable& apis, ConnectionInfo& connection, asio::any_io_executor executor)
      : context(services, apis, connection, std::move(executor)) {}

  RequestMemory::Share memory;
  RequestContext context;
  const ApiRow* row = nullptr;
  BytesView body;
  Writer out;
  runtime::MonotonicTime arrived;
  std::size_t frame_at = 0;  // of the answer, in out
  std::size_t sent = 0;      // of out
  bool is_read_on = false;   // it waits, and another reads the requests that follow
  bool finished = false;     // the answer may be written

  /// Bytes in memory that go out as they are; nothing of a file, no end of the connection.
  bool is_plain() const { return context.file_regions().empty() && context.close_reason().empty(); }
  BytesView unsent() const { return context.wants_answer() ? out.view().subspan(sent) : BytesView(); }
};

Connection::Connection(std::shared_ptr<net::ByteStream> stream, const ListenerInfo& listener, BrokerServices& services,
                       const ApiTable& apis, RequestMemory& memory, SpareFrames& spare_frames,
                       ConnectionOptions options, std::unique_ptr<ConnectionLimits::Place> place,
                       std::function<void(Connection*)> on_end)
    : stream_(std::move(stream)),
      services_(services),
      apis_(apis),
      memory_(memory),
      spare_frames_(spare_frames),
      options_(options),
      place_(std::move(place)),
      on_end_(std::move(on_end)),
      frames_(*stream_, options_.max_request_bytes, &spare_frames_),
      reader_wakes_(services.env->make_alarm(stream_->executor())),
      idleness_(services.env->make_alarm(stream_->executor())),
      last_active_(services.env->clock().now()) {
  info_.listener = &listener;
  info_.peer = stream_->peer_name();
  services_.metrics->connections_accepted.add();
  services_.metrics->connections.add(1);
}

Connection::~Connection() {
  place_.reset();
  services_.metrics->connections.add(-1);
  on_end_(this);
}

void Connection::start() {
  spawn(read_requests(shared_from_this()));
  if (options_.max_idle > runtime::Duration::zero()) spawn(watch_idleness(shared_from_this()));
}

void Connection::spawn(asio::awaitable<void> coroutine) {
  asio::co_spawn(stream_->executor(), std::move(coroutine), [self = shared_from_this()](std::exception_ptr problem) {
    if (!problem) return;
    try {
      std::rethrow_exception(problem);
    } catch (const std::exception& error) {
      self->close_behind_answers(std::string("internal error: ") + error.what());
    }
  });
}

void Connection::close() noexcept {
  if (std::exchange(closed_, true)) return;
  stream_->close();
  reader_wakes_->wake();
  idleness_->wake();
  for (const std::shared_ptr<Exchange>& exchange : exchanges_) exchange->context.cancel();
}

void Connection::close_because(const std::string& reason) {
  if (!closed_) services_.logger.warn("{} on {} closed: {}", info_.peer, info_.listener->name, reason);
  close();
}

void Connection::refuse(const std::string& reason) {
  services_.metrics->connections_malformed.add();
  close_behind_answers(reason);
}

/// What is finished leaves first, as far as it goes out at once.
void Connection::close_behind_answers(const std::string& reason) {
  send_answers();
  close_because(reason);
}

/// Reads a request and lets it take effect, again and again. Where one goes on to wait, another of these reads on.
asio::awaitable<void> Connection::read_requests(Self self) {
  for (std::size_t handled = 1; !self->closed_; ++handled) {
    const bool has_room = self->memory_.has_room();
    if (!has_room || !self->may_read()) {
      if (!has_room) self->wake_reader_when_room();
      co_await self->reader_wakes_->wait_until(kNever);
      continue;
    }
    Result<Bytes> frame = co_await self->frames_.next();
    if (self->closed_) break;
    if (!frame) {
      if (!is_ordinary_end(frame.error().code) || self->frames_.is_cut_short()) self->refuse(frame.error().message());
      break;
    }
    self->last_active_ = self->services_.env->clock().now();
    self->services_.metrics->network_bytes_in.add(kFrameSizeBytes + frame->size());
    Result<std::shared_ptr<Exchange>> begun = self->begin(std::move(*frame));
    if (!begun) {
      self->refuse(begun.error().subject);
      break;
    }
    std::shared_ptr<Exchange> exchange = std::move(*begun);
    const Result<void> outcome = co_await exchange->row->serve(exchange->context, exchange->body, exchange->out);
    self->finish(*exchange, outcome);
    if (exchange->is_read_on) {
      const bool has_to_write = self->begin_sending();
      exchange.reset();  // its memory does not wait for the answers of others
      if (has_to_write) co_await write_answers(self);
      co_return;
    }
    self->send_answers_with_the_next();
    if (handled % kGatheredAnswers == 0) co_await next_turn(self);
  }
  self->close();
}

asio::awaitable<void> Connection::read_on(Self self) {
  co_await next_turn(self);
  co_await read_requests(self);
}

/// Lets the reactor's other connections go first.
asio::awaitable<void> Connection::next_turn(Self self) {
  const asio::any_io_executor executor = self->stream_->executor();
  co_await asio::post(executor, asio::use_awaitable);
}

/// A client that asks and does not listen is not asked for more.
bool Connection::may_read() const {
  return exchanges_.size() < options_.max_in_flight && unsent_bytes_ <= options_.max_unsent_bytes;
}

void Connection::wake_reader_when_room() {
  memory_.when_room([self = weak_from_this(), executor = stream_->executor()] {
    asio::post(executor, [self] {
      if (const Self connection = self.lock()) connection->reader_wakes_->wake();
    });
  });
}

Result<std::shared_ptr<Connection::Exchange>> Connection::begin(Bytes frame) {
  Result<Admission> admission = admit(apis_, info_.listener->kind, frame);
  if (!admission) return failure(std::move(admission.error()));
  auto exchange = std::make_shared<Exchange>(services_, apis_, info_, stream_->executor());
  RequestContext& context = exchange->context;
  context.api_key_ = static_cast<std::int16_t>(admission->row->key);
  context.api_version_ = admission->api_version;
  context.correlation_id_ = admission->correlation_id;
  context.operation_ = admission->row->operation;
  context.client_id_ = std::move(admission->client_id);
  context.frame_ = std::move(frame);
  context.on_effect_ = [this, raw = exchange.get()] {
    raw->is_read_on = true;
    spawn(read_on(shared_from_this()));
  };
  exchange->memory = memory_.take(admission->row->memory.of(context.frame_.size()));
  exchange->arrived = last_active_;
  exchange->row = admission->row;
  exchange->body = BytesView(context.frame_).subspan(admission->body_at);
  exchange->out.reserve(kUsualAnswerBytes);
  exchange->frame_at = protocol::begin_frame(exchange->out);
  const Result<void> headed = protocol::encode_response_header(exchange->out, admission->row->key,
                                                               admission->api_version, admission->correlation_id);
  if (!headed) return failure(headed.error());
  exchanges_.push_back(exchange);
  return exchange;
}

void Connection::finish(Exchange& exchange, const Result<void>& outcome) {
  if (!outcome) {
    close_behind_answers(std::string(protocol::to_string(exchange.row->key)) +
                         " request: " + outcome.error().message());
    return;
  }
  protocol::end_frame(exchange.out, exchange.frame_at);
  exchange.finished = true;
  exchange.body = {};
  // A hundred answers may wait; the requests need not wait with them.
  spare_frames_.keep(std::exchange(exchange.context.frame_, Bytes()));
  unsent_bytes_ += exchange.out.size();
  ApiMetrics& counted = services_.metrics->api(exchange.row->key);
  counted.requests.add();
  if (exchange.context.has_error()) counted.errors.add();
  last_active_ = services_.env->clock().now();
  counted.latency.observe(last_active_ - exchange.arrived);
  exchange.context.on_effect_ = nullptr;
}

/// Answers to requests that arrived together leave together; but none waits long, nor for a request that may take its
/// time. What is not plain (a file's bytes, the connection's end) comes before the next request.
void Connection::send_answers_with_the_next() {
  const bool may_wait = frames_.has_whole_frame() && !closed_ && exchanges_.back()->is_plain() &&
                        exchanges_.size() < kGatheredAnswers &&
                        last_active_ - exchanges_.front()->arrived < kLongestGathering;
  if (!may_wait) return send_answers();
  if (std::exchange(is_sending_posted_, true)) return;
  spawn(send_soon(shared_from_this()));
}

asio::awaitable<void> Connection::send_soon(Self self) {
  co_await next_turn(self);
  self->is_sending_posted_ = false;
  self->send_answers();
}

/// Sends the answers that are finished and in turn. What the socket does not take at once is left to a coroutine.
void Connection::send_answers() {
  if (begin_sending()) spawn(write_answers(shared_from_this()));
}

/// Sends what goes out at once; whether write_answers() has to go on.
bool Connection::begin_sending() {
  if (is_writing_ || closed_) return false;
  send_plain_answers();
  is_writing_ = !closed_ && !exchanges_.empty() && exchanges_.front()->finished;
  return is_writing_;
}

void Connection::send_plain_answers() {
  std::array<BytesView, kGatheredAnswers> parts;
  std::size_t count = 0;
  for (const std::shared_ptr<Exchange>& exchange : exchanges_) {
    if (!exchange->finished || !exchange->is_plain() || count == parts.size()) break;
    parts[count++] = exchange->unsent();
  }
  if (count == 0) return;
  const Result<std::size_t> sent = stream_->write_now(std::span(parts).first(count));
  if (!sent) return end_writing(sent.error());
  std::size_t rest = *sent;
  for (; count > 0; --count) {
    Exchange& exchange = *exchanges_.front();
    const std::size_t unsent = exchange.unsent().size();
    if (rest < unsent) {
      exchange.sent += rest;
      return;
    }
    rest -= unsent;
    pop_answer();
  }
}

asio::awaitable<void> Connection::write_answers(Self self) {
  while (!self->closed_ && !self->exchanges_.empty() && self->exchanges_.front()->finished) {
    const std::shared_ptr<Exchange> exchange = self->exchanges_.front();
    if (!exchange->context.close_reason().empty()) {
      self->close_because(exchange->context.close_reason());
      co_return;
    }
    if (exchange->context.wants_answer()) {
      const Result<void> written = co_await self->write_answer(exchange);
      if (!written) {
        self->end_writing(written.error());
        co_return;
      }
    }
    self->last_active_ = self->services_.env->clock().now();
    self->pop_answer();
    self->send_plain_answers();
  }
  self->is_writing_ = false;
}

void Connection::end_writing(const Failure& why) {
  if (!is_ordinary_end(why.code)) close_because(why.message());
  close();
}

void Connection::pop_answer() {
  const Writer& out = exchanges_.front()->out;
  services_.metrics->network_bytes_out.add(out.size() + out.external_bytes());
  unsent_bytes_ -= out.size();
  exchanges_.pop_front();
  reader_wakes_->wake();
}

/// What is small in a file is cheaper copied, with its neighbours, than sent by a call of its own.
asio::awaitable<Result<void>> Connection::write_answer(std::shared_ptr<Exchange> exchange) {
  const BytesView own = exchange->out.view();
  const std::vector<FileRegion>& regions = exchange->context.file_regions();
  std::size_t at = exchange->sent;
  std::size_t next_region = 0;
  Bytes gathered;
  for (const ExternalPart& part : exchange->out.external_parts()) {
    if (next_region >= regions.size() || regions[next_region].length != part.length) {
      co_return failure(Errc::invalid_argument, "an answer's file regions do not fit its parts");
    }
    const BytesView before = own.subspan(at, part.position - at);
    const FileRegion& region = regions[next_region++];
    at = part.position;
    if (region.length <= kCopiedBytes) {
      Result<void> copied = append_copy(gathered, before, region);
      if (!copied) co_return copied;
      if (gathered.size() < kGatheredBytes) continue;
    }
    const std::array<BytesView, 2> parts{gathered, region.length <= kCopiedBytes ? BytesView{} : before};
    Result<void> sent = co_await stream_->write(parts);
    if (!sent) co_return sent;
    gathered.clear();
    if (region.length <= kCopiedBytes) continue;
    sent = co_await stream_->write_file(*region.file, region.position, region.length);
    if (!sent) co_return sent;
  }
  const std::array<BytesView, 2> rest{gathered, own.subspan(at)};
  if (rest[0].empty() && rest[1].empty()) co_return Result<void>{};
  co_return co_await stream_->write(rest);
}

asio::awaitable<void> Connection::watch_idleness(Self self) {
  while (!self->closed_) {
    const runtime::MonotonicTime now = self->services_.env->clock().now();
    // A request that waits is at work; an answer that nobody takes is not.
    const bool at_work = std::any_of(self->exchanges_.begin(), self->exchanges_.end(),
                                     [](const std::shared_ptr<Exchange>& exchange) { return !exchange->finished; });
    if (at_work) self->last_active_ = now;
    const runtime::MonotonicTime deadline = self->last_active_ + self->options_.max_idle;
    if (now >= deadline) {
      self->services_.logger.debug("{} closed: idle for connections.max.idle.ms", self->info_.peer);
      self->close();
      break;
    }
    co_await self->idleness_->wait_until(deadline);
  }
}

}  // namespace barnabas::broker
