#include "tests/client/promises/workload.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "client/admin/admin_impl.h"
#include "client/consumer/consumer_impl.h"
#include "client/producer/producer_impl.h"
#include "tests/support/memory_broker.h"

namespace barnabas::promises {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr const char* kTopic = "t";
constexpr std::int32_t kPartitions = 2;
constexpr milliseconds kMaxBlock = 5000ms;
constexpr milliseconds kDelivery = 6000ms;
constexpr milliseconds kApi = 4000ms;
constexpr milliseconds kClose = 3000ms;
constexpr milliseconds kAtOnce = 0ms;
constexpr milliseconds kConsumerDestructor = 500ms;  // it still tries to end its fetch sessions

std::vector<TopicPartition> partitions() {
  std::vector<TopicPartition> all;
  for (std::int32_t i = 0; i < kPartitions; ++i) all.push_back({kTopic, i});
  return all;
}

/// Errors that a network which breaks explains.
bool is_explained_by_network(const std::error_code& code) {
  const bool is_of_group = code == kafka_error(25) || code == kafka_error(27);  // not joined, or about to join again
  return code == Errc::timed_out || code == Errc::disconnected || code == Errc::closed || is_of_group;
}

}  // namespace

Workload::Workload(Break how, std::size_t at) : how_(how), network_(env_, memory_, how, at) {
  memory_.set_delay(1ms, 1ms);
  start_broker();
  runtime_ = client::ClientRuntime::make(env_, network_, "clients");
}

Workload::~Workload() = default;

void Workload::problem(const std::string& what) {
  problems_.push_back(what);
}

void Workload::start_broker() {
  auto started = testing::start_memory_broker(env_, memory_);
  if (started) {
    broker_ = std::move(*started);
  } else {
    problem("the broker does not start: " + started.error().message());
  }
}

Config Workload::config(const std::string& name) const {
  return Config{{"bootstrap.servers", "broker:9092"}, {"client.id", name}, {"request.timeout.ms", "2000"}};
}

void Workload::call(const std::string& name, Milliseconds limit, const std::function<void()>& work) {
  ++calls_;
  const auto began = env_.clock().now();
  try {
    work();
  } catch (const Error& error) {
    ++failed_calls_;
    expect(network_.is_broken() || how_ == Break::once, name + " throws on a whole network: " + error.what());
    expect(is_explained_by_network(error.code()), name + " throws what the network does not explain: " + error.what());
    const auto says = [&](const char* word) { return error.context().find(word) != std::string::npos; };
    expect(says("broker") || says("records") || says("group"), name + " does not say what was tried: " + error.what());
  }
  const auto took = env_.clock().now() - began;
  expect(took <= limit, fmt::format("{} takes {} ms instead of {}", name,
                                    std::chrono::duration_cast<milliseconds>(took).count(), limit.count()));
}

template <typename Client>
void Workload::watch(const char* name, const Client& client) {
  watched_.push_back({name, [weak = client.impl().weak_from_this()] { return weak.expired(); }});
}

void Workload::run() {
  if (!broker_) return;
  std::optional<Admin> admin;
  call("Admin()", kAtOnce, [&] {
    Config settings = config("admin");
    settings.set("default.api.timeout.ms", kApi);
    admin.emplace(settings, options<AdminOptions>());
  });
  watch("Admin", *admin);
  administer(*admin);
  produce_and_close();
  produce_and_destroy();
  consume_and_close();
  consume_and_destroy();
  consume_in_group();
  consume_in_group_and_destroy();
  call("Admin::list_offsets", kApi, [&] { admin->list_offsets({{{kTopic, 0}, OffsetSpec::latest()}}); });
  call("Admin::close", kAtOnce, [&] { admin->close(); });
  call("~Admin", kAtOnce, [&] { admin.reset(); });
  check_callbacks();
  check_nothing_is_left();
  check_what_is_stored();
}

void Workload::administer(Admin& admin) {
  call("Admin::create_topics", kApi, [&] {
    NewTopic topic;
    topic.name = kTopic;
    topic.partitions = kPartitions;
    for (const CreatedTopic& one : admin.create_topics({topic})) {
      // Where the answer was lost, the second try finds what the first one made.
      const bool is_made = !one.error || (how_ == Break::once && one.error.code == kafka_error(36));
      expect(is_made, "the topic is not made: " + one.error.context);
    }
  });
  call("Admin::list_topics", kApi, [&] { admin.list_topics(); });
  call("Admin::describe_topics", kApi, [&] { admin.describe_topics({kTopic}); });
  call("Admin::describe_cluster", kApi, [&] { admin.describe_cluster(); });
  call("Admin::api_versions", kApi, [&] { admin.api_versions(); });
  call("Admin::describe_configs", kApi,
       [&] { admin.describe_configs({{.type = ConfigResourceType::topic, .name = kTopic}}); });
}

void Workload::send(Producer& producer, const std::string& value, std::int32_t partition) {
  Sent& sent = sent_.emplace_back(Sent{.value = value});
  call("Producer::send", kMaxBlock, [&] {
    producer.send({.topic = kTopic, .partition = partition, .value = value},
                  [to = &sent, token = token_](const Delivery& delivery) {
                    ++to->callbacks;
                    to->error = delivery.error;
                    to->context = delivery.context;
                  });
    sent.taken = true;
  });
}

