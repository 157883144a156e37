#include "common/net/correlation.h"

#include <algorithm>
#include <array>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/post.hpp>
#include <deque>
#include <limits>
#include <optional>

#include "common/net/framing.h"

namespace barnabas::net {
namespace {

constexpr std::size_t kRequestsPerWrite = 32;

std::int32_t correlation_id_of(BytesView response) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | std::to_integer<std::uint32_t>(response[i]);
  return static_cast<std::int32_t>(value);
}

}  // namespace

struct RequestChannel::Request {
  enum class Progress { queued, being_written, written };
  std::int32_t correlation_id = 0;
  bool is_answered = true;
  std::vector<BytesView> parts;
  std::array<std::byte, 4> size_prefix{};
  Progress progress = Progress::queued;
  std::unique_ptr<runtime::Alarm> alarm;
  std::optional<Result<Bytes>> outcome;
  bool abandoned = false;  // its caller has gone: the answer is read and dropped

  void finish(Result<Bytes> result) {
    if (outcome) return;
    outcome.emplace(std::move(result));
    if (!abandoned) alarm->wake();
  }
};

struct RequestChannel::State {
  State(runtime::Env& the_env, std::unique_ptr<ByteStream> the_stream, std::int32_t response_bytes_max)
      : env(the_env),
        stream(std::move(the_stream)),
        frames(*stream, response_bytes_max),
        last_used(env.clock().now()) {}

  bool is_open() const { return !reason.code; }

  void end(Failure why, bool by_owner) {
    if (!is_open()) return;
    reason = std::move(why);
    stream->close();
    for (const auto& request : queued) request->finish(failure(reason));
    for (const auto& request : in_flight) request->finish(failure(reason));
    queued.clear();
    in_flight.clear();
    if (!by_owner && handler) {
      asio::post(stream->executor(), [handler = std::move(handler), why_copy = reason] { handler(why_copy); });
    }
    handler = nullptr;
  }

  runtime::Env& env;
  std::unique_ptr<ByteStream> stream;
  FrameReader frames;
  runtime::MonotonicTime last_used;
  std::deque<std::shared_ptr<Request>> queued;     // not given to the stream yet
  std::deque<std::shared_ptr<Request>> in_flight;  // written or being written, oldest first
  bool is_writing = false;
  std::int32_t next_id = 0;
  Failure reason;
  std::function<void(const Failure&)> handler;
};

RequestChannel::RequestChannel(runtime::Env& env, std::unique_ptr<ByteStream> stream, std::int32_t response_bytes_max)
    : state_(std::make_shared<State>(env, std::move(stream), response_bytes_max)) {
  asio::co_spawn(state_->stream->executor(), read_all(state_), asio::detached);
}

RequestChannel::~RequestChannel() {
  close();
}

std::int32_t RequestChannel::next_correlation_id() noexcept {
  const std::int32_t id = state_->next_id;
  state_->next_id = id == std::numeric_limits<std::int32_t>::max() ? 0 : id + 1;
  return id;
}

asio::awaitable<Result<Bytes>> RequestChannel::call(std::int32_t correlation_id, std::vector<BytesView> parts,
                                                    runtime::MonotonicTime deadline) {
  auto request = std::make_shared<Request>();
  request->correlation_id = correlation_id;
  request->parts = std::move(parts);
  return run(state_, std::move(request), deadline);
}

asio::awaitable<Result<void>> RequestChannel::send(std::vector<BytesView> parts, runtime::MonotonicTime deadline) {
  auto request = std::make_shared<Request>();
  request->is_answered = false;
  request->parts = std::move(parts);
  const std::shared_ptr<State> state = state_;
  Result<Bytes> sent = co_await run(state, request, deadline);
  if (!sent) co_return failure(std::move(sent.error()));
  co_return Result<void>{};
}

