#include "tests/simulation/run_base.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "client/core/client_runtime.h"

namespace barnabas::simulation {

RunBase::RunBase(const Plan& plan, const Observer& observer, LogLevel level)
    : line_(observer.line),
      level_(observer.line ? level : LogLevel::off),
      world_(plan, observer.line ? runtime::LogLevel::warn : runtime::LogLevel::off,
             [this](const std::string& what) { note(what); }) {
  world_.while_down = observer.while_down;
  world_.network().watch([this](const std::string& peer, BytesView bytes) {
    hash_.add(peer);
    hash_.add(static_cast<std::uint64_t>(world_.elapsed().count()));
    hash_.add(bytes);
  });
}

void RunBase::note(const std::string& what) {
  hash_.add(what);
  if (what.find(" starts") != std::string::npos) ++verdict_.broker_starts;
  if (line_) line_(what);
}

void RunBase::note_now(const std::string& what) {
  note(fmt::format("{:>10.6f} {}", std::chrono::duration<double>(world_.elapsed()).count(), what));
}

void RunBase::problem(std::string what) {
  note_now("PROBLEM " + what);
  std::vector<std::string>& all = verdict_.problems;
  if (std::find(all.begin(), all.end(), what) == all.end()) all.push_back(std::move(what));
}

Verdict RunBase::verdict(std::vector<std::string> found) {
  for (const std::string& what : world_.problems()) problem(what);
  for (std::string& what : found) problem(std::move(what));
  verdict_.trace_hash = hash_.value();
  return verdict_;
}

LogSink RunBase::log() const {
  LogSink sink;
  sink.level = level_;
  sink.write = [this](LogLevel, std::string_view client, std::string_view line) {
    if (line_) line_(fmt::format("           {}: {}", client, line));
  };
  return sink;
}

Runtime RunBase::runtime(const std::string& name) {
  return Runtime(client::ClientRuntime::make(world_.env(), world_.network(), name));
}

Config RunBase::config(const std::string& name, const std::map<std::string, std::string>& settings) {
  Config result{{"bootstrap.servers", "broker:9092"}, {"client.id", name}};
  for (const auto& [key, value] : settings) result.set(key, value);
  return result;
}

void RunBase::make_topic(Admin& admin, const Plan& plan) {
  NewTopic topic;
  topic.name = kTopic;
  topic.partitions = plan.partitions;
  topic.configs = plan.topic;
  for (const CreatedTopic& one : admin.create_topics({topic})) {
    if (one.error) problem("the topic cannot be made: " + one.error.context);
  }
}

}  // namespace barnabas::simulation
