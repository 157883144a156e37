#include "common/net/byte_stream.h"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>
#include <utility>

namespace barnabas::net {
namespace {

asio::awaitable<void> run_read(ByteStream* stream, MutableBytesView out, std::shared_ptr<StreamUser> user) {
  const asio::any_io_executor executor = stream->executor();
  co_await asio::post(executor, asio::use_awaitable);
  auto count = co_await stream->read_some(out);
  user->on_read(std::move(count));
}

asio::awaitable<void> run_write(ByteStream* stream, std::span<const BytesView> parts,
                                std::shared_ptr<StreamUser> user) {
  const asio::any_io_executor executor = stream->executor();
  co_await asio::post(executor, asio::use_awaitable);
  auto written = co_await stream->write(parts);
  user->on_written(std::move(written));
}

}  // namespace

Result<std::size_t> ByteStream::write_now(std::span<const BytesView> /*parts*/) {
  return std::size_t{0};
}

void ByteStream::start_read(MutableBytesView out, std::shared_ptr<StreamUser> user) {
  asio::co_spawn(executor(), run_read(this, out, std::move(user)), asio::detached);
}

void ByteStream::start_write(std::span<const BytesView> parts, std::shared_ptr<StreamUser> user) {
  asio::co_spawn(executor(), run_write(this, parts, std::move(user)), asio::detached);
}

}  // namespace barnabas::net
