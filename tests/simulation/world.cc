#include "tests/simulation/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <utility>

#include "broker/config/broker_config.h"

namespace barnabas::simulation {
namespace {

using namespace std::chrono_literals;

constexpr runtime::Duration kUsualDelay = 2ms;
constexpr runtime::Duration kSupervision = 1s;

runtime::Properties broker_settings(const std::map<std::string, std::string>& more) {
  runtime::Properties settings = config::BrokerConfig::without_configuration();
  settings["listeners"] = "PLAINTEXT://broker:9092";
  settings["log.dirs"] = kDataDirectory;
  settings["log.retention.check.interval.ms"] = "30000";
  for (const auto& [name, value] : more) settings[name] = value;
  return settings;
}

}  // namespace

World::World(const Plan& plan, runtime::LogLevel level, std::function<void(const std::string&)> on_event)
    : plan_(plan),
      on_event_(std::move(on_event)),
      env_(plan.seed),
      network_(env_),
      start_(env_.clock().now()),
      logger_("broker", level, [this](runtime::LogLevel, std::string_view line) { note(std::string(line)); }) {
  network_.set_delay(0ms, kUsualDelay);
}

World::~World() {
  if (process_ && !process_->is_killed()) process_->kill();
  bury();
}

void World::note(const std::string& what) {
  on_event_(fmt::format("{:>10.6f} {}", std::chrono::duration<double>(elapsed()).count(), what));
}

void World::start_broker() {
  try_start();
  if (!broker_) problems_.push_back("the broker does not start on an empty directory");
}

void World::start_faults() {
  asio::co_spawn(env_.executor(), play(this), asio::detached);
}

asio::awaitable<void> World::play(World* self) {
  std::vector<Step> steps;
  for (const Fault& fault : self->plan_.faults) {
    steps.push_back({fault.at, fault, true});
    steps.push_back({fault.at + fault.lasts, fault, false});
  }
  std::stable_sort(steps.begin(), steps.end(), [](const Step& a, const Step& b) { return a.at < b.at; });
  std::size_t next = 0;
  for (;;) {
    runtime::MonotonicTime wake = self->env_.clock().now() + kSupervision;
    if (next < steps.size()) wake = std::min(wake, self->start_ + steps[next].at);
    co_await self->env_.sleep_until(wake);
    if (next < steps.size() && self->env_.clock().now() >= self->start_ + steps[next].at) {
      const Step& step = steps[next++];
      if (step.begins) {
        self->begin(step.fault);
      } else {
        self->end(step.fault);
      }
    }
    self->supervise();
    self->calm_ = next == steps.size() && self->broker_ != nullptr;
  }
}

void World::supervise() {
  if (fatal_) take_down(true);  // it ends by itself
  if (process_ && process_->is_killed()) bury();
  if (!broker_ && down_ == 0) try_start();
}

void World::begin(const Fault& fault) {
  note(fmt::format("begin {} ({})", to_string(fault.kind), fault.amount));
  switch (fault.kind) {
    case FaultKind::cut_one:
      network_.cut_one();
      break;
    case FaultKind::cut_all:
      network_.cut_all();
      break;
    case FaultKind::cut_writes:
      network_.cut_one_write_in(fault.amount);
      break;
    case FaultKind::refuse:
      network_.refuse(++refusing_ > 0);
      break;
    case FaultKind::stall:
      network_.stall(++stalled_ > 0);
      break;
    case FaultKind::slow:
      network_.set_delay(0ms, std::chrono::milliseconds(static_cast<std::int64_t>(fault.amount)));
      break;
    case FaultKind::pause:
      ++paused_;
      if (process_) process_->pause(true);
      break;
    case FaultKind::kill:
      ++down_;
      take_down(true);
      break;
    case FaultKind::power_loss:
      power_is_lost_ = true;
      [[fallthrough]];
    case FaultKind::kill_writing:
      env_.memory_files().kill_in(fault.amount, [this] {
        note("dies");
        if (process_) process_->kill();
        network_.kill_servers();
      });
      break;
    case FaultKind::restart:
      ++down_;
      take_down(false);
      break;
    case FaultKind::disk_full:
      ++disk_full_;
      limit_disk(fault.amount);
      break;
  }
}

void World::end(const Fault& fault) {
  note(fmt::format("end {}", to_string(fault.kind)));
  switch (fault.kind) {
    case FaultKind::cut_one:
    case FaultKind::cut_all:
      break;
    case FaultKind::cut_writes:
      network_.cut_one_write_in(0);
      break;
    case FaultKind::refuse:
      network_.refuse(--refusing_ > 0);
      break;
    case FaultKind::stall:
      network_.stall(--stalled_ > 0);
      break;
    case FaultKind::slow:
      network_.set_delay(0ms, kUsualDelay);
      break;
    case FaultKind::pause:
      --paused_;
      if (process_) process_->pause(paused_ > 0);
      break;
    case FaultKind::kill:
    case FaultKind::restart:
      --down_;
      break;
    case FaultKind::power_loss:
    case FaultKind::kill_writing:
      take_down(true);
      break;  // where it had too little to write
    case FaultKind::disk_full:
      if (--disk_full_ == 0) limit_disk(std::uint64_t{1} << 40);
      break;
  }
}

void World::limit_disk(std::uint64_t free_bytes) {
  runtime::MemoryFiles& files = env_.memory_files();
  files.set_capacity_bytes(std::uint64_t{1} << 60);
  const std::uint64_t used = (std::uint64_t{1} << 60) - files.free_bytes("/").value_or(0);
  files.set_capacity_bytes(used + free_bytes);
}

void World::take_down(bool by_kill) {
  fatal_ = false;
  if (!broker_) return;
  if (by_kill || process_->is_paused()) {
    if (!process_->is_killed()) {
      process_->kill();
      env_.memory_files().kill();
      network_.kill_servers();
    }
    bury();
    return;
  }
  const Result<void> stopped = broker_->stop();
  if (!stopped) note("stop: " + stopped.error().message());
  if (process_->is_killed()) {
    bury();
    return;
  }
  broker_.reset();
  process_.reset();
}

/// Destroys what a killed broker has left, which cannot reach the disk or the network any more, and brings the disk
/// back.
void World::bury() {
  if (!process_) return;
  env_.memory_files().kill();
  network_.kill_servers();
  broker_.reset();
  process_.reset();
  if (std::exchange(power_is_lost_, false)) env_.memory_files().crash();
  env_.memory_files().revive();
  if (while_down) while_down(env_.memory_files());
}

void World::try_start() {
  note("starts");
  auto config = config::BrokerConfig::parse(broker_settings(plan_.broker));
  if (!config) {
    problems_.push_back(config.error().message());
    return;
  }
  process_ = std::make_unique<runtime::VirtualProcess>(env_);
  process_->pause(paused_ > 0);
  broker::BrokerOptions options;
  options.logger = logger_;
  options.on_fatal = [this, process = process_.get()](const Failure& why) {
    note("fatal: " + why.message());
    if (!process->is_killed()) fatal_ = true;
  };
  auto started = broker::Broker::start(*process_, network_, std::move(*config), std::move(options));
  if (started) {
    broker_ = std::move(*started);
    note("serves");
    return;
  }
  const bool was_killed = process_->is_killed();
  note("does not start: " + started.error().message());
  if (!was_killed && disk_full_ == 0) {
    const std::string problem = "the broker does not start: " + started.error().message();
    if (std::find(problems_.begin(), problems_.end(), problem) == problems_.end()) problems_.push_back(problem);
  }
  if (was_killed) {
    bury();
  } else {
    process_.reset();
  }
}

}  // namespace barnabas::simulation
