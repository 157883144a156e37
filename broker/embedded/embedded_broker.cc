#include "barnabas/embedded_broker.h"

#include <optional>
#include <system_error>
#include <utility>

#include "broker/broker.h"
#include "broker/embedded/unsynced_env.h"
#include "common/net/byte_stream.h"
#include "common/runtime/env.h"
#include "common/runtime/temporary_directory.h"

namespace barnabas {
inline namespace v0 {

class EmbeddedBroker::State {
 public:
  explicit State(Options options) : options_(std::move(options)) {
    if (options_.data_directory.empty()) {
      temporary_.emplace("barnabas-broker");
      options_.data_directory = temporary_->path();
    }
    start();
  }
  ~State() { stop(); }

  void start() {
    if (broker_) return;
    Result<std::unique_ptr<broker::Broker>> started = run();
    if (!started) throw std::system_error(started.error().code, started.error().subject);
    broker_ = std::move(*started);
    port_ = broker_->port();
  }

  void stop() {
    if (!broker_) return;
    broker_->stop();
    broker_.reset();
  }

  std::uint16_t port() const { return port_; }
  const std::string& data_directory() const { return options_.data_directory; }

 private:
  Result<std::unique_ptr<broker::Broker>> run() {
    runtime::Properties properties = config::BrokerConfig::without_configuration();
    properties["listeners"] = "PLAINTEXT://127.0.0.1:" + std::to_string(port_);
    properties["log.dirs"] = options_.data_directory;
    if (port_ == 0) {
      for (const auto& [name, value] : options_.config) properties[name] = value;
    } else {
      for (const auto& [name, value] : options_.config) properties.emplace(name, value);
    }
    Result<config::BrokerConfig> config = config::BrokerConfig::parse(properties);
    if (!config) return failure(std::move(config.error()));
    const auto level = options_.log_to_stderr ? runtime::LogLevel::info : runtime::LogLevel::warn;
    broker::BrokerOptions options;
    options.logger = runtime::Logger("broker", level);
    options.reactors = kReactors;
    runtime::Env& env = temporary_ ? broker::unsynced_env() : runtime::system_env();
    return broker::Broker::start(env, net::tcp_network(), std::move(*config), std::move(options));
  }

  static constexpr std::size_t kReactors = 1;  // a test's process has work of its own

  Options options_;
  std::optional<runtime::TemporaryDirectory> temporary_;
  std::unique_ptr<broker::Broker> broker_;
  std::uint16_t port_ = 0;  // 0 until the first start
};

EmbeddedBroker::EmbeddedBroker() : EmbeddedBroker(Options{}) {}
EmbeddedBroker::EmbeddedBroker(Options options) : state_(std::make_unique<State>(std::move(options))) {}
EmbeddedBroker::~EmbeddedBroker() = default;

std::string EmbeddedBroker::bootstrap_servers() const {
  return "127.0.0.1:" + std::to_string(state_->port());
}
std::uint16_t EmbeddedBroker::port() const {
  return state_->port();
}
const std::string& EmbeddedBroker::data_directory() const {
  return state_->data_directory();
}
void EmbeddedBroker::stop() {
  state_->stop();
}
void EmbeddedBroker::start() {
  state_->start();
}

}  // namespace v0
}  // namespace barnabas
