#include "examples/demo/hand_over.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <stdexcept>

#include "examples/demo/interrupt.h"
#include "examples/demo/member_process.h"

namespace demo {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kMembers = 3;
constexpr double kSecondsOfWork = 2;  // for three members; without a pace there would be no half way to meet
constexpr double kSlowest = 500;      // records a second
constexpr std::chrono::seconds kPatience{30};

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// The records of a partition that were processed: by whom and in what order does not matter.
struct Processed {
  std::vector<std::optional<Sha256>> records;  // by offset
  std::uint64_t repeated = 0;
};

class Group {
 public:
  Group(const std::string& bootstrap_servers, const std::vector<PartitionSummary>& wanted)
      : owner_(wanted.size(), -1), processed_(wanted.size()) {
    result_.partitions.resize(wanted.size());
    for (std::size_t p = 0; p < wanted.size(); ++p) {
      processed_[p].records.resize(wanted[p].records);
      total_ += wanted[p].records;
    }
    const double pace = std::max(kSlowest, static_cast<double>(total_) / kSecondsOfWork / kMembers);
    for (int i = 0; i < kMembers; ++i) members_.push_back(std::make_unique<MemberProcess>(bootstrap_servers, pace));
  }

  HandOver run() {
    await("the members share the topic, and have read half of it", [&] { return is_spread() && 2 * seen_ >= total_; });
    kill_one();
    await("the others have what the killed one had", [&] { return !has_orphans(); });
    result_.hand_over_seconds = seconds_since(killed_at_);
    await("all is read", [&] { return seen_ == total_; });
    for (std::size_t p = 0; p < owner_.size(); ++p) result_.partitions[p].owner_after = owner_[p];
    end();
    sum_up();
    result_.seconds = seconds_since(started_);
    return std::move(result_);
  }

 private:
  template <typename Condition>
  void await(const char* what, Condition condition) {
    const auto deadline = Clock::now() + kPatience;
    while (!condition()) {
      throw_if_interrupted();
      if (Clock::now() > deadline)
        throw std::runtime_error(fmt::format("it took too long until {} ({} of {} records)", what, seen_, total_));
      listen();
    }
  }

  /// Takes in what the members say, or a moment of silence.
  void listen() {
    std::array<pollfd, kMembers> pipes{};
    for (std::size_t i = 0; i < pipes.size(); ++i) pipes[i] = {members_[i]->descriptor(), POLLIN, 0};
    ::poll(pipes.data(), pipes.size(), 50);
    for (int i = 0; i < kMembers; ++i) {
      MemberProcess& member = *members_[static_cast<std::size_t>(i)];
      for (const MemberEvent& event : member.read()) take(i, event);
      if (member.descriptor() < 0 && i != result_.victim && !is_ending_)
        throw std::runtime_error(fmt::format("member {} ended by itself", i + 1));
    }
  }

  void take(int member, const MemberEvent& event) {
    int& owner = owner_.at(static_cast<std::size_t>(event.partition));
    if (event.kind == MemberEvent::Kind::record) return take_record(event);
    if (event.kind == MemberEvent::Kind::assigned) {
      if (member != result_.victim) owner = member;
    } else if (owner == member) {
      owner = -1;
    }
  }

  void take_record(const MemberEvent& event) {
    Processed& processed = processed_.at(static_cast<std::size_t>(event.partition));
    const auto offset = static_cast<std::size_t>(event.offset);
    if (offset >= processed.records.size()) {
      problem(fmt::format("partition {} has a record at {} that nobody sent", event.partition, event.offset));
    } else if (auto& known = processed.records[offset]; !known) {
      known = event.digest;
      ++seen_;
    } else {
      ++processed.repeated;
      if (*known != event.digest)
        problem(
            fmt::format("partition {}: what is at {} was different the second time", event.partition, event.offset));
    }
  }
  void problem(std::string what) { result_.problems.push_back(std::move(what)); }

  bool is_spread() const {
    const auto share = static_cast<std::ptrdiff_t>(owner_.size()) / kMembers;
    for (int i = 0; i < kMembers; ++i) {
      if (std::count(owner_.begin(), owner_.end(), i) != share) return false;
    }
    return true;
  }
  bool has_orphans() const { return std::count(owner_.begin(), owner_.end(), -1) > 0; }

  void kill_one() {
    result_.victim = kMembers - 1;
    for (std::size_t p = 0; p < owner_.size(); ++p) result_.partitions[p].owner_before = owner_[p];
    result_.records_before = seen_;
    MemberProcess& victim = *members_.back();
    result_.victim_pid = victim.pid();
    killed_at_ = Clock::now();
    victim.signal(SIGKILL);
    victim.ended_well();
    std::replace(owner_.begin(), owner_.end(), result_.victim, -1);
  }

  /// The others leave, as programs do.
  void end() {
    is_ending_ = true;
    for (const auto& member : members_) member->signal(SIGTERM);
    await("the members have left", [&] {
      return std::all_of(members_.begin(), members_.end(), [](const auto& one) { return one->descriptor() < 0; });
    });
    for (int i = 0; i < kMembers; ++i) {
      if (i != result_.victim && !members_[static_cast<std::size_t>(i)]->ended_well())
        problem(fmt::format("member {} did not end well", i + 1));
    }
  }

  void sum_up() {
    for (std::size_t p = 0; p < processed_.size(); ++p) {
      PartitionDigest digest;
      for (const auto& record : processed_[p].records) {
        if (record) digest.add(*record);
      }
      result_.partitions[p].repeated = processed_[p].repeated;
      result_.partitions[p].sum = {digest.records(), digest.finish()};
    }
  }

  std::vector<std::unique_ptr<MemberProcess>> members_;
  std::vector<int> owner_;  // by partition; -1: nobody
  std::vector<Processed> processed_;
  std::uint64_t total_ = 0;
  std::uint64_t seen_ = 0;  // records, each once
  Clock::time_point started_ = Clock::now();
  Clock::time_point killed_at_;
  bool is_ending_ = false;
  HandOver result_;
};

}  // namespace

HandOver hand_over(const std::string& bootstrap_servers, const std::vector<PartitionSummary>& wanted) {
  return Group(bootstrap_servers, wanted).run();
}

}  // namespace demo
