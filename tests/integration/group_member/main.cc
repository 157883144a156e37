// A member of a group for the rounds: group_member stream|parallel SERVERS GROUP TOPIC NAME=VALUE...
// Prints partition and offset of each record that it has processed, a line each; SIGTERM ends it in good order.
#include <barnabas/barnabas.h>
#include <barnabas/consumer_async.h>
#include <barnabas/parallel_consumer.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_awaitable.hpp>
#include <csignal>
#include <cstdio>
#include <exception>
#include <mutex>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>

namespace {

using namespace std::chrono_literals;

void print(const barnabas::RecordView& record) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  std::printf("%d %lld\n", record.partition(), static_cast<long long>(record.offset()));
  std::fflush(stdout);
}

asio::awaitable<void> commit(barnabas::Consumer& consumer) {
  co_await consumer.async_commit(asio::use_awaitable);
}

asio::awaitable<void> read(barnabas::Consumer& consumer) {
  auto records = consumer.records();
  for (;;) {
    try {
      const barnabas::RecordView* record = co_await records.next();
      if (record == nullptr) co_return;
      print(*record);
    } catch (const std::system_error& error) {
      if (error.code() == barnabas::Errc::woken_up) co_return;
      std::fprintf(stderr, "%s\n", error.what());
    }
  }
}

/// Coroutines: a stream of records, and a listener that commits before partitions go.
void run_stream(barnabas::Config config, const std::string& topic) {
  asio::thread_pool listener_thread(1);  // close() waits for it
  barnabas::Consumer consumer(config.set("auto.commit.interval.ms", "200"));
  barnabas::CoroutineListener listener;
  listener.on_revoked = [&consumer](barnabas::RebalanceListener::Partitions) { return commit(consumer); };
  listener.on_lost = [](barnabas::RebalanceListener::Partitions) -> asio::awaitable<void> { co_return; };
  consumer.subscribe({topic}, coroutine_listener(listener_thread.get_executor(), listener));
  asio::io_context io;
  asio::signal_set signals(io, SIGTERM);
  signals.async_wait([&consumer](std::error_code, int) { consumer.wakeup(); });
  asio::co_spawn(io, read(consumer), asio::detached);
  io.run();
  consumer.close(5s);
}

void run_parallel(barnabas::Config config, const std::string& topic) {
  barnabas::ParallelOptions options;
  options.workers = 3;
  options.order = barnabas::ProcessingOrder::partition;
  options.commit_interval = 200ms;
  barnabas::ParallelConsumer consumer(std::move(config), {topic}, print, options);
  asio::io_context io;
  asio::signal_set signals(io, SIGTERM);
  signals.async_wait([&consumer](std::error_code, int) { consumer.stop(); });
  std::thread waiter([&io] { io.run(); });
  std::exception_ptr failed;
  try {
    consumer.run();
  } catch (...) {
    failed = std::current_exception();
  }
  io.stop();
  waiter.join();
  if (failed) std::rethrow_exception(failed);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) return 2;
  try {
    barnabas::Config config{{"bootstrap.servers", argv[2]}, {"group.id", argv[3]}, {"auto.offset.reset", "earliest"}};
    for (int i = 5; i < argc; ++i) {
      const std::string_view setting = argv[i];
      const std::size_t split = setting.find('=');
      config.set(std::string(setting.substr(0, split)), std::string(setting.substr(split + 1)));
    }
    if (std::string_view(argv[1]) == "stream") {
      run_stream(std::move(config), argv[4]);
    } else {
      run_parallel(std::move(config), argv[4]);
    }
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
