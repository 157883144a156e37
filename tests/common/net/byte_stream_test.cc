#include "common/net/byte_stream.h"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>

#include "common/net/tcp_network.h"
#include "common/runtime/async_event.h"
#include "common/runtime/temporary_directory.h"
#include "tests/common/net/net_fixture.h"

namespace barnabas::net {
namespace {

using namespace std::chrono_literals;
using runtime::OpenMode;

class ByteStreamTest : public NetTest {};
INSTANTIATE_TEST_SUITE_P(All, ByteStreamTest, ::testing::Values("tcp", "memory"), param_name);

asio::awaitable<Result<void>> exchange(asio::awaitable<Result<StreamPair>> connected) {
  auto pair = co_await std::move(connected);
  if (!pair) co_return failure(pair.error());
  const std::array<BytesView, 4> parts{as_bytes("one "), BytesView(), as_bytes("two "), as_bytes("three")};
  const std::span<const BytesView> all(parts);
  const auto written = co_await pair->client->write(all);
  EXPECT_TRUE(written);
  Bytes bytes(13);
  std::size_t done = 0;
  while (done < bytes.size()) {
    const MutableBytesView room = MutableBytesView(bytes).subspan(done);
    const auto read = co_await pair->server->read_some(room);
    if (!read) co_return failure(read.error());
    done += *read;
  }
  EXPECT_EQ(as_text(bytes), "one two three");
  EXPECT_NE(pair->server->peer_name().find("127.0.0.1:"), std::string::npos);
  pair->client->close();
  pair->client->close();
  const auto end = co_await pair->server->read_some(MutableBytesView(bytes));
  EXPECT_FALSE(end);
  if (!end) {
    EXPECT_EQ(end.error().code, Errc::disconnected);
  }
  const auto after_close = co_await pair->client->read_some(MutableBytesView(bytes));
  EXPECT_FALSE(after_close);
  if (!after_close) {
    EXPECT_EQ(after_close.error().code, Errc::closed);
  }
  co_return Result<void>{};
}

TEST_P(ByteStreamTest, carries_gathered_parts_in_order_and_tells_the_end) {
  expect(exchange(connect_pair(this)));
}

/// Reads as long as there is something, and writes one text after another.
class Talker final : public StreamUser, public std::enable_shared_from_this<Talker> {
 public:
  Talker(runtime::Env& env, std::unique_ptr<ByteStream> of) : stream(std::move(of)), ended(env, stream->executor()) {}

  void read() {
    is_inside = true;
    stream->start_read(room, shared_from_this());
    is_inside = false;
  }
  void write(std::vector<std::string> next) {
    texts = std::move(next);
    parts.clear();
    for (const std::string& text : texts) parts.push_back(as_bytes(text));
    is_inside = true;
    stream->start_write(parts, shared_from_this());
    is_inside = false;
  }
  void on_read(Result<std::size_t> count) override {
    EXPECT_FALSE(is_inside) << "told inside the call";
    if (count) {
      received += as_text(BytesView(room).first(*count));
      ended.notify();
      read();
    } else {
      read_end = count.error().code;
      ended.notify();
    }
  }
  void on_written(Result<void> written) override {
    EXPECT_FALSE(is_inside) << "told inside the call";
    ++writes;
    if (!written) write_end = written.error().code;
    ended.notify();
  }

