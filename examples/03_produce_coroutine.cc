// Sends from a C++20 coroutine on the program's own Asio executor: no thread is made, nothing blocks.
#include <barnabas/barnabas.h>
#include <barnabas/producer_async.h>
#include <barnabas/runtime_async.h>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/use_awaitable.hpp>
#include <cstdio>
#include <exception>
#include <string>

namespace {

asio::awaitable<void> send_orders(std::string servers, barnabas::Runtime runtime) {
  const barnabas::Config config{{"bootstrap.servers", servers}};
  barnabas::ProducerOptions options;
  options.runtime = runtime;
  barnabas::Producer producer(config, std::move(options));
  for (int i = 0; i < 10; ++i) {
    const std::string value = "order " + std::to_string(i);
    const barnabas::Record record{.topic = "coroutine-orders", .value = value};
    const barnabas::Delivery where = co_await producer.async_send(record, asio::use_awaitable);
    std::printf("order %d is at offset %lld\n", i, static_cast<long long>(where.offset));
  }
}

}  // namespace

int main(int argc, char** argv) {
  asio::io_context io;
  int exit_code = 0;
  const auto done = [&exit_code](std::exception_ptr error) {
    try {
      if (error) std::rethrow_exception(error);
    } catch (const std::exception& failure) {
      std::fprintf(stderr, "%s\n", failure.what());
      exit_code = 1;
    }
  };
  const auto runtime = barnabas::Runtime::on(io.get_executor());
  asio::co_spawn(io, send_orders(argc > 1 ? argv[1] : "localhost:9092", runtime), done);
  io.run();  // until the producer has ended
  return exit_code;
}
