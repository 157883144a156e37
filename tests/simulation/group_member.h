#pragma once

#include <barnabas/consumer.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "common/runtime/virtual_env.h"
#include "tests/simulation/group_history.h"
#include "tests/simulation/group_plan.h"
#include "tests/simulation/tap_network.h"
#include "tests/simulation/world.h"

namespace barnabas::simulation {

inline constexpr const char* kGroup = "workers";

/// What a member tells and asks of the run that it belongs to.
struct GroupContext {
  World& world;
  const GroupPlan& plan;
  Dice& dice;
  GroupHistory& history;
  std::function<void(const std::string&)> note;
  std::function<void(const std::string&)> problem;
  LogSink log;
  /// Beside the history's: a test's defect.
  std::function<std::optional<Instead>(const std::string& member, const protocol::RequestHeader&, BytesView body)> tap;
};

/// A process that reads as a member of the group: polls, works on what it got, one record after the other, and polls
/// again. The run calls step() when its time has come. Threads: the test's.
class GroupMember {
 public:
  GroupMember(GroupContext& context, std::string name);
  ~GroupMember();
  GroupMember(const GroupMember&) = delete;
  GroupMember& operator=(const GroupMember&) = delete;

  const std::string& name() const { return name_; }
  runtime::Duration next_step() const { return next_step_; }
  void step();
  void sleep(runtime::Duration time);
  bool is_asleep() const { return sleeps_until_.has_value(); }
  void wake();
  void stick(runtime::Duration time);
  void close();
  void crash();
  std::string explain() const { return consumer_->explain(); }

 private:
  Config config() const;
  RebalanceListener listener();
  std::optional<Instead> see_request(const protocol::RequestHeader& header, BytesView body);
  GroupEvent& add(GroupEvent::Kind kind);
  void poll();
  void work();
  void commit();
  bool polls_too_late() const;
  bool may_be_lost() const;

  GroupContext& context_;
  const std::string name_;
  const bool commits_itself_;
  runtime::VirtualProcess process_;
  TapNetwork network_;
  std::optional<Consumer> consumer_;
  std::deque<Place> pending_;  // polled and not worked on
  runtime::Duration next_step_{};
  std::optional<runtime::Duration> sleeps_until_;
  const runtime::Duration max_poll_interval_;
  runtime::Duration polled_at_{};                // the end of the last poll
  std::optional<runtime::Duration> away_until_;  // the last time
};

}  // namespace barnabas::simulation
