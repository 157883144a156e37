#include "tests/client/nonsense/lying_network.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "common/bytes/reader.h"
#include "common/bytes/writer.h"

namespace barnabas::nonsense {

using net::ByteStream;

namespace {

constexpr std::size_t kSizeBytes = 4;
constexpr std::size_t kChunkBytes = 64 * 1024;

/// Takes whole frames, without their sizes, off the front of what has come.
std::vector<Bytes> take_frames(Bytes& raw) {
  std::vector<Bytes> frames;
  std::size_t at = 0;
  while (raw.size() - at >= kSizeBytes) {
    Reader size(BytesView(raw).subspan(at, kSizeBytes));
    const auto length = static_cast<std::size_t>(size.int32());
    if (raw.size() - at - kSizeBytes < length) break;
    const auto begin = raw.begin() + static_cast<std::ptrdiff_t>(at + kSizeBytes);
    frames.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(length));
    at += kSizeBytes + length;
  }
  raw.erase(raw.begin(), raw.begin() + static_cast<std::ptrdiff_t>(at));
  return frames;
}

}  // namespace

/// A client's end of a connection: it remembers what was asked, to know what an answer is.
class LyingStream final : public testing::ForwardingStream {
 public:
  LyingStream(std::shared_ptr<LyingNetwork::Shared> shared, std::unique_ptr<ByteStream> inner)
      : ForwardingStream(std::move(inner)), shared_(std::move(shared)) {
    ++shared_->open_streams;
  }
  ~LyingStream() override { --shared_->open_streams; }

  asio::awaitable<Result<std::size_t>> read_some(MutableBytesView out) override {
    while (ready_.empty()) {
      chunk_.resize(kChunkBytes);
      const MutableBytesView into(chunk_);
      const auto got = co_await inner_->read_some(into);
      if (!got) co_return got;
      received_.insert(received_.end(), chunk_.begin(), chunk_.begin() + static_cast<std::ptrdiff_t>(*got));
      for (Bytes& frame : take_frames(received_)) pass_on(std::move(frame));
    }
    const std::size_t count = std::min(out.size(), ready_.size());
    std::copy_n(ready_.begin(), count, out.begin());
    ready_.erase(ready_.begin(), ready_.begin() + static_cast<std::ptrdiff_t>(count));
    co_return count;
  }

  asio::awaitable<Result<void>> write(std::span<const BytesView> parts) override {
    for (const BytesView part : parts) sent_.insert(sent_.end(), part.begin(), part.end());
    for (const Bytes& frame : take_frames(sent_)) {
      Reader in(frame);
      const auto api = static_cast<protocol::ApiKey>(in.int16());
      const std::int16_t version = in.int16();
      asked_[in.int32()] = {api, version};
    }
    return inner_->write(parts);
  }

 private:
  void pass_on(Bytes frame) {
    Reader in(frame);
    const auto asked = asked_.find(in.int32());
    if (asked != asked_.end()) {
      const auto [api, version] = asked->second;
      asked_.erase(asked);
      frame = shared_->liar(api, version, std::move(frame));
    }
    Writer size;
    size.int32(static_cast<std::int32_t>(frame.size()));
    ready_.insert(ready_.end(), size.view().begin(), size.view().end());
    ready_.insert(ready_.end(), frame.begin(), frame.end());
  }

  std::shared_ptr<LyingNetwork::Shared> shared_;
  std::map<std::int32_t, std::pair<protocol::ApiKey, std::int16_t>> asked_;  // by correlation id
  Bytes sent_;
  Bytes chunk_;
  Bytes received_;
  Bytes ready_;  // for the client
};

LyingNetwork::LyingNetwork(net::Network& network, Liar liar)
    : ForwardingNetwork(network), shared_(std::make_shared<Shared>(Shared{std::move(liar)})) {}

asio::awaitable<Result<std::unique_ptr<ByteStream>>> LyingNetwork::connect(asio::any_io_executor executor,
                                                                           std::string host, std::uint16_t port,
                                                                           net::SocketOptions options) {
  const auto shared = shared_;
  auto connected = co_await inner_.connect(std::move(executor), std::move(host), port, options);
  if (!connected) co_return failure(connected.error());
  std::unique_ptr<ByteStream> stream = std::make_unique<LyingStream>(shared, std::move(*connected));
  co_return stream;
}

}  // namespace barnabas::nonsense