  std::unique_ptr<ByteStream> stream;
  runtime::AsyncEvent ended;
  Bytes room = Bytes(1000);
  std::vector<std::string> texts;
  std::vector<BytesView> parts;
  std::string received;
  int writes = 0;
  bool is_inside = false;
  std::error_code read_end;
  std::error_code write_end;
};

asio::awaitable<Result<void>> talk(runtime::Env* env, asio::awaitable<Result<StreamPair>> connected) {
  auto pair = co_await std::move(connected);
  if (!pair) co_return failure(pair.error());
  const auto left = std::make_shared<Talker>(*env, std::move(pair->client));
  const auto right = std::make_shared<Talker>(*env, std::move(pair->server));
  left->read();
  right->read();
  std::string said;
  std::string heard;
  for (int round = 1; round <= 3; ++round) {
    const std::string big(static_cast<std::size_t>(round) * 1'000'000, static_cast<char>('a' + round));
    said += "small" + big;
    left->write({"small", "", big});
    right->write({"an answer"});
    heard += "an answer";
    while (left->writes < round || left->received.size() < heard.size()) {
      const auto woken = co_await left->ended.wait();
      EXPECT_TRUE(woken);
    }
    while (right->writes < round || right->received.size() < said.size()) {
      const auto woken = co_await right->ended.wait();
      EXPECT_TRUE(woken);
    }
  }
  left->stream->close();
  while (!left->read_end || !right->read_end) {
    auto& open = left->read_end ? right : left;
    const auto woken = co_await open->ended.wait();
    EXPECT_TRUE(woken);
  }
  EXPECT_EQ(left->read_end, Errc::closed);
  EXPECT_EQ(left->received, heard);
  EXPECT_TRUE(right->received == said) << right->received.size() << " of " << said.size() << " bytes";
  left->write({"too late"});
  while (left->writes < 4) {
    const auto woken = co_await left->ended.wait();
    EXPECT_TRUE(woken);
  }
  EXPECT_EQ(left->write_end, Errc::closed);
  co_return Result<void>{};
}

TEST_P(ByteStreamTest, reads_and_writes_without_coroutines_and_tells_later) {
  expect(talk(&env(), connect_pair(this)));
}

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i * 7 % 26);
  return text;
}

