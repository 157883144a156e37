#include "tests/client/nonsense/group_life.h"

#include <fmt/format.h>

#include <utility>

#include "tests/support/memory_broker.h"

namespace barnabas::nonsense {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr milliseconds kApi = 3000ms;
constexpr milliseconds kPoll = 400ms;
constexpr milliseconds kClose = 2000ms;
constexpr milliseconds kAtOnce = 0ms;
constexpr milliseconds kConsumerDestructor = 500ms;
constexpr std::size_t kShortestReason = 15;

std::vector<TopicPartition> partitions() {
  std::vector<TopicPartition> all;
  for (std::int32_t i = 0; i < World::kPartitions; ++i) all.push_back({World::kTopic, i});
  return all;
}

}  // namespace

// ---- the world

World::World(std::uint64_t seed) : env_(seed) {
  memory_.set_delay(1ms, 1ms);
  auto started = testing::start_memory_broker(env_, memory_);
  if (!started) {
    problems_.push_back("the broker does not start: " + started.error().message());
    return;
  }
  broker_ = std::move(*started);
  fill_topic();
}

World::~World() = default;

void World::fill_topic() {
  const Runtime runtime(client::ClientRuntime::make(env_, memory_, "filler"));
  const Config config{{"bootstrap.servers", "broker:9092"}};
  Admin admin(config, {.runtime = runtime});
  NewTopic topic;
  topic.name = kTopic;
  topic.partitions = kPartitions;
  for (const CreatedTopic& one : admin.create_topics({topic})) {
    if (one.error) problems_.push_back("the topic is not made: " + one.error.context);
  }
  Producer producer(config, {.runtime = runtime});
  for (int i = 0; i < kRecords; ++i) {
    producer.send({.topic = kTopic, .partition = i % kPartitions, .value = std::to_string(i)},
                  [this](const Delivery& d) {
                    if (!d.ok()) problems_.push_back("not stored: " + d.context);
                  });
  }
  producer.close(kClose);
}

// ---- one life

GroupLife::GroupLife(World& world, std::uint64_t seed)
    : world_(world),
      dice_(seed),
      group_(fmt::format("group-{}", seed)),
      strategy_(
          dice_.pick(std::vector<std::string>{"range,cooperative-sticky", "range", "cooperative-sticky", "sticky"})),
      one_lie_in_(dice_.pick(std::vector<std::int64_t>{1, 1, 2, 3, 6})),
      lies_left_(static_cast<int>(dice_.between(1, 25))),
      static_(dice_.one_in(5)),
      network_(world.network(), [this](protocol::ApiKey api, std::int16_t version,
                                       Bytes answer) { return tell(api, version, std::move(answer)); }),
      runtime_(client::ClientRuntime::make(world.env(), network_, "clients")) {}

GroupLife::~GroupLife() = default;

Bytes GroupLife::tell(protocol::ApiKey api, std::int16_t version, Bytes answer) {
  if (!lying_ || !is_of_groups(api) || lies_left_ == 0 || !dice_.one_in(one_lie_in_)) return answer;
  --lies_left_;
  ++lies_told_;
  lies_ += fmt::format(" {}", protocol::to_string(api));
  return lie(dice_, api, version, std::move(answer), World::kTopic);
}

/// Whether it did not throw. It must have returned after `limit`, with a readable error where it throws.
bool GroupLife::call(const std::string& name, Milliseconds limit, const std::function<void()>& work) {
  const auto began = world_.env().clock().now();
  bool done = false;
  try {
    work();
    done = true;
  } catch (const Error& error) {
    ++failed_calls_;
    const std::string& context = error.context();
    if (!error.code() || context.size() < kShortestReason) problem(name + " fails without a reason: " + error.what());
    const bool is_placed = context.find("group") != std::string::npos || context.find("broker") != std::string::npos;
    if (!is_placed) problem(name + " does not say where: " + error.what());
    if (context.find("1844674407") != std::string::npos) problem(name + " counts below zero: " + error.what());
  } catch (const std::exception& error) {
    problem(name + " throws what is no barnabas::Error: " + error.what());
  }
  const auto took = std::chrono::duration_cast<milliseconds>(world_.env().clock().now() - began);
  if (took > limit) problem(fmt::format("{} takes {} ms instead of {}", name, took.count(), limit.count()));
  return done;
}

Config GroupLife::config(const std::string& name) const {
  return Config{{"bootstrap.servers", "broker:9092"},
                {"client.id", name},
                {"request.timeout.ms", "1000"},
                {"default.api.timeout.ms", "3000"},
                {"group.id", group_},
                {"auto.offset.reset", "earliest"},
                {"fetch.max.wait.ms", "100"},
                {"session.timeout.ms", "6000"},
                {"heartbeat.interval.ms", "300"},
                {"max.poll.interval.ms", "8000"},
                {"auto.commit.interval.ms", "500"},
                {"partition.assignment.strategy", strategy_}};
}

template <typename Options>
Options GroupLife::options() const {
  Options made;
  made.runtime = Runtime(runtime_);
  made.log.level = LogLevel::off;
  return made;
}