void Workload::produce_and_close() {
  std::optional<Producer> producer;
  call("Producer()", kAtOnce, [&] {
    Config settings = config("producer");
    settings.set("max.block.ms", kMaxBlock).set("delivery.timeout.ms", kDelivery).set("compression.type", "lz4");
    producer.emplace(settings, options<ProducerOptions>());
  });
  watch("Producer", *producer);
  call("Producer::partitions_for", kMaxBlock, [&] { producer->partitions_for(kTopic); });
  for (int i = 0; i < 4; ++i) send(*producer, fmt::format("first {}", i), i % kPartitions);
  call("Producer::flush", kClose, [&] { producer->flush(kClose); });
  call("Producer::send_sync", kMaxBlock + kDelivery, [&] {
    sent_.emplace_back(Sent{.value = "in sync"});
    producer->send_sync({.topic = kTopic, .partition = 0, .value = "in sync"});
    sent_.back().callbacks = 1;
    sent_.back().taken = true;
  });
  send(*producer, "left to close", 1);
  call("Producer::close", kClose, [&] { producer->close(kClose); });
  const ProducerMetrics after = producer->metrics();
  expect(after.buffer_bytes == 0, fmt::format("{} bytes of buffer.memory are not given back", after.buffer_bytes));
  expect(after.buffered_records == 0, fmt::format("{} records have no end", after.buffered_records));
  expect(after.connections.requests_in_flight == 0, "a closed producer has requests in flight");
  expect(after.connections.connections_open == 0, "a closed producer has connections");
  call("~Producer", kAtOnce, [&] { producer.reset(); });
}

void Workload::produce_and_destroy() {
  std::optional<Producer> producer;
  call("Producer()", kAtOnce, [&] {
    Config settings = config("hasty");
    settings.set("max.block.ms", kMaxBlock).set("delivery.timeout.ms", kDelivery).set("linger.ms", 0);
    producer.emplace(settings, options<ProducerOptions>());
  });
  watch("hasty Producer", *producer);
  for (int i = 0; i < 2; ++i) send(*producer, fmt::format("hasty {}", i), i % kPartitions);
  env_.run_for(2ms);
  call("~Producer while records are under way", kAtOnce, [&] { producer.reset(); });
}

void Workload::read(Consumer& consumer, Milliseconds longest_poll) {
  std::size_t got = 0;
  for (int i = 0; i < 4 && got < 6; ++i) {
    call("Consumer::poll", longest_poll, [&] { got += consumer.poll(700ms).size(); });
  }
  if (got == 0) expect(!consumer.explain().empty(), "a consumer that reads nothing does not say why");
  if (!network_.is_broken()) expect(got >= 6, fmt::format("only {} records are read", got));
}

void Workload::consume_and_close() {
  std::optional<Consumer> consumer;
  Config settings = config("consumer");
  settings.set("default.api.timeout.ms", kApi).set("auto.offset.reset", "earliest").set("fetch.max.wait.ms", 200);
  call("Consumer()", kAtOnce, [&] { consumer.emplace(settings, options<ConsumerOptions>()); });
  watch("Consumer", *consumer);
  call("Consumer::assign", kAtOnce, [&] { consumer->assign(partitions()); });
  call("Consumer::position", kApi, [&] { consumer->position({kTopic, 0}); });
  read(*consumer);
  call("Consumer::end_offsets", kApi, [&] { consumer->end_offsets(partitions()); });
  call("Consumer::beginning_offsets", kApi, [&] { consumer->beginning_offsets(partitions()); });
  call("Consumer::offsets_for_times", kApi, [&] { consumer->offsets_for_times({{{kTopic, 0}, Timestamp(0ms)}}); });
  call("Consumer::partitions_for", kApi, [&] { consumer->partitions_for(kTopic); });
  call("Consumer::close", kClose, [&] { consumer->close(kClose); });
  const ConsumerMetrics after = consumer->metrics();
  expect(after.held_bytes == 0, fmt::format("{} bytes are held by nobody", after.held_bytes));
  expect(after.connections.requests_in_flight == 0, "a closed consumer has requests in flight");
  expect(after.connections.connections_open == 0, "a closed consumer has connections");
  call("~Consumer", kAtOnce, [&] { consumer.reset(); });
}

void Workload::consume_and_destroy() {
  std::optional<Consumer> consumer;
  Config settings = config("hasty-consumer");
  settings.set("default.api.timeout.ms", kApi).set("auto.offset.reset", "earliest").set("fetch.max.wait.ms", 200);
  call("Consumer()", kAtOnce, [&] { consumer.emplace(settings, options<ConsumerOptions>()); });
  watch("hasty Consumer", *consumer);
  call("Consumer::assign", kAtOnce, [&] { consumer->assign(partitions()); });
  call("Consumer::poll", 300ms, [&] { consumer->poll(300ms); });
  env_.run_for(1ms);
  call("~Consumer while a fetch is under way", kConsumerDestructor, [&] { consumer.reset(); });
}