asio::awaitable<Result<std::string>> read_all(ByteStream& stream, std::size_t count) {
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

/// Everything, by write_now as long as that takes something, and the rest by write.
asio::awaitable<Result<void>> write_now_and_later(ByteStream& stream, BytesView text, std::size_t& at_once) {
  for (;;) {
    const std::array<BytesView, 3> parts{text.first(text.size() / 2), BytesView(), text.subspan(text.size() / 2)};
    const Result<std::size_t> taken = stream.write_now(parts);
    if (!taken) co_return failure(taken.error());
    at_once += *taken;
    text = text.subspan(*taken);
    if (*taken == 0 || text.empty()) break;
  }
  const std::array<BytesView, 1> rest{text};
  co_return co_await stream.write(rest);
}

asio::awaitable<void> write_somehow(ByteStream& stream, BytesView text, runtime::AsyncEvent& done,
                                    std::size_t& at_once) {
  const auto written = co_await write_now_and_later(stream, text, at_once);
  EXPECT_TRUE(written);
  done.notify();
}

asio::awaitable<Result<void>> take_what_fits(runtime::Env& env, bool is_tcp,
                                             asio::awaitable<Result<StreamPair>> connected) {
  auto pair = co_await std::move(connected);
  if (!pair) co_return failure(pair.error());
  const std::string text = pattern(20'000'000);
  const asio::any_io_executor executor = pair->client->executor();
  runtime::AsyncEvent done(env, executor);
  std::size_t at_once = 0;
  asio::co_spawn(executor, write_somehow(*pair->client, as_bytes(text), done, at_once), asio::detached);
  const auto got = co_await read_all(*pair->server, text.size());
  if (!got) co_return failure(got.error());
  EXPECT_TRUE(*got == text);
  const auto finished = co_await done.wait();
  EXPECT_TRUE(finished);
  EXPECT_EQ(at_once > 0, is_tcp) << at_once;
  EXPECT_LT(at_once, text.size());
  pair->client->close();
  const std::array<BytesView, 1> parts{as_bytes("too late")};
  const Result<std::size_t> after_close = pair->client->write_now(parts);
  if (is_tcp) {
    EXPECT_FALSE(after_close);
    if (!after_close) {
      EXPECT_EQ(after_close.error().code, Errc::closed);
    }
  }
  co_return Result<void>{};
}

TEST_P(ByteStreamTest, takes_at_once_what_the_system_has_room_for_and_no_more) {
  expect(take_what_fits(env(), std::string(GetParam()) == "tcp", connect_pair(this)));
}

asio::awaitable<void> write_big(ByteStream& stream, const std::string& text, runtime::AsyncEvent& done, bool& ok) {
  const std::array<BytesView, 1> parts{as_bytes(text)};
  const std::span<const BytesView> all(parts);
  const auto written = co_await stream.write(all);
  ok = written.has_value();
  done.notify();
}

asio::awaitable<Result<void>> carry_big(runtime::Env& env, asio::awaitable<Result<StreamPair>> connected) {
  auto pair = co_await std::move(connected);
  if (!pair) co_return failure(pair.error());
  const std::string text = pattern(5'000'000);
  const asio::any_io_executor executor = pair->client->executor();
  runtime::AsyncEvent done(env, executor);
  bool ok = false;
  asio::co_spawn(executor, write_big(*pair->client, text, done, ok), asio::detached);
  const auto got = co_await read_all(*pair->server, text.size());
  if (!got) co_return failure(got.error());
  EXPECT_TRUE(*got == text);
  const auto finished = co_await done.wait();
  EXPECT_TRUE(finished);
  EXPECT_TRUE(ok);
  co_return Result<void>{};
}

TEST_P(ByteStreamTest, a_write_larger_than_all_buffers_waits_for_its_reader) {
  expect(carry_big(env(), connect_pair(this)));
}

asio::awaitable<void> send_region(ByteStream& stream, const runtime::File& file, std::uint64_t position,
                                  std::uint64_t length, runtime::AsyncEvent& done, std::error_code& code) {
  const auto sent = co_await stream.write_file(file, position, length);
  if (!sent) code = sent.error().code;
  done.notify();
}

asio::awaitable<Result<void>> carry_file(runtime::Env& env, std::shared_ptr<runtime::File> file, std::string content,
                                         asio::awaitable<Result<StreamPair>> connected) {
  auto pair = co_await std::move(connected);
  if (!pair) co_return failure(pair.error());
  const asio::any_io_executor executor = pair->client->executor();
  runtime::AsyncEvent done(env, executor);
  std::error_code code;
  asio::co_spawn(executor, send_region(*pair->server, *file, 1000, 3'000'000, done, code), asio::detached);
  const auto got = co_await read_all(*pair->client, 3'000'000);
  if (!got) co_return failure(got.error());
  EXPECT_TRUE(*got == content.substr(1000, 3'000'000));
  EXPECT_TRUE(co_await done.wait());
  EXPECT_FALSE(code);
  const auto too_much = co_await pair->server->write_file(*file, content.size() - 10, 11);
  EXPECT_FALSE(too_much);
  if (!too_much) {
    EXPECT_EQ(too_much.error().code, Errc::corrupt_data);
  }
  co_return Result<void>{};
}

TEST_P(ByteStreamTest, sends_a_region_of_a_file_of_the_system) {
  const runtime::TemporaryDirectory directory;
  auto file = runtime::system_env().files().open(directory.path("segment"), OpenMode::create);
  const std::string content = pattern(4'000'000);
  ASSERT_TRUE((*file)->write_at(as_bytes(content), 0));
  expect(carry_file(env(), *file, content, connect_pair(this)));
}

TEST_P(ByteStreamTest, sends_a_region_of_a_file_in_memory) {
  runtime::MemoryFiles files;
  auto file = files.open("/segment", OpenMode::create);
  const std::string content = pattern(4'000'000);
  ASSERT_TRUE((*file)->write_at(as_bytes(content), 0));
  expect(carry_file(env(), *file, content, connect_pair(this)));
}

asio::awaitable<Result<std::unique_ptr<ByteStream>>> connect_to(Network& network, std::string host,
                                                                std::uint16_t port) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  co_return co_await network.connect(executor, host, port, SocketOptions{});
}

TEST_P(ByteStreamTest, connecting_where_nobody_listens_names_host_and_port) {
  std::uint16_t port = 0;
  {
    const auto acceptor = network().listen(executor(), "127.0.0.1", 0, SocketOptions{});
    ASSERT_TRUE(acceptor);
    port = (*acceptor)->port();
  }
  const auto refused = run(connect_to(network(), "127.0.0.1", port));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::disconnected);
  EXPECT_NE(refused.error().message().find("127.0.0.1:" + std::to_string(port)), std::string::npos);
}

