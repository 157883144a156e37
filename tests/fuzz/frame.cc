#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "common/bytes/reader.h"
#include "common/bytes/writer.h"
#include "common/net/framing.h"
#include "common/protocol/headers.h"
#include "common/protocol/message_registry.h"
#include "common/runtime/virtual_env.h"
#include "tests/fuzz/targets.h"

namespace barnabas::fuzz {
namespace {

constexpr std::int32_t kFrameBytesMax = 1 << 20;

/// A peer that sent these bytes, which arrive in pieces of one size, and then left.
class SentBytes final : public net::ByteStream {
 public:
  SentBytes(asio::any_io_executor executor, BytesView bytes, std::size_t piece_bytes)
      : executor_(std::move(executor)), left_(bytes), piece_bytes_(piece_bytes) {}

  asio::any_io_executor executor() override { return executor_; }
  asio::awaitable<Result<std::size_t>> read_some(MutableBytesView out) override {
    if (left_.empty()) co_return failure(Errc::disconnected, peer_name_);
    const std::size_t count = std::min({out.size(), left_.size(), piece_bytes_});
    std::copy_n(left_.begin(), count, out.begin());
    left_ = left_.subspan(count);
    co_return count;
  }
  asio::awaitable<Result<void>> write(std::span<const BytesView>) override {
    co_return failure(Errc::disconnected, peer_name_);
  }
  asio::awaitable<Result<void>> write_file(const runtime::File&, std::uint64_t, std::uint64_t) override {
    co_return failure(Errc::disconnected, peer_name_);
  }
  void close() noexcept override { left_ = {}; }
  const std::string& peer_name() const noexcept override { return peer_name_; }

 private:
  asio::any_io_executor executor_;
  BytesView left_;
  std::size_t piece_bytes_;
  std::string peer_name_ = "fuzzer";
};

/// Header, then the body that the header names; what was accepted must be within the API's versions.
void read_request(BytesView frame) {
  Reader in(frame);
  const auto header = protocol::decode_request_header(in);
  if (!header) return;
  const auto* api = protocol::find_api(header->request_api_key);
  if (api == nullptr) std::abort();
  const auto* info = protocol::find_message(protocol::MessageKind::request, header->request_api_key);
  if (info == nullptr) return;
  Writer out;
  const auto done = info->recode(in, header->request_api_version, &out, nullptr);
  if (done && !api->supports(header->request_api_version)) std::abort();
  if (in.position() > frame.size()) std::abort();
}

asio::awaitable<void> read_frames(net::ByteStream* stream, std::size_t sent_bytes, bool* ended) {
  net::FrameReader reader(*stream, kFrameBytesMax);
  std::size_t taken = 0;
  Bytes spare;
  for (;;) {
    auto frame = co_await reader.next(std::move(spare));
    if (!frame) {
      if (frame.error().code != Errc::corrupt_data && frame.error().code != Errc::disconnected) std::abort();
      break;
    }
    taken += sizeof(std::int32_t) + frame->size();
    if (taken > sent_bytes) std::abort();
    // A size that came alone must not have made anyone reserve what it claims.
    if (frame->capacity() > 2 * sent_bytes + 2 * net::kFrameBytesOnTrust) std::abort();
    read_request(*frame);
    spare = std::move(*frame);
  }
  *ended = true;
}

}  // namespace

void frame(BytesView input) {
  if (input.empty()) return;
  const auto piece_bytes = std::to_integer<std::size_t>(input.front()) + 1;
  runtime::VirtualEnv env;
  SentBytes stream(env.executor(), input.subspan(1), piece_bytes);
  bool ended = false;
  asio::co_spawn(env.executor(), read_frames(&stream, input.size(), &ended), asio::detached);
  if (!env.run_until([&ended] { return ended; })) std::abort();
}

}  // namespace barnabas::fuzz
