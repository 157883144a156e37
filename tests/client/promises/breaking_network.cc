#include "tests/client/promises/breaking_network.h"

#include <algorithm>
#include <array>
#include <utility>

namespace barnabas::promises {

using net::ByteStream;

const char* to_string(Break how) {
  switch (how) {
    case Break::none:
      return "none";
    case Break::cut:
      return "cut";
    case Break::stall:
      return "stall";
    case Break::once:
      return "once";
  }
  return "?";
}

void BreakingNetwork::Shared::step(const std::string& name) {
  steps.push_back(name);
  if (steps.size() != at || how == Break::none) return;
  broken = true;
  if (how == Break::stall) {
    network.stall(true);
    return;
  }
  network.refuse(how == Break::cut);
  network.cut_all();
}

/// A client's end of a connection.
class CountingStream final : public testing::ForwardingStream {
 public:
  CountingStream(std::shared_ptr<BreakingNetwork::Shared> shared, std::unique_ptr<ByteStream> inner)
      : ForwardingStream(std::move(inner)), shared_(std::move(shared)) {
    ++shared_->open_streams;
  }
  ~CountingStream() override { --shared_->open_streams; }

  asio::awaitable<Result<std::size_t>> read_some(MutableBytesView out) override {
    if (!one_byte_read_) {  // a frame that comes in two parts
      shared_->step("read of a part begins");
      one_byte_read_ = true;
      const MutableBytesView first = out.first(1);
      auto got = co_await inner_->read_some(first);
      if (got) shared_->step("read of a part ends");
      co_return got;
    }
    one_byte_read_ = false;
    auto got = co_await inner_->read_some(out);
    if (got) shared_->step("read ends");
    co_return got;
  }

  asio::awaitable<Result<void>> write(std::span<const BytesView> parts) override {
    Bytes bytes;
    for (const BytesView part : parts) bytes.insert(bytes.end(), part.begin(), part.end());
    const BytesView all(bytes);
    const std::array<BytesView, 1> first{all.first(all.size() / 2)};
    const std::array<BytesView, 1> second{all.subspan(all.size() / 2)};
    shared_->step("write begins");
    Result<void> written = co_await inner_->write(first);
    if (!written) co_return written;
    shared_->step("write is halfway");
    written = co_await inner_->write(second);
    if (!written) co_return written;
    shared_->step("write ends");
    co_return written;
  }

 private:
  std::shared_ptr<BreakingNetwork::Shared> shared_;
  bool one_byte_read_ = false;
};

BreakingNetwork::BreakingNetwork(runtime::Env& env, net::MemoryNetwork& network, Break how, std::size_t at)
    : ForwardingNetwork(network), shared_(std::make_shared<Shared>(Shared{env, network, how, at})) {}

asio::awaitable<Result<std::unique_ptr<ByteStream>>> BreakingNetwork::connect(asio::any_io_executor executor,
                                                                              std::string host, std::uint16_t port,
                                                                              net::SocketOptions options) {
  const auto shared = shared_;
  shared->step("connect begins");
  if (shared->is_silent()) {  // for ever, or until the caller has had enough
    const auto waited = co_await shared->env.sleep_until(runtime::MonotonicTime::max());
    co_return failure(waited ? Failure{make_error_code(Errc::cancelled), host} : waited.error());
  }
  auto connected = co_await shared->network.connect(std::move(executor), std::move(host), port, options);
  if (!connected) co_return failure(connected.error());
  shared->step("connect ends");
  std::unique_ptr<ByteStream> stream = std::make_unique<CountingStream>(shared, std::move(*connected));
  co_return stream;
}

void BreakingNetwork::mend() {
  shared_->broken = false;
  shared_->network.stall(false);
  shared_->network.refuse(false);
}

}  // namespace barnabas::promises
