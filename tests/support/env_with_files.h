#pragma once

#include "common/runtime/env.h"

namespace barnabas::testing {

/// The system's Env (real threads, real time, real sockets beside it) with other files: a broker in it can meet a full
/// disk.
class EnvWithFiles final : public runtime::Env {
 public:
  explicit EnvWithFiles(runtime::Files& files) : files_(files) {}

  runtime::Clock& clock() noexcept override { return system_.clock(); }
  runtime::Files& files() noexcept override { return files_; }
  runtime::Random& random() noexcept override { return system_.random(); }
  std::unique_ptr<runtime::Reactor> make_reactor(const std::string& thread_name) override {
    return system_.make_reactor(thread_name);
  }
  std::unique_ptr<runtime::WorkerPool> make_worker_pool(const std::string& thread_name, std::size_t threads) override {
    return system_.make_worker_pool(thread_name, threads);
  }
  std::unique_ptr<runtime::Alarm> make_alarm(asio::any_io_executor executor) override {
    return system_.make_alarm(std::move(executor));
  }
  std::unique_ptr<runtime::Signal> make_signal() override { return system_.make_signal(); }

 private:
  runtime::Env& system_ = runtime::system_env();
  runtime::Files& files_;
};

}  // namespace barnabas::testing
