// A member of a consumer group that reads record by record in a C++20 coroutine, on the program's own thread, with a
// rebalance listener that is a coroutine too: nothing blocks, and nothing is fetched for longer than the loop takes
// records.
#include <barnabas/barnabas.h>
#include <barnabas/consumer_async.h>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <cstdio>
#include <exception>
#include <string>

namespace {

// [region:groups]
asio::awaitable<void> print_orders(barnabas::Consumer& consumer, int wanted) {
  int seen = 0;
  auto records = consumer.records();
  while (const barnabas::RecordView* record = co_await records.next()) {
    std::printf("%s@%lld\n", record->topic().c_str(), static_cast<long long>(record->offset()));
    if (++seen == wanted) break;  // what was polled besides is given back
  }
  std::printf("%d records read\n", seen);
}
// [end]

/// Before partitions go to another member, which begins where this one has committed.
asio::awaitable<void> hand_over(barnabas::Consumer& consumer) {
  co_await consumer.async_commit(asio::use_awaitable);
}

/// After this program was away for too long: others have the partitions already, so a commit would be refused, and what
/// a listener throws comes out of records.next().
asio::awaitable<void> let_go(barnabas::RebalanceListener::Partitions partitions) {
  std::fprintf(stderr, "%zu partitions are read by others now\n", partitions.size());
  co_return;
}

asio::awaitable<void> run(std::string servers, int wanted) {
  const barnabas::Config config{
      {"bootstrap.servers", servers}, {"group.id", "billing"}, {"auto.offset.reset", "earliest"}};
  barnabas::Consumer consumer(config);
  barnabas::CoroutineListener listener;
  listener.on_revoked = [&consumer](barnabas::RebalanceListener::Partitions) { return hand_over(consumer); };
  listener.on_lost = let_go;
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  consumer.subscribe({"orders"}, coroutine_listener(here, listener));
  co_await print_orders(consumer, wanted);
  co_await consumer.async_commit(asio::use_awaitable);
}  // the others take over at once

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
  asio::co_spawn(io, run(argc > 1 ? argv[1] : "localhost:9092", argc > 2 ? std::stoi(argv[2]) : 1000), done);
  io.run();
  return exit_code;
}