TEST_P(ByteStreamTest, a_port_in_use_is_said_so) {
  const auto acceptor = network().listen(executor(), "127.0.0.1", 0, SocketOptions{});
  ASSERT_TRUE(acceptor);
  const auto second = network().listen(executor(), "127.0.0.1", (*acceptor)->port(), SocketOptions{});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::already_exists);
  EXPECT_EQ(second.error().subject, "port " + std::to_string((*acceptor)->port()) + " is in use");
}

TEST(TcpNetwork, connects_by_name_whichever_address_answers) {
  runtime::Env& env = runtime::system_env();
  const auto reactor = env.make_reactor("tcp-test");
  const auto acceptor = tcp_network().listen(reactor->executor(), "localhost", 0, SocketOptions{});
  ASSERT_TRUE(acceptor) << acceptor.error().message();
  const auto deadline = env.clock().now() + 30s;
  auto connected =
      runtime::block_on(env, *reactor, connect_to(tcp_network(), "localhost", (*acceptor)->port()), deadline);
  EXPECT_TRUE(connected) << connected.error().message();
  reactor->stop();
}

/// An address that takes connections and one, of the same port, that is silent: its queue of connections is full.
struct SilentAndOpen {
  SilentAndOpen() {
    using asio::ip::tcp;
    open.open(tcp::v4());
    open.bind({asio::ip::make_address("127.0.0.1"), 0});
    open.listen();
    const tcp::endpoint at(asio::ip::make_address("127.0.0.2"), open.local_endpoint().port());
    silent.open(tcp::v4());
    silent.bind(at);
    silent.listen(0);
    for (int i = 0; i < 4; ++i) {
      waiting.emplace_back(context).async_connect(at, [](const std::error_code&) {});
    }
    context.poll();
  }
  std::uint16_t port() const { return open.local_endpoint().port(); }

  asio::io_context context;
  asio::ip::tcp::acceptor open{context};
  asio::ip::tcp::acceptor silent{context};
  std::vector<asio::ip::tcp::socket> waiting;
};

asio::awaitable<void> connect_into(Network* network, std::uint16_t port, Result<std::unique_ptr<ByteStream>>* out) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  std::string host = "both";
  *out = co_await network->connect(executor, std::move(host), port, SocketOptions{});
}

TEST(TcpNetwork, after_an_attempt_at_a_silent_address_the_next_attempt_takes_the_next_address) {
  SilentAndOpen addresses;
  const auto network = make_tcp_network({{"both", {"127.0.0.2", "127.0.0.1"}}});
  asio::io_context context;
  asio::cancellation_signal give_up;
  Result<std::unique_ptr<ByteStream>> first = failure(Errc::timed_out);
  asio::co_spawn(context, connect_into(network.get(), addresses.port(), &first),
                 asio::bind_cancellation_slot(give_up.slot(), [](const std::exception_ptr&) {}));
  context.run_for(100ms);
  ASSERT_FALSE(first) << "the first address was to be silent";
  give_up.emit(asio::cancellation_type::terminal);
  context.run_for(5s);
  Result<std::unique_ptr<ByteStream>> second = failure(Errc::timed_out);
  context.restart();
  asio::co_spawn(context, connect_into(network.get(), addresses.port(), &second), asio::detached);
  context.run_for(5s);
  EXPECT_TRUE(second) << second.error().message();
}

TEST(TcpNetwork, a_name_is_tried_at_all_its_addresses_in_one_attempt) {
  SilentAndOpen addresses;
  const auto network = make_tcp_network({{"both", {"127.0.0.3", "127.0.0.1"}}});  // nobody listens on the first
  asio::io_context context;
  Result<std::unique_ptr<ByteStream>> connected = failure(Errc::timed_out);
  asio::co_spawn(context, connect_into(network.get(), addresses.port(), &connected), asio::detached);
  context.run_for(5s);
  EXPECT_TRUE(connected) << connected.error().message();
}

