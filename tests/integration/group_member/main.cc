// A member of a group for the rounds: group_member stream|parallel SERVERS GROUP TOPIC NAME=VALUE...
// Prints partition and offset of each record that it has processed, a line each, and "owns GENERATION: PARTITION..."
// when it was given them; SIGTERM ends it in good order.
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
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;

void print_line(const std::string& line) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

void print(const barnabas::RecordView& record) {
  print_line(std::to_string(record.partition()) + ' ' + std::to_string(record.offset()));
}

/// An assignor of the library that tells what its member was given.
class Telling final : public barnabas::Assignor {
 public:
  explicit Telling(std::unique_ptr<barnabas::Assignor> real) : real_(std::move(real)) {}
  std::string name() const override { return real_->name(); }
  std::vector<barnabas::RebalanceProtocol> supported_protocols() const override { return real_->supported_protocols(); }
  std::optional<std::vector<std::byte>> subscription_user_data(const std::set<std::string>& topics) override {
    return real_->subscription_user_data(topics);
  }
  barnabas::GroupAssignment assign(const barnabas::ClusterMetadata& cluster,
                                   const barnabas::GroupSubscription& group) override {
    return real_->assign(cluster, group);
  }
  void on_assignment(const barnabas::MemberAssignment& assignment,
                     const barnabas::ConsumerGroupMetadata& group) override {
    real_->on_assignment(assignment, group);
    std::string line = "owns " + std::to_string(group.generation_id) + ':';
    for (const barnabas::TopicPartition& where : assignment.partitions) line += ' ' + std::to_string(where.partition);
    print_line(line);
  }

 private:
  const std::unique_ptr<barnabas::Assignor> real_;
};

/// `names` as partition.assignment.strategy has them.
barnabas::ConsumerOptions telling(const std::string& names) {
  barnabas::ConsumerOptions options;
  std::istringstream in(names);
  for (std::string name; std::getline(in, name, ',');) {
    options.assignors.push_back(std::make_shared<Telling>(
        name == "range" ? barnabas::make_range_assignor() : barnabas::make_cooperative_sticky_assignor()));
    if (options.assignors.back()->name() != name) throw std::invalid_argument(name);
  }
  return options;
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
void run_stream(barnabas::Config config, barnabas::ConsumerOptions options, const std::string& topic) {
  asio::thread_pool listener_thread(1);  // close() waits for it
  barnabas::Consumer consumer(config.set("auto.commit.interval.ms", "200"), std::move(options));
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

void run_parallel(barnabas::Config config, barnabas::ConsumerOptions consumer_options, const std::string& topic) {
  barnabas::ParallelOptions options;
  options.consumer = std::move(consumer_options);
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
    barnabas::ConsumerOptions options;
    for (int i = 5; i < argc; ++i) {
      const std::string_view setting = argv[i];
      const std::size_t split = setting.find('=');
      const std::string value(setting.substr(split + 1));
      if (setting.substr(0, split) == "partition.assignment.strategy") {
        options = telling(value);
      } else {
        config.set(std::string(setting.substr(0, split)), value);
      }
    }
    if (std::string_view(argv[1]) == "stream") {
      run_stream(std::move(config), std::move(options), argv[4]);
    } else {
      run_parallel(std::move(config), std::move(options), argv[4]);
    }
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
