#pragma once

#include <gtest/gtest.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <memory>
#include <string>
#include <utility>

#include "common/net/byte_stream.h"
#include "common/net/memory_network.h"
#include "common/runtime/virtual_env.h"
#include "tests/support/block_on.h"

namespace barnabas::net {

/// Two ends of a connection.
struct StreamPair {
  std::unique_ptr<ByteStream> client;
  std::unique_ptr<ByteStream> server;
};

/// The same test over the system's TCP and over the network in memory with virtual time.
class NetTest : public ::testing::TestWithParam<const char*> {
 protected:
  NetTest() {
    if (is_memory()) {
      virtual_env_ = std::make_unique<runtime::VirtualEnv>();
      memory_ = std::make_unique<MemoryNetwork>(*virtual_env_);
    }
    reactor_ = env().make_reactor("net-test");
  }
  ~NetTest() override { reactor_->stop(); }

  static bool is_memory() { return std::string(GetParam()) == "memory"; }
  runtime::Env& env() { return is_memory() ? *virtual_env_ : runtime::system_env(); }
  Network& network() { return is_memory() ? *memory_ : tcp_network(); }
  MemoryNetwork& memory() { return *memory_; }
  runtime::VirtualEnv& virtual_env() { return *virtual_env_; }
  asio::any_io_executor executor() { return reactor_->executor(); }
  runtime::MonotonicTime in_seconds(int seconds) { return env().clock().now() + std::chrono::seconds(seconds); }

  template <typename T>
  Result<T> run(asio::awaitable<Result<T>> work) {
    return runtime::block_on(env(), *reactor_, std::move(work), in_seconds(60), "the test");
  }
  /// Runs the test's coroutine; a failure of it fails the test.
  void expect(asio::awaitable<Result<void>> work) {
    const Result<void> ended = run(std::move(work));
    EXPECT_TRUE(ended) << ended.error().message();
  }

  /// Both ends of a fresh connection.
  static asio::awaitable<Result<StreamPair>> connect_pair(NetTest* test) {
    auto acceptor = test->network().listen(test->executor(), "127.0.0.1", 0, SocketOptions{});
    if (!acceptor) co_return failure(acceptor.error());
    const asio::any_io_executor executor = test->executor();
    const std::string host = "127.0.0.1";
    StreamPair pair;
    auto client = co_await test->network().connect(executor, host, (*acceptor)->port(), SocketOptions{});
    if (!client) co_return failure(client.error());
    auto server = co_await (*acceptor)->accept(executor);  // the connection waits in the backlog
    if (!server) co_return failure(server.error());
    pair.client = std::move(*client);
    pair.server = std::move(*server);
    co_return std::move(pair);
  }
  static asio::awaitable<Result<void>> write_text(ByteStream& stream, std::string text) {
    const BytesView parts[1] = {as_bytes(text)};
    const std::span<const BytesView> all(parts);
    co_return co_await stream.write(all);
  }
  /// Exactly `count` bytes, or what came before the failure.
  static asio::awaitable<Result<std::string>> read_text(ByteStream& stream, std::size_t count) {
    Bytes bytes(count);
    std::size_t done = 0;
    while (done < count) {
      const MutableBytesView room = MutableBytesView(bytes).subspan(done);
      const auto read = co_await stream.read_some(room);
      if (!read) co_return failure(read.error());
      done += *read;
    }
    co_return std::string(as_text(bytes));
  }

 private:
  std::unique_ptr<runtime::VirtualEnv> virtual_env_;
  std::unique_ptr<MemoryNetwork> memory_;
  std::unique_ptr<runtime::Reactor> reactor_;
};

inline std::string param_name(const ::testing::TestParamInfo<const char*>& of) {
  return of.param;
}

/// A frame's size as four bytes of text.
inline std::string size_text(std::uint32_t size) {
  std::string text(4, '\0');
  for (std::size_t i = 0; i < 4; ++i) text[i] = static_cast<char>(size >> (8 * (3 - i)));
  return text;
}

}  // namespace barnabas::net
