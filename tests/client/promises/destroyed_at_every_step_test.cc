#include <barnabas/admin_async.h>
#include <barnabas/barnabas.h>
#include <barnabas/consumer_async.h>
#include <barnabas/producer_async.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/admin/admin_impl.h"
#include "client/consumer/consumer_impl.h"
#include "client/producer/producer_impl.h"
#include "common/runtime/virtual_env.h"
#include "tests/client/promises/breaking_network.h"
#include "tests/support/memory_broker.h"

// Clients are destroyed at every single I/O step of what they have begun asynchronously: that takes no time, and every
// handler is called once.
namespace barnabas::promises {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr milliseconds kConsumerDestructor = 500ms;  // it still tries to end its fetch sessions

/// A completion handler.
struct Counting {
  std::shared_ptr<int> calls;
  template <typename... Values>
  void operator()(std::error_code, const Values&...) const {
    ++*calls;
  }
};

/// Three clients with operations under way.
class Begun {
 public:
  Begun(Break how, std::size_t at) : network_(env_, memory_, how, at) {
    memory_.set_delay(1ms, 1ms);
    broker_ = testing::start_memory_broker(env_, memory_).value();
    runtime_ = client::ClientRuntime::make(env_, network_, "clients");
    make_topic();
    first_step_ = network_.steps();
  }

  void begin() {
    const Config config{{"bootstrap.servers", "broker:9092"}};
    producer_.emplace(Config(config).set("compression.type", "lz4"), options<ProducerOptions>());
    consumer_.emplace(Config(config).set("auto.offset.reset", "earliest"), options<ConsumerOptions>());
    admin_.emplace(config, options<AdminOptions>());
    consumer_->assign({{"t", 0}});
    for (int i = 0; i < 3; ++i) {
      producer_->async_send({.topic = "t", .partition = 0, .value = "v"}, expect_once("async_send"));
    }
    producer_->async_flush(expect_once("async_flush"));
    consumer_->async_poll(2000ms, expect_once("async_poll"));
    admin_->async_list_topics(false, {}, expect_once("async_list_topics"));
    admin_->async_list_offsets({{{"t", 0}, OffsetSpec::latest()}}, {}, expect_once("async_list_offsets"));
    admin_->async_api_versions({}, expect_once("async_api_versions"));
  }

  /// Until the clients have come to this step, or there are no more.
  void run_to(std::size_t step) {
    env_.run_until([&] { return network_.steps() >= step; }, env_.clock().now() + 3s);
  }

  void destroy_and_check() {
    const std::weak_ptr<client::ProducerImpl> producer = producer_->impl().weak_from_this();
    const std::weak_ptr<client::ConsumerImpl> consumer = consumer_->impl().weak_from_this();
    const std::weak_ptr<client::AdminImpl> admin = admin_->impl().weak_from_this();
    within(0ms, "~Producer", [&] { producer_.reset(); });
    within(0ms, "~Admin", [&] { admin_.reset(); });
    within(kConsumerDestructor, "~Consumer", [&] { consumer_.reset(); });
    env_.run_for(0ms);  // handlers are posted
    for (const auto& [name, calls] : calls_) EXPECT_EQ(*calls, 1) << name;
    EXPECT_TRUE(producer.expired());
    EXPECT_TRUE(consumer.expired());
    EXPECT_TRUE(admin.expired());
    EXPECT_EQ(network_.open_streams(), 0);
    const std::weak_ptr<client::ClientRuntime> runtime = runtime_;
    runtime_.reset();
    EXPECT_TRUE(runtime.expired());
  }

  std::size_t first_step() const { return first_step_; }
  std::size_t steps() const { return network_.steps(); }
  const std::string& name_of(std::size_t step) const { return network_.names().at(step - 1); }

 private:
  template <typename Options>
  Options options() const {
    Options made;
    made.runtime = Runtime(runtime_);
    made.log.level = LogLevel::off;
    return made;
  }
  void make_topic() {
    Admin admin(Config{{"bootstrap.servers", "broker:9092"}}, options<AdminOptions>());
    NewTopic topic;
    topic.name = "t";
    topic.partitions = 1;
    EXPECT_FALSE(admin.create_topics({topic}).at(0).error);
  }
  Counting expect_once(const std::string& name) {
    auto calls = std::make_shared<int>(0);
    calls_.emplace_back(name, calls);
    return {calls};
  }
  template <typename Work>
  void within(milliseconds limit, const char* name, const Work& work) {
    const auto began = env_.clock().now();
    work();
    EXPECT_LE(env_.clock().now() - began, limit) << name;
  }

  runtime::VirtualEnv env_{7};
  net::MemoryNetwork memory_{env_};
  BreakingNetwork network_;
  std::unique_ptr<broker::Broker> broker_;
  std::shared_ptr<client::ClientRuntime> runtime_;
  std::size_t first_step_ = 0;
  std::optional<Producer> producer_;
  std::optional<Consumer> consumer_;
  std::optional<Admin> admin_;
  std::vector<std::pair<std::string, std::shared_ptr<int>>> calls_;
};

/// How many steps the clients take when nothing is destroyed.
std::size_t count_steps() {
  static const std::size_t count = [] {
    Begun begun(Break::none, 0);
    begun.begin();
    begun.run_to(SIZE_MAX);
    return begun.steps() - begun.first_step();
  }();
  return count;
}

class DestroyedAtStep : public ::testing::TestWithParam<std::size_t> {};

TEST_P(DestroyedAtStep, takes_no_time_and_calls_every_handler_once) {
  const std::size_t first = Begun(Break::none, 0).first_step();
  for (const Break how : {Break::none, Break::cut, Break::stall}) {
    SCOPED_TRACE(to_string(how));
    Begun begun(how, first + GetParam());
    begun.begin();
    begun.run_to(first + GetParam());
    ASSERT_GE(begun.steps(), first + GetParam());
    SCOPED_TRACE(begun.name_of(first + GetParam()));
    begun.destroy_and_check();
  }
}

INSTANTIATE_TEST_SUITE_P(EveryStep, DestroyedAtStep, ::testing::Range<std::size_t>(1, count_steps() + 1),
                         [](const auto& step) { return std::to_string(step.param); });

}  // namespace
}  // namespace barnabas::promises
