#include "tests/simulation/group_member.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "client/core/client_runtime.h"
#include "common/protocol/messages/offset_commit.h"

namespace barnabas::simulation {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using Kind = GroupEvent::Kind;

/// How long after a trouble its consequences may still come: a session, and what it takes to notice and to retry.
constexpr runtime::Duration kAftermath = 15s;
constexpr milliseconds kCommitTimeout{2000};

std::vector<std::int32_t> numbers_of(const RebalanceListener::Partitions& partitions) {
  std::vector<std::int32_t> numbers;
  for (const TopicPartition& where : partitions) numbers.push_back(where.partition);
  return numbers;
}

}  // namespace

GroupMember::GroupMember(GroupContext& context, std::string name)
    : context_(context),
      name_(std::move(name)),
      commits_itself_(context.plan.member.at("enable.auto.commit") == "false"),
      process_(context.world.env()),
      network_(context.world.network(),
               [this](const protocol::RequestHeader& header, BytesView body) { return see_request(header, body); }),
      max_poll_interval_(milliseconds(std::stoll(context.plan.member.at("max.poll.interval.ms")))) {
  next_step_ = polled_at_ = context_.world.elapsed();
  consumer_.emplace(
      config(),
      ConsumerOptions{.runtime = Runtime(client::ClientRuntime::make(process_, network_, name_)), .log = context_.log});
  consumer_->subscribe({kTopic}, listener());
  context_.note(name_ + " comes");
}

GroupMember::~GroupMember() {
  if (consumer_) crash();
}

Config GroupMember::config() const {
  Config result;
  result.set("bootstrap.servers", "broker:9092").set("client.id", name_).set("group.id", kGroup);
  result.set("auto.offset.reset", "earliest");
  if (context_.plan.is_static) result.set("group.instance.id", name_);
  for (const auto& [key, value] : context_.plan.member) result.set(key, value);
  return result;
}

GroupEvent& GroupMember::add(Kind kind) {
  GroupEvent& event = context_.history.events.emplace_back();
  event.kind = kind;
  event.at = context_.world.elapsed();
  event.member = name_;
  return event;
}

RebalanceListener GroupMember::listener() {
  using Partitions = RebalanceListener::Partitions;
  RebalanceListener made;
  made.on_assigned = [this](const Partitions& partitions) {
    add(Kind::assigned).partitions = numbers_of(partitions);
    GroupEvent& event = add(Kind::owns);
    event.generation = consumer_->group_metadata().generation_id;
    event.partitions = numbers_of(consumer_->assignment());
    context_.note(fmt::format("{}: generation {}, {} partitions, {} of them new", name_, event.generation,
                              event.partitions.size(), partitions.size()));
  };
  made.on_revoked = [this](const Partitions& partitions) {
    context_.note(fmt::format("{}: {} partitions go", name_, partitions.size()));
    if (commits_itself_) commit();
    add(Kind::revoked).partitions = numbers_of(partitions);
  };
  made.on_lost = [this](const Partitions& partitions) {
    context_.note(fmt::format("{}: {} partitions are lost", name_, partitions.size()));
    GroupEvent& event = add(Kind::lost);
    event.partitions = numbers_of(partitions);
    event.may_be_lost = may_be_lost();
  };
  return made;
}

bool GroupMember::polls_too_late() const {
  return context_.world.elapsed() - polled_at_ >= max_poll_interval_;
}

/// It slept, did not poll for max.poll.interval.ms, or network or broker had a fault, not long ago. To be stuck for
/// less than that is no excuse: the heartbeats go on.
bool GroupMember::may_be_lost() const {
  const runtime::Duration now = context_.world.elapsed();
  if (polls_too_late() || (away_until_ && now < *away_until_ + kAftermath)) return true;
  const auto& faults = context_.plan.world.faults;
  return std::any_of(faults.begin(), faults.end(), [now](const Fault& fault) {
    return fault.at <= now && now < fault.at + fault.lasts + kAftermath;
  });
}

std::optional<Instead> GroupMember::see_request(const protocol::RequestHeader& header, BytesView body) {
  if (static_cast<protocol::ApiKey>(header.request_api_key) == protocol::ApiKey::offset_commit) {
    Reader in(body);
    const auto request = protocol::OffsetCommitRequest::decode(in, header.request_api_version);
    if (!request) context_.problem("an OffsetCommit that does not read");
    if (request) {
      for (const auto& topic : request->topics) {
        for (const auto& partition : topic.partitions) {
          add(Kind::commits).place = {partition.partition_index, partition.committed_offset};
        }
      }
    }
  }
  return context_.tap ? context_.tap(name_, header, body) : std::nullopt;
}

void GroupMember::step() {
  const runtime::Duration now = context_.world.elapsed();
  if (sleeps_until_) {
    if (now < *sleeps_until_) return;
    wake();
  }
  if (pending_.empty()) {
    poll();
  } else {
    work();
  }
  const std::int64_t most_ms = pending_.empty() ? 250 : 40;
  next_step_ = context_.world.elapsed() + milliseconds(context_.dice.between(1, most_ms));
}

void GroupMember::poll() {
  if (polls_too_late()) away_until_ = context_.world.elapsed();
  try {
    const Records records = consumer_->poll(milliseconds(context_.dice.one_in(4) ? context_.dice.between(0, 30) : 0));
    for (const RecordView& record : records) {
      const Place place(record.partition(), record.offset());
      add(Kind::returned).place = place;
      pending_.push_back(place);
    }
    if (!pending_.empty() && context_.plan.commits_too_early) commit();
  } catch (const Error& error) {
    context_.problem(fmt::format("{}: poll throws: {}", name_, error.what()));
  }
  polled_at_ = context_.world.elapsed();
}

void GroupMember::work() {
  for (std::int64_t left = context_.dice.between(1, 4); left > 0 && !pending_.empty(); --left) {
    add(Kind::processed).place = pending_.front();
    pending_.pop_front();
  }
  if (pending_.empty() && commits_itself_) commit();
}

/// What cannot be committed is processed again.
void GroupMember::commit() {
  try {
    consumer_->commit_sync(kCommitTimeout);
  } catch (const Error& error) {
    context_.note(fmt::format("{}: a commit throws: {}", name_, error.what()));
  }
}

void GroupMember::sleep(runtime::Duration time) {
  context_.note(name_ + " falls asleep");
  sleeps_until_ = context_.world.elapsed() + time;
  next_step_ = *sleeps_until_;
  process_.pause(true);
}

void GroupMember::wake() {
  if (!sleeps_until_) return;
  context_.note(name_ + " wakes up");
  sleeps_until_.reset();
  away_until_ = context_.world.elapsed();
  next_step_ = *away_until_;
  process_.pause(false);
}

void GroupMember::stick(runtime::Duration time) {
  if (sleeps_until_) return;
  context_.note(name_ + " is stuck");
  next_step_ = context_.world.elapsed() + time;
}

void GroupMember::close() {
  wake();
  while (!pending_.empty()) work();
  if (commits_itself_) commit();
  try {
    consumer_->close(5000ms);
  } catch (const Error& error) {
    context_.note(fmt::format("{}: close throws: {}", name_, error.what()));
  }
  consumer_.reset();
  add(Kind::gone);
  context_.note(name_ + " has left");
}

void GroupMember::crash() {
  network_.die();
  process_.pause(false);
  add(Kind::gone);
  context_.note(name_ + " dies");
  consumer_.reset();  // which cannot tell anybody any more
}

}  // namespace barnabas::simulation
