#include <barnabas/barnabas.h>
#include <barnabas/producer_async.h>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/use_awaitable.hpp>
#include <cstdio>
#include <exception>
#include <string>

/// The client works on a thread of its own; the coroutine goes on where it was, on the program's io_context.
asio::awaitable<void> send(std::string servers) {
  const barnabas::Config config{{"bootstrap.servers", servers}};
  barnabas::Producer producer(config);
  for (int i = 0; i < 10; ++i) {
    const barnabas::Record record{.topic = "from-outside", .value = "hello"};
    const barnabas::Delivery where = co_await producer.async_send(record, asio::use_awaitable);
    std::printf("stored at offset %lld\n", static_cast<long long>(where.offset));
  }
}

int main(int argc, char** argv) {
  asio::io_context io;
  int exit_code = 0;
  asio::co_spawn(io, send(argc > 1 ? argv[1] : "localhost:9092"),
                 [&exit_code](std::exception_ptr error) { exit_code = error ? 1 : 0; });
  io.run();
  return exit_code;
}