std::unique_ptr<Consumer> GroupLife::member(const std::string& name) {
  Config settings = config(name);
  settings.set("enable.auto.commit", dice_.one_in(2) ? "true" : "false");
  if (static_) settings.set("group.instance.id", "instance-" + name);
  auto consumer = std::make_unique<Consumer>(settings, options<ConsumerOptions>());
  RebalanceListener listener;
  const bool commits = dice_.one_in(3);
  listener.on_revoked = [this, commits, who = consumer.get()](const RebalanceListener::Partitions&) {
    if (commits) call("commit_sync in the listener", 200ms, [&] { who->commit_sync(200ms); });
  };
  call("subscribe", kAtOnce, [&] {
    if (dice_.one_in(4)) {
      consumer->subscribe(TopicPattern::of("t.*"), listener);
    } else {
      consumer->subscribe({World::kTopic}, listener);
    }
  });
  return consumer;
}

void GroupLife::use(Consumer& consumer) {
  call("poll", kPoll + 300ms, [&] { consumer.poll(kPoll); });
  switch (dice_.between(0, 9)) {
    case 0:
      call("commit_sync", 1000ms, [&] { consumer.commit_sync(1000ms); });
      break;
    case 1:
      call("commit_async", kAtOnce, [&] { consumer.commit_async(); });
      break;
    case 2:
      call("committed", kApi, [&] { consumer.committed(partitions()); });
      break;
    case 3:
      call("enforce_rebalance", kAtOnce, [&] { consumer.enforce_rebalance(); });
      break;
    case 4:
      call("unsubscribe", kApi + 200ms, [&] { consumer.unsubscribe(); });
      call("subscribe again", kAtOnce, [&] { consumer.subscribe({World::kTopic}); });
      break;
    case 5:
      if (consumer.explain().empty()) problem("explain says nothing");
      break;
    default:
      break;
  }
}

void GroupLife::administer() {
  Admin admin(Config{{"bootstrap.servers", "broker:9092"}, {"default.api.timeout.ms", "3000"}},
              options<AdminOptions>());
  call("list_groups", kApi, [&] { admin.list_groups({}); });
  call("describe_groups", kApi, [&] { admin.describe_groups({group_}); });
  call("list_group_offsets", kApi, [&] { admin.list_group_offsets(group_); });
  call("alter_group_offsets", kApi, [&] { admin.alter_group_offsets(group_, {{{World::kTopic, 0}, {3, -1, ""}}}); });
  call("delete_group_offsets", kApi, [&] { admin.delete_group_offsets(group_, {{World::kTopic, 0}}); });
  call("delete_groups", kApi, [&] { admin.delete_groups({group_}); });
}

void GroupLife::run() {
  {
    auto consumer = member("first");
    std::unique_ptr<Consumer> other;
    if (dice_.one_in(3)) other = member("second");
    for (int i = 0; i < 10; ++i) {
      use(*consumer);
      if (other != nullptr) use(*other);
    }
    if (other != nullptr) call("close of the second", kClose + 200ms, [&] { other->close(kClose); });
    if (dice_.one_in(4)) administer();
    lying_ = false;
    find_back(*consumer);
    call("close", kClose + 200ms, [&] { consumer->close(kClose); });
    const ConsumerMetrics after = consumer->metrics();
    if (after.connections.requests_in_flight != 0) problem("a closed member has requests in flight");
    if (after.held_bytes != 0) problem(fmt::format("{} bytes are held by nobody", after.held_bytes));
    call("~Consumer", kConsumerDestructor, [&] { consumer.reset(); });
    other.reset();
  }
  if (network_.open_streams() != 0) problem(fmt::format("{} connections are not destroyed", network_.open_streams()));
  const std::weak_ptr<client::ClientRuntime> weak = runtime_;
  runtime_.reset();
  if (!weak.expired()) problem("the clients' runtime is held by something");
}

/// The honest coordinator knows nothing of what was told in its name. The user asks for a new beginning, as one has to
/// who was told of a fenced instance; a fooled leader may have dealt out partitions to members that never were.
void GroupLife::find_back(Consumer& consumer) {
  world_.env().run_for(7s);  // sessions of members that nobody is any more end
  call("unsubscribe", kApi + 200ms, [&] { consumer.unsubscribe(); });
  call("subscribe at last", kAtOnce, [&] { consumer.subscribe({World::kTopic}); });
  const auto limit = world_.env().clock().now() + 60s;
  while (world_.env().clock().now() < limit) {
    if (reads_everything(consumer)) return commit_all(consumer);
    call("enforce_rebalance", kAtOnce, [&] { consumer.enforce_rebalance(); });
  }
  problem("the member does not find back: " + consumer.explain());
}

bool GroupLife::reads_everything(Consumer& consumer) {
  std::set<std::string> values;
  const auto patience = world_.env().clock().now() + 8s;
  bool sought = false;
  while (world_.env().clock().now() < patience && values.size() < World::kRecords) {
    call("honest poll", kPoll + 300ms, [&] {
      for (const RecordView& record : consumer.poll(kPoll)) {
        if (sought) values.emplace(record.value().value_or(""));
      }
      if (!sought && consumer.assignment().size() == partitions().size()) {
        consumer.seek_to_beginning(consumer.assignment());
        sought = true;
      }
    });
  }
  return values.size() == World::kRecords;
}

void GroupLife::commit_all(Consumer& consumer) {
  if (!call("commit_sync at last", kApi, [&] { consumer.commit_sync(); })) return problem("the commit at last fails");
  call("committed at last", kApi, [&] {
    for (const auto& [where, committed] : consumer.committed(partitions())) {
      const std::int64_t have = committed ? committed->offset : -1;
      if (have != World::kRecords / World::kPartitions)
        problem(fmt::format("{} is committed at {}", where.to_string(), have));
    }
  });
}

}  // namespace barnabas::nonsense
