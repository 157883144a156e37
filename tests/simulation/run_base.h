#pragma once

#include <barnabas/barnabas.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "common/runtime/files.h"
#include "tests/simulation/trace_hash.h"
#include "tests/simulation/world.h"

namespace barnabas::simulation {

/// Who watches a run.
struct Observer {
  /// Takes what happens, a line each; empty: nobody listens.
  std::function<void(const std::string&)> line;
  /// Called while the broker is down after a kill: breaks something on the disk.
  std::function<void(runtime::Files&)> while_down;
};

/// What every run comes to.
struct Verdict {
  std::vector<std::string> problems;  ///< The checker's, and what hung or failed without a reason.
  std::uint64_t trace_hash = 0;       ///< Of every byte on the network, every event and its time.
  int broker_starts = 0;
};

/// A World and what its clients are made of; all that happens in it is told, and goes into the trace's hash.
/// Threads: one.
class RunBase {
 protected:
  /// `level`: of the clients' log lines, where somebody listens.
  RunBase(const Plan& plan, const Observer& observer, LogLevel level);
  ~RunBase() = default;
  RunBase(const RunBase&) = delete;
  RunBase& operator=(const RunBase&) = delete;

  void note_now(const std::string& what);
  /// Each is told once.
  void problem(std::string what);
  /// All is over: what the checker found is a problem, and what the world did not expect.
  Verdict verdict(std::vector<std::string> found);

  LogSink log() const;
  Runtime runtime(const std::string& name);
  static Config config(const std::string& name, const std::map<std::string, std::string>& settings = {});
  /// As the plan wants it.
  void make_topic(Admin& admin, const Plan& plan);

 private:
  void note(const std::string& what);

  const std::function<void(const std::string&)> line_;
  const LogLevel level_;
  TraceHash hash_;
  Verdict verdict_;

 protected:
  World world_;  // tells of its end too
};

}  // namespace barnabas::simulation