asio::awaitable<Result<Bytes>> RequestChannel::run(std::shared_ptr<State> state, std::shared_ptr<Request> request,
                                                   runtime::MonotonicTime deadline) {
  if (!state->is_open()) co_return failure(state->reason);
  const asio::any_io_executor executor = state->stream->executor();
  request->alarm = state->env.make_alarm(executor);
  state->queued.push_back(request);
  state->last_used = state->env.clock().now();
  if (!state->is_writing) {
    state->is_writing = true;
    asio::co_spawn(executor, write_all(state), asio::detached);
  }
  const Result<void> ended = co_await request->alarm->wait_until(deadline);
  if (request->outcome) co_return std::move(*request->outcome);
  request->abandoned = true;
  const bool timed_out = ended.has_value();
  const std::string& peer = state->stream->peer_name();
  if (request->progress == Request::Progress::queued) {
    state->queued.erase(std::remove(state->queued.begin(), state->queued.end(), request), state->queued.end());
  } else if (timed_out || request->progress == Request::Progress::being_written) {
    const char* why = timed_out ? " (a request was not answered in time)" : " (a request was cancelled half written)";
    state->end({make_error_code(Errc::disconnected), peer + why}, false);
  }
  if (timed_out) co_return failure(Errc::timed_out, "no answer from " + peer);
  co_return failure(ended.error());
}

asio::awaitable<void> RequestChannel::write_all(std::shared_ptr<State> state) {
  std::vector<BytesView> parts;
  std::vector<std::shared_ptr<Request>> batch;
  while (state->is_open() && !state->queued.empty()) {
    parts.clear();
    batch.clear();
    while (!state->queued.empty() && batch.size() < kRequestsPerWrite) {
      std::shared_ptr<Request> request = std::move(state->queued.front());
      state->queued.pop_front();
      std::size_t size = 0;
      for (const BytesView part : request->parts) size += part.size();
      for (std::size_t i = 0; i < 4; ++i) request->size_prefix[i] = static_cast<std::byte>(size >> (8 * (3 - i)));
      parts.push_back(request->size_prefix);
      parts.insert(parts.end(), request->parts.begin(), request->parts.end());
      request->progress = Request::Progress::being_written;
      state->in_flight.push_back(request);
      batch.push_back(std::move(request));
    }
    Result<void> written = co_await state->stream->write(parts);
    state->last_used = state->env.clock().now();
    if (!written) {
      state->end(std::move(written.error()), false);
      break;
    }
    for (const auto& request : batch) {
      request->progress = Request::Progress::written;
      if (request->is_answered) continue;
      state->in_flight.erase(std::remove(state->in_flight.begin(), state->in_flight.end(), request),
                             state->in_flight.end());
      request->finish(Bytes{});
    }
  }
  state->is_writing = false;
}

asio::awaitable<void> RequestChannel::read_all(std::shared_ptr<State> state) {
  while (state->is_open()) {
    Result<Bytes> frame = co_await state->frames.next();
    if (!frame) {
      state->end(std::move(frame.error()), false);
      break;
    }
    if (!state->is_open()) break;
    state->last_used = state->env.clock().now();
    // A request without an answer may still be marked as being written while the answer to a later one comes in.
    auto oldest =
        std::find_if(state->in_flight.begin(), state->in_flight.end(), [](const auto& r) { return r->is_answered; });
    const std::string& peer = state->stream->peer_name();
    if (oldest == state->in_flight.end() || frame->size() < 4 ||
        correlation_id_of(*frame) != (*oldest)->correlation_id) {
      state->end({make_error_code(Errc::corrupt_data), peer + " sent an answer that belongs to no request"}, false);
      break;
    }
    const std::shared_ptr<Request> request = *oldest;
    state->in_flight.erase(oldest);
    request->finish(std::move(*frame));
  }
}

void RequestChannel::close() {
  state_->end({make_error_code(Errc::closed), state_->stream->peer_name()}, true);
}

bool RequestChannel::is_open() const noexcept {
  return state_->is_open();
}
const Failure& RequestChannel::close_reason() const noexcept {
  return state_->reason;
}
void RequestChannel::on_disconnect(std::function<void(const Failure&)> handler) {
  state_->handler = std::move(handler);
}
std::size_t RequestChannel::in_flight() const noexcept {
  return state_->queued.size() + state_->in_flight.size();
}
runtime::MonotonicTime RequestChannel::last_used() const noexcept {
  return state_->last_used;
}
const std::string& RequestChannel::peer_name() const noexcept {
  return state_->stream->peer_name();
}

}  // namespace barnabas::net
