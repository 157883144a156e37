#include "tests/simulation/tap_network.h"

#include <array>
#include <map>
#include <utility>
#include <vector>

#include "common/bytes/big_endian.h"
#include "common/protocol/headers.h"

namespace barnabas::simulation {
namespace {

constexpr std::size_t kSizeBytes = 4;

/// Walks along the answers and takes the error out of those that it was told of.
class AnswerMender {
 public:
  void mend(std::int32_t correlation_id, std::size_t no_error_at) {
    waiting_.emplace(static_cast<std::uint32_t>(correlation_id), no_error_at);
  }
  void walk(MutableBytesView bytes) {
    for (std::byte& byte : bytes) take(byte);
  }

 private:
  void take(std::byte& byte) {
    const auto value = static_cast<std::uint32_t>(byte);
    if (at_ < kSizeBytes) {
      size_ = (size_ << 8) | value;
    } else if (at_ < 2 * kSizeBytes) {
      correlation_id_ = (correlation_id_ << 8) | value;
    } else if (const auto found = waiting_.find(correlation_id_); found != waiting_.end()) {
      if (at_ == found->second || at_ == found->second + 1) byte = std::byte{0};
    }
    if (++at_ < kSizeBytes + size_ || at_ < kSizeBytes) return;
    waiting_.erase(correlation_id_);
    at_ = 0;
    size_ = 0;
    correlation_id_ = 0;
  }

  std::map<std::uint32_t, std::size_t> waiting_;
  std::size_t at_ = 0;  // in the frame, its size included
  std::uint32_t size_ = 0;
  std::uint32_t correlation_id_ = 0;
};

}  // namespace

struct TapNetwork::Shared {
  Tap tap;
  std::vector<net::ByteStream*> streams{};  // the inner ones, in the order of their making
  bool dead = false;
};

class TapStream final : public testing::ForwardingStream {
 public:
  TapStream(std::shared_ptr<TapNetwork::Shared> shared, std::unique_ptr<ByteStream> inner)
      : ForwardingStream(std::move(inner)), shared_(std::move(shared)) {
    shared_->streams.push_back(inner_.get());
  }
  ~TapStream() override { std::erase(shared_->streams, inner_.get()); }

  asio::awaitable<Result<std::size_t>> read_some(MutableBytesView out) override {
    auto got = co_await inner_->read_some(out);
    if (got) answers_.walk(out.first(*got));
    co_return got;
  }

  /// A client writes whole requests.
  asio::awaitable<Result<void>> write(std::span<const BytesView> parts) override {
    Bytes bytes;
    for (const BytesView part : parts) bytes.insert(bytes.end(), part.begin(), part.end());
    const Bytes tapped = through_tap(bytes);
    const std::array<BytesView, 1> all{BytesView(tapped)};
    co_return co_await inner_->write(all);
  }

 private:
  Bytes through_tap(BytesView frames) {
    Bytes out;
    while (!frames.empty()) {
      const std::size_t size = kSizeBytes + big_endian::load<std::uint32_t>(frames.data());
      const BytesView frame = frames.first(size);
      frames = frames.subspan(size);
      Reader in(frame.subspan(kSizeBytes));
      const auto header = protocol::decode_request_header(in);
      std::optional<Instead> instead;
      if (header) instead = shared_->tap(*header, frame.subspan(kSizeBytes + in.position()));
      if (instead && instead->no_error_at) answers_.mend(header->correlation_id, *instead->no_error_at);
      const BytesView what = instead ? BytesView(instead->frame) : frame;
      out.insert(out.end(), what.begin(), what.end());
    }
    return out;
  }

  std::shared_ptr<TapNetwork::Shared> shared_;
  AnswerMender answers_;
};

TapNetwork::TapNetwork(net::Network& inner, Tap tap)
    : ForwardingNetwork(inner), shared_(std::make_shared<Shared>(Shared{std::move(tap)})) {}

void TapNetwork::die() {
  shared_->dead = true;
  for (net::ByteStream* const stream : shared_->streams) stream->close();
}

asio::awaitable<Result<std::unique_ptr<net::ByteStream>>> TapNetwork::connect(asio::any_io_executor executor,
                                                                              std::string host, std::uint16_t port,
                                                                              net::SocketOptions options) {
  const auto shared = shared_;
  if (shared->dead) co_return failure(Errc::disconnected, "the process is dead");
  auto connected = co_await inner_.connect(std::move(executor), std::move(host), port, options);
  if (!connected) co_return failure(connected.error());
  if (shared->dead) co_return failure(Errc::disconnected, "the process is dead");
  std::unique_ptr<net::ByteStream> stream = std::make_unique<TapStream>(shared, std::move(*connected));
  co_return stream;
}

}  // namespace barnabas::simulation
