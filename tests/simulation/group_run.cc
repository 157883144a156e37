#include "tests/simulation/group_run.h"

#include <barnabas/barnabas.h>
#include <fmt/format.h>

#include <algorithm>
#include <list>
#include <utility>

#include "tests/simulation/group_member.h"

namespace barnabas::simulation {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr const char* kLedgerGroup = "ledger";
constexpr runtime::Duration kPatience = 120s;  // after the last fault, for what should happen soon
constexpr milliseconds kLedgerTimeout{3000};

/// The run of a plan: one producer, one who keeps a ledger of offsets, and members that come and go.
class GroupRun : RunBase {
 public:
  GroupRun(const GroupPlan& plan, const GroupObserver& observer)
      : RunBase(plan.world, observer, LogLevel::debug),
        plan_(plan),
        dice_(plan.world.seed ^ 0x6e0),
        context_{world_,
                 plan_,
                 dice_,
                 outcome_.history,
                 [this](const std::string& what) { note_now(what); },
                 [this](const std::string& what) { problem(what); },
                 log(),
                 observer.tap} {}

  GroupOutcome run() {
    world_.start_broker();
    admin_.emplace(config("admin"), AdminOptions{.runtime = runtime("admin"), .log = log()});
    make_topic(*admin_, plan_.world);
    producer_.emplace(config("producer"), ProducerOptions{.runtime = runtime("producer"), .log = log()});
    keeper_.emplace(config("keeper").set("group.id", kLedgerGroup),
                    ConsumerOptions{.runtime = runtime("keeper"), .log = log()});
    for (std::size_t i = 0; i < plan_.members; ++i) join(next_name());
    world_.start_faults();
    live_until([this] { return world_.elapsed() >= plan_.world.length; }, plan_.world.length);
    wind_up();
    world_.env().run_for(1s);
    static_cast<Verdict&>(outcome_) = verdict(check(outcome_.history));
    for (const GroupEvent& event : outcome_.history.events) {
      outcome_.generations = std::max(outcome_.generations, event.generation);
    }
    return std::move(outcome_);
  }

 private:
  // ---- what happens, in the order of time

  void live_until(const std::function<bool()>& done, runtime::Duration limit) {
    while (!done() && world_.elapsed() < limit) {
      runtime::Duration next = std::min({limit, next_burst_, next_entry_});
      if (next_deed_ < plan_.deeds.size()) next = std::min(next, plan_.deeds[next_deed_].at);
      for (const auto& member : members_) next = std::min(next, member->next_step());
      if (next > world_.elapsed()) world_.env().run_for(next - world_.elapsed());
      act();
    }
  }

  void act() {
    const runtime::Duration now = world_.elapsed();
    if (next_deed_ < plan_.deeds.size() && plan_.deeds[next_deed_].at <= now) return perform(plan_.deeds[next_deed_++]);
    if (next_burst_ <= now) return send_burst();
    if (next_entry_ <= now) return keep_ledger();
    for (const auto& member : members_) {
      if (member->next_step() <= now) return member->step();
    }
  }

  void perform(const Deed& deed) {
    if (deed.kind == DeedKind::join) return join(next_name());
    if (members_.empty()) return;
    const auto at = std::next(members_.begin(), dice_.between(0, static_cast<std::int64_t>(members_.size()) - 1));
    if (deed.kind == DeedKind::sleep) {
      if (!(*at)->is_asleep()) (*at)->sleep(deed.lasts);
      return;
    }
    if (deed.kind == DeedKind::stick) return (*at)->stick(deed.lasts);
    GroupMember& member = **at;
    gone_.splice(gone_.end(), members_, at);
    if (deed.kind == DeedKind::leave) return member.close();
    member.crash();
    if (plan_.is_static) join(member.name());
  }

  std::string next_name() { return fmt::format("member-{}", ++named_); }
  void join(std::string name) { members_.push_back(std::make_unique<GroupMember>(context_, std::move(name))); }

  void send_burst() {
    for (std::int64_t left = dice_.between(1, 12); left > 0; --left) {
      const auto partition = static_cast<std::int32_t>(dice_.between(0, plan_.world.partitions - 1));
      try {
        producer_->send({.topic = kTopic, .partition = partition, .value = "x"}, [this](const Delivery& delivery) {
          if (delivery.ok()) outcome_.history.acknowledged.emplace(delivery.partition, delivery.offset);
        });
      } catch (const Error& error) {
        note_now(fmt::format("send throws: {}", error.what()));
      }
    }
    next_burst_ = world_.elapsed() + milliseconds(dice_.between(50, 2000));
  }

  // ---- the ledger: offsets of a group of one, which is told of each of them before it goes on