void Workload::consume_in_group() {
  std::optional<Consumer> consumer;
  Config settings = config("member");
  settings.set("default.api.timeout.ms", kApi).set("auto.offset.reset", "earliest").set("fetch.max.wait.ms", 200);
  settings.set("group.id", "g").set("session.timeout.ms", 6000).set("heartbeat.interval.ms", 500);
  call("Consumer()", kAtOnce, [&] { consumer.emplace(settings, options<ConsumerOptions>()); });
  watch("member Consumer", *consumer);
  RebalanceListener listener;
  listener.on_revoked = [&](const RebalanceListener::Partitions&) {
    call("Consumer::commit_sync in the listener", 200ms, [&] { consumer->commit_sync(200ms); });
  };
  call("Consumer::subscribe", kAtOnce, [&] { consumer->subscribe({kTopic}, listener); });
  read(*consumer, 900ms);
  call("Consumer::commit_sync", kApi, [&] { consumer->commit_sync(); });
  call("Consumer::committed", kApi, [&] { consumer->committed(partitions()); });
  call("Consumer::unsubscribe", kApi + kClose, [&] { consumer->unsubscribe(); });
  call("Consumer::subscribe again", kAtOnce, [&] { consumer->subscribe({kTopic}); });
  call("Consumer::poll", 700ms, [&] { consumer->poll(700ms); });
  call("Consumer::close", kClose, [&] { consumer->close(kClose); });
  const ConsumerMetrics after = consumer->metrics();
  expect(after.connections.requests_in_flight == 0, "a closed member has requests in flight");
  expect(after.connections.connections_open == 0, "a closed member has connections");
  call("~Consumer", kAtOnce, [&] { consumer.reset(); });
}

void Workload::consume_in_group_and_destroy() {
  std::optional<Consumer> consumer;
  Config settings = config("hasty-member");
  settings.set("default.api.timeout.ms", kApi).set("group.id", "g").set("fetch.max.wait.ms", 200);
  call("Consumer()", kAtOnce, [&] { consumer.emplace(settings, options<ConsumerOptions>()); });
  watch("hasty-member Consumer", *consumer);
  call("Consumer::subscribe", kAtOnce, [&] { consumer->subscribe({kTopic}); });
  call("Consumer::poll", 300ms, [&] { consumer->poll(300ms); });
  call("~Consumer while it is a member", kConsumerDestructor, [&] { consumer.reset(); });
}

void Workload::check_callbacks() {
  for (const Sent& sent : sent_) {
    expect(sent.callbacks == (sent.taken ? 1 : 0), fmt::format("record '{}' was {}, and {} callbacks came", sent.value,
                                                               sent.taken ? "taken" : "refused", sent.callbacks));
    if (sent.error) {
      expect(is_explained_by_network(sent.error), sent.value + " failed by " + sent.error.message());
      expect(sent.context.size() > 20, sent.value + " failed without a reason: '" + sent.context + "'");
    }
  }
}

void Workload::check_nothing_is_left() {
  for (const Watched& one : watched_) expect(one.is_gone(), one.name + " is destroyed, and something holds it still");
  expect(network_.open_streams() == 0, fmt::format("{} connections are not destroyed", network_.open_streams()));
  expect(token_.use_count() == 1, fmt::format("{} callbacks are not destroyed", token_.use_count() - 1));
  const std::weak_ptr<client::ClientRuntime> weak = runtime_;
  runtime_.reset();
  expect(weak.expired(), "the clients' runtime is held by something");
}

/// What the broker has, seen by a consumer of its own on a mended network; none where there is no topic.
std::optional<std::vector<std::string>> Workload::stored_values() {
  network_.mend();
  runtime_ = client::ClientRuntime::make(env_, memory_, "auditor");
  {
    Admin admin(config("audit"), options<AdminOptions>());
    const auto topics = admin.list_topics();
    const bool is_there =
        std::any_of(topics.begin(), topics.end(), [](const TopicListing& topic) { return topic.name == kTopic; });
    if (!is_there) return std::nullopt;
  }
  Consumer consumer(config("auditor").set("auto.offset.reset", "earliest"), options<ConsumerOptions>());
  consumer.assign(partitions());
  std::size_t wanted = 0;
  for (const auto& [where, end] : consumer.end_offsets(partitions())) wanted += static_cast<std::size_t>(end);
  std::vector<std::string> values;
  for (int i = 0; i < 20 && values.size() < wanted; ++i) {
    const Records records = consumer.poll(1000ms);
    for (const RecordView& record : records) values.emplace_back(record.value().value_or(""));
  }
  return values;
}

void Workload::check_what_is_stored() {
  const auto values = stored_values();
  for (const Sent& sent : sent_) {
    const auto count = values ? std::count(values->begin(), values->end(), sent.value) : 0;
    const bool acknowledged = sent.callbacks > 0 && !sent.error;
    expect(count <= 1, fmt::format("record '{}' is stored {} times", sent.value, count));
    if (acknowledged) expect(count == 1, fmt::format("record '{}' was acknowledged and is lost", sent.value));
  }
}

}  // namespace barnabas::promises