TEST(TcpNetwork, a_name_that_does_not_resolve_is_an_error) {
  runtime::Env& env = runtime::system_env();
  const auto reactor = env.make_reactor("tcp-test");
  const auto deadline = env.clock().now() + 60s;
  const auto connected =
      runtime::block_on(env, *reactor, connect_to(tcp_network(), "no-such-host.invalid", 1), deadline);
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().code, Errc::disconnected);
  EXPECT_NE(connected.error().message().find("no-such-host.invalid"), std::string::npos);
  reactor->stop();
}

TEST(TcpNetwork, listening_on_all_addresses_takes_ipv4_and_names_the_peer_as_such) {
  runtime::Env& env = runtime::system_env();
  const auto reactor = env.make_reactor("tcp-test");
  const auto acceptor = tcp_network().listen(reactor->executor(), "", 0, SocketOptions{});
  ASSERT_TRUE(acceptor) << acceptor.error().message();
  const auto deadline = env.clock().now() + 30s;
  EXPECT_TRUE(runtime::block_on(env, *reactor, connect_to(tcp_network(), "127.0.0.1", (*acceptor)->port()), deadline));
  const auto accepted = runtime::block_on(env, *reactor, (*acceptor)->accept(reactor->executor()), deadline);
  ASSERT_TRUE(accepted) << accepted.error().message();
  EXPECT_EQ((*accepted)->peer_name().rfind("127.0.0.1:", 0), 0U) << (*accepted)->peer_name();
  reactor->stop();
}

/// What only the network in memory can do.
class MemoryNetworkTest : public NetTest {};
INSTANTIATE_TEST_SUITE_P(All, MemoryNetworkTest, ::testing::Values("memory"), param_name);

asio::awaitable<Result<void>> delayed(runtime::Env& env, ByteStream& from, ByteStream& to, runtime::Duration least) {
  const runtime::MonotonicTime start = env.clock().now();
  const std::array<BytesView, 1> parts{as_bytes("x")};
  const std::span<const BytesView> all(parts);
  const auto written = co_await from.write(all);
  EXPECT_TRUE(written);
  Bytes byte(1);
  const auto read = co_await to.read_some(MutableBytesView(byte));
  if (!read) co_return failure(read.error());
  EXPECT_GE(env.clock().now() - start, least);
  co_return Result<void>{};
}

TEST_P(MemoryNetworkTest, delays_in_virtual_time) {
  memory().set_delay(100ms, 300ms);
  auto pair = run(connect_pair(this));
  ASSERT_TRUE(pair) << pair.error().message();
  for (int i = 0; i < 10; ++i) expect(delayed(env(), *pair->client, *pair->server, 100ms));
}

TEST_P(MemoryNetworkTest, cutting_ends_both_sides_and_stalling_neither) {
  const auto reactor = env().make_reactor("r");
  auto pair = run(connect_pair(this));
  ASSERT_TRUE(pair);
  memory().stall(true);
  ASSERT_TRUE(run(write_text(*pair->client, "lost?")));
  const auto nothing = runtime::block_on(env(), *reactor, read_text(*pair->server, 5), in_seconds(100));
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().code, Errc::timed_out);
  virtual_env().run_for(1s);  // the read that nobody waits for any more ends, and takes nothing from the next
  memory().stall(false);
  EXPECT_EQ(run(read_text(*pair->server, 5)).value(), "lost?");
  memory().cut_all();
  EXPECT_EQ(run(read_text(*pair->server, 1)).error().code, Errc::disconnected);
  EXPECT_EQ(run(write_text(*pair->client, "x")).error().code, Errc::disconnected);
}

TEST_P(MemoryNetworkTest, cuts_in_the_middle_of_a_write) {
  memory().cut_one_write_in(1);
  auto pair = run(connect_pair(this));
  ASSERT_TRUE(pair);
  EXPECT_EQ(run(write_text(*pair->client, "a long enough text")).error().code, Errc::disconnected);
  EXPECT_EQ(run(read_text(*pair->server, 1000)).error().code, Errc::disconnected);
}

}  // namespace
}  // namespace barnabas::net