  void keep_ledger() {
    next_entry_ = world_.elapsed() + milliseconds(dice_.between(200, 4000));
    if (!plan_.has_ledger) return;
    LedgerEntry entry;
    entry.kind = LedgerEntry::Kind::stored;
    entry.partition = static_cast<std::int32_t>(dice_.between(0, plan_.world.partitions - 1));
    const bool deletes = dice_.one_in(3);
    if (deletes) {
      entry.partition = kept_last_;
    } else {
      entry.offset = ++ledger_offset_;
      kept_last_ = entry.partition;
    }
    try {
      const TopicPartition where{kTopic, entry.partition};
      if (deletes) {
        const auto results = admin_->delete_group_offsets(kLedgerGroup, {where}, {kLedgerTimeout});
        if (results.at(0).error) entry.kind = LedgerEntry::Kind::tried;
      } else {
        keeper_->commit_sync({{where, {*entry.offset}}}, kLedgerTimeout);
      }
    } catch (const Error& error) {
      note_now(fmt::format("the ledger: {}", error.what()));
      entry.kind = LedgerEntry::Kind::tried;
    }
    outcome_.history.ledger.push_back(entry);
    if (world_.is_calm() || dice_.one_in(3)) read_ledger();
  }

  void read_ledger() {
    std::vector<TopicPartition> all;
    for (std::int32_t i = 0; i < plan_.world.partitions; ++i) all.push_back({kTopic, i});
    try {
      for (const auto& [where, committed] : keeper_->committed(all)) {
        LedgerEntry entry;
        entry.partition = where.partition;
        if (committed) entry.offset = committed->offset;
        outcome_.history.ledger.push_back(entry);
      }
    } catch (const Error& error) {
      note_now(fmt::format("reading the ledger: {}", error.what()));
    }
  }

  // ---- the end: all is well again, and all records are processed

  void wind_up() {
    const runtime::Duration limit = world_.elapsed() + kPatience;
    live_until([this] { return world_.is_calm(); }, limit);
    if (!world_.is_calm()) problem("the broker does not come back");
    for (const auto& member : members_) member->wake();
    if (members_.empty()) join(next_name());
    try {
      producer_->close(60s);
    } catch (const Error& error) {
      problem(fmt::format("closing the producer after the last fault: {}", error.what()));
    }
    next_burst_ = runtime::Duration::max();
    const runtime::Duration end = world_.elapsed() + kPatience;
    live_until([this] { return is_all_processed(); }, end);
    if (!is_all_processed()) {
      for (const auto& member : members_) note_now(member->name() + ": " + member->explain());
    }
    for (const auto& member : members_) member->close();
    gone_.splice(gone_.end(), members_);
    if (plan_.has_ledger) read_ledger();
    check_committed();
  }

  bool is_all_processed() {
    const auto& events = outcome_.history.events;
    for (; looked_at_ < events.size(); ++looked_at_) {
      if (events[looked_at_].kind == GroupEvent::Kind::processed) processed_.insert(events[looked_at_].place);
    }
    return std::includes(processed_.begin(), processed_.end(), outcome_.history.acknowledged.begin(),
                         outcome_.history.acknowledged.end());
  }

  /// Who comes next has nothing left to read.
  void check_committed() {
    std::map<std::int32_t, std::int64_t> ends;
    for (const auto& [partition, offset] : outcome_.history.acknowledged) {
      ends[partition] = std::max(ends[partition], offset + 1);
    }
    try {
      const Offsets committed = admin_->list_group_offsets(kGroup);
      for (const auto& [partition, end] : ends) {
        const auto found = committed.find(TopicPartition{kTopic, partition});
        const std::int64_t offset = found == committed.end() ? -1 : found->second.offset;
        if (offset < end) {
          problem(fmt::format("partition {} ends at {}, and {} is committed by the end", partition, end, offset));
        }
      }
    } catch (const Error& error) {
      problem(fmt::format("the offsets after the last fault: {}", error.what()));
    }
  }

  const GroupPlan plan_;
  Dice dice_;
  GroupOutcome outcome_;
  GroupContext context_;
  std::optional<Admin> admin_;
  std::optional<Producer> producer_;
  std::optional<Consumer> keeper_;
  std::list<std::unique_ptr<GroupMember>> members_;
  std::list<std::unique_ptr<GroupMember>> gone_;  // whose process ends with the last that waits in it
  int named_ = 0;
  std::size_t next_deed_ = 0;
  runtime::Duration next_burst_{};
  runtime::Duration next_entry_{};
  std::int64_t ledger_offset_ = 0;
  std::int32_t kept_last_ = 0;  // the partition
  std::set<Place> processed_;
  std::size_t looked_at_ = 0;
};

}  // namespace

GroupOutcome run(const GroupPlan& plan, const GroupObserver& observer) {
  return GroupRun(plan, observer).run();
}

}  // namespace barnabas::simulation
