#include <gtest/gtest.h>
#include <signal.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <random>
#include <set>
#include <sstream>
#include <thread>

#include "tests/integration/cluster.h"
#include "tests/integration/group_claims.h"
#include "tests/integration/mortal_broker.h"
#include "tests/support/child_process.h"

namespace barnabas::testing {
namespace {

using namespace std::chrono_literals;

constexpr std::int32_t kPartitions = 12;
constexpr std::size_t kMembers = 5;  // and one more or less for a while
constexpr const char* kTopic = "orders";
constexpr const char* kGroup = "rounds";
constexpr std::chrono::milliseconds kSession{1500};

using Place = std::pair<std::int32_t, std::int64_t>;  // partition, offset

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

bool wait_until(std::chrono::seconds patience, const std::function<bool()>& done) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(50ms);
  }
  return true;
}

/// What a member is.
enum class Kind {
  command,  ///< `barnabas consume --group`, which commits what it has printed, and nothing else.
  stream,   ///< Coroutines: a RecordStream, and a listener that commits.
  parallel  ///< A ParallelConsumer.
};

std::vector<std::string> command_of(Kind kind, const std::string& servers, const std::string& assignors) {
  const std::vector<std::string> settings{"session.timeout.ms=" + std::to_string(kSession.count()),
                                          "heartbeat.interval.ms=300",
                                          "retry.backoff.ms=20",
                                          "reconnect.backoff.ms=20",
                                          "reconnect.backoff.max.ms=100",
                                          "partition.assignment.strategy=" + assignors};
  const std::string programs = std::string(BARNABAS_BINARY_DIR) + "/bin/";
  std::vector<std::string> command;
  if (kind == Kind::command) {
    command = {programs + "barnabas",
               "consume",
               "-b",
               servers,
               "--group",
               kGroup,
               "--topic",
               kTopic,
               "--follow",
               "--format",
               "%p %o\n"};
    for (const std::string& setting : settings) command.insert(command.end(), {"-X", setting});
  } else {
    const std::string what = kind == Kind::stream ? "stream" : "parallel";
    command = {programs + "group_member", what, servers, kGroup, kTopic};
    command.insert(command.end(), settings.begin(), settings.end());
  }
  return command;
}

/// What the members have printed, all together.
struct Told {
  std::size_t members = 0;
  std::set<Place> processed;
  Claims claims;  ///< Not of Kind::command.
  std::string rest;
};

/// A member of the group in a process of its own, which prints what it has processed.
class Reader {
 public:
  Reader(Kind kind, const std::string& servers, const std::string& assignors)
      : process_(command_of(kind, servers, assignors)) {}

  void signal(int number) { process_.signal(number); }
  void kill() {
    process_.signal(SIGKILL);
    process_.wait();
  }
  void leave() {
    process_.signal(SIGTERM);
    EXPECT_EQ(process_.wait(), 0) << process_.output();
  }
  /// Reads what it has printed in whole lines.
  void tell(Told& told) const {
    const std::size_t member = told.members++;
    const std::string text = process_.output();
    std::istringstream lines(text.substr(0, text.rfind('\n') + 1));
    for (std::string line; std::getline(lines, line);) {
      Place place;
      if (std::sscanf(line.c_str(), "%d %ld", &place.first, &place.second) == 2) {
        told.processed.insert(place);
      } else if (!told.claims.take(member, line)) {
        told.rest += line + '\n';
      }
    }
  }

 private:
  ChildProcess process_;
};

/// Writes records until it ends, and notes where the acknowledged ones are.
class Writer {
 public:
  explicit Writer(const std::string& servers)
      : producer_({{"bootstrap.servers", servers},
                   {"linger.ms", "5"},
                   {"retry.backoff.ms", "20"},
                   {"reconnect.backoff.ms", "20"},
                   {"reconnect.backoff.max.ms", "100"}}),
        thread_([this] { write(); }) {}
  ~Writer() { stop(); }

  std::set<Place> stop() {
    is_stopping_ = true;
    if (thread_.joinable()) thread_.join();
    const std::lock_guard lock(mutex_);
    return acknowledged_;
  }
  std::size_t count() {
    const std::lock_guard lock(mutex_);
    return acknowledged_.size();
  }

 private:
  void write() {
    for (std::int32_t number = 0; !is_stopping_; ++number) {
      try {
        producer_.send({.topic = kTopic, .partition = number % kPartitions, .value = "x"}, [this](const Delivery& d) {
          const std::lock_guard lock(mutex_);
          if (d.ok()) acknowledged_.emplace(d.partition, d.offset);
        });
      } catch (const Error& error) {
        ADD_FAILURE() << error.what();
        break;
      }
      if (number % 10 == 0) std::this_thread::sleep_for(2ms);
    }
    producer_.close();
  }

  std::mutex mutex_;
  std::set<Place> acknowledged_;
  std::atomic<bool> is_stopping_{false};
  Producer producer_;
  std::thread thread_;
};

class GroupRounds {
 public:
  explicit GroupRounds(std::uint64_t seed, std::string assignors = "range,cooperative-sticky")
      : random_(seed), assignors_(std::move(assignors)) {
    Admin admin{{{"bootstrap.servers", broker_.bootstrap_servers()}}};
    EXPECT_FALSE(admin.create_topics({{.name = kTopic, .partitions = kPartitions}}).at(0).error);
    writer_ = std::make_unique<Writer>(broker_.bootstrap_servers());
    while (readers_.size() < kMembers) join();
    EXPECT_TRUE(wait_until(60s, [this] { return is_settled(readers_.size()); })) << last_seen_;
  }

  void round(std::uint64_t number) {
    const std::size_t before = writer_->count();
    const char* what = act();
    EXPECT_TRUE(wait_until(60s, [this] { return is_settled(readers_.size()); }))
        << "round " << number << " (" << what << "): " << last_seen_;
    EXPECT_TRUE(wait_until(60s, [&] { return writer_->count() > before + 100; })) << "round " << number;
    std::printf("round %lu: %s; %zu members, %zu records\n", static_cast<unsigned long>(number), what, readers_.size(),
                writer_->count());
  }

  /// What was acknowledged and never processed by anybody, once the group has committed to the end.
  std::set<Place> lost() {
    std::set<Place> left = writer_->stop();
    EXPECT_GT(left.size(), 0u);
    EXPECT_TRUE(wait_until(60s, [this] { return lag() == 0; })) << lag() << " records are not committed";
    for (const auto& reader : readers_) reader->tell(told_);
    for (const auto& reader : gone_) reader->tell(told_);
    for (const Place& place : told_.processed) left.erase(place);
    return left;
  }
  /// A defect to find: a member that commits records and does nothing with them, at least a hundred that were written
  /// while the partitions were its own, so that nobody else has had them.
  void commit_without_work() {
    Consumer thief{{{"bootstrap.servers", broker_.bootstrap_servers()},
                    {"group.id", kGroup},
                    {"enable.auto.commit", "false"},
                    {"auto.offset.reset", "earliest"}}};
    std::map<TopicPartition, std::int64_t> from;
    RebalanceListener listener;
    listener.on_assigned = [&](const std::vector<TopicPartition>& mine) { from = thief.end_offsets(mine); };
    thief.subscribe({kTopic}, listener);
    std::size_t fresh = 0;
    const bool is_done = wait_until(60s, [&] {
      std::size_t more = 0;
      for (const RecordView& record : thief.poll(100ms)) {
        const auto end = from.find({kTopic, record.partition()});
        if (end != from.end() && record.offset() >= end->second) ++more;
      }
      try {
        thief.commit_sync();
        fresh += more;
      } catch (const Error&) {  // the group went on without it, so the records are somebody else's
      }
      return fresh >= 100;
    });
    EXPECT_TRUE(is_done) << thief.explain();
  }
  /// What the members say, behind lost().
  const Told& told() const { return told_; }

 private:
  /// What may happen in a round.
  enum class Event { join, kill, pause, restart, leave, replace };
  static constexpr std::array kEvents{Event::join,    Event::kill,  Event::pause,
                                      Event::restart, Event::leave, Event::replace};

  /// Six rounds hold each event once, in an order that is drawn; so the group keeps its size.
  Event draw() {
    if (coming_.empty()) {
      coming_.assign(kEvents.begin(), kEvents.end());
      for (std::size_t left = coming_.size(); left > 1; --left) std::swap(coming_[left - 1], coming_[random_() % left]);
    }
    const Event event = coming_.back();
    coming_.pop_back();
    return event;
  }
  const char* act() {
    switch (draw()) {
      case Event::join:
        return join(), "one joined";
      case Event::kill:
        return end(&Reader::kill), "one was killed";
      case Event::pause:
        return pause(), "one was paused for longer than its session";
      case Event::restart:
        broker_.kill();
        broker_.start();
        return "the broker was killed and started again";
      case Event::leave:
        end(&Reader::leave);
        join();
        return "one left as another joined";
      case Event::replace:
        end(&Reader::kill);
        join();
        return "one was killed as another joined";
    }
    return "nothing";
  }
  /// Of each kind in turn.
  void join() {
    constexpr std::array kKinds{Kind::command, Kind::stream, Kind::parallel};
    const Kind kind = kKinds.at(joined_++ % kKinds.size());
    readers_.push_back(std::make_unique<Reader>(kind, broker_.bootstrap_servers(), assignors_));
  }
  void end(void (Reader::*how)()) {
    const auto at = readers_.begin() + static_cast<std::ptrdiff_t>(random_() % readers_.size());
    ((**at).*how)();
    gone_.push_back(std::move(*at));
    readers_.erase(at);
  }
  void pause() {
    Reader& reader = *readers_[random_() % readers_.size()];
    reader.signal(SIGSTOP);
    const std::size_t others = readers_.size() - 1;
    EXPECT_TRUE(wait_until(30s, [&] { return is_settled(others); })) << "while one is paused: " << last_seen_;
    reader.signal(SIGCONT);
  }

  /// So many members have all partitions between them, each of them one's alone.
  bool is_settled(std::size_t members) {
    try {
      Admin admin{{{"bootstrap.servers", broker_.bootstrap_servers()}}};
      const GroupDescription group = admin.describe_groups({kGroup}, 5s).at(0);
      std::set<TopicPartition> owned;
      std::size_t count = 0;
      for (const GroupMember& member : group.members) {
        owned.insert(member.assignment.begin(), member.assignment.end());
        count += member.assignment.size();
      }
      if (group.state == GroupState::stable) {
        EXPECT_EQ(count, owned.size()) << "a partition has two owners in one generation";
      }
      last_seen_ = std::string(to_string(group.state)) + " with " + std::to_string(group.members.size()) +
                   " members that have " + std::to_string(count) + " partitions";
      if (members == 0) return group.members.empty();
      return group.state == GroupState::stable && group.members.size() == members && owned.size() == kPartitions;
    } catch (const Error& error) {
      last_seen_ = error.what();
      return false;
    }
  }

  std::int64_t lag() {
    Admin admin{{{"bootstrap.servers", broker_.bootstrap_servers()}}};
    std::map<TopicPartition, OffsetSpec> ends;
    for (std::int32_t p = 0; p < kPartitions; ++p) ends.emplace(TopicPartition{kTopic, p}, OffsetSpec::latest());
    const Offsets committed = admin.list_group_offsets(kGroup);
    std::int64_t lag = 0;
    for (const ListedOffset& end : admin.list_offsets(ends)) {
      const auto found = committed.find(end.partition);
      lag += end.offset - (found == committed.end() ? 0 : found->second.offset);
    }
    return lag;
  }

  std::mt19937_64 random_;
  const std::string assignors_;
  std::vector<Event> coming_;
  std::size_t joined_ = 0;
  MortalBroker broker_{{"group.min.session.timeout.ms=100"}};
  std::vector<std::unique_ptr<Reader>> readers_;
  std::vector<std::unique_ptr<Reader>> gone_;
  std::unique_ptr<Writer> writer_;
  std::string last_seen_;
  Told told_;
};

void play_rounds(const std::string& assignors) {
  const std::uint64_t seed = from_environment("BARNABAS_GROUP_SEED", 1);
  SCOPED_TRACE("BARNABAS_GROUP_SEED=" + std::to_string(seed));
  GroupRounds rounds(seed, assignors);
  const std::uint64_t count = from_environment("BARNABAS_GROUP_ROUNDS", 6);
  for (std::uint64_t round = 1; round <= count && !::testing::Test::HasFailure(); ++round) rounds.round(round);
  const std::set<Place> lost = rounds.lost();
  EXPECT_TRUE(lost.empty()) << lost.size() << " records were never processed, the first is " << kTopic << '-'
                            << lost.begin()->first << '@' << lost.begin()->second << "; the members said:\n"
                            << rounds.told().rest;
  const Claims& claims = rounds.told().claims;
  for (const std::string& shared : claims.shared()) ADD_FAILURE() << shared;
  EXPECT_GE(claims.generations(), count / 2) << "most rounds bring a generation";
}

TEST(GroupRoundsOnlyOurs, members_that_come_and_go_process_every_record_and_never_share_a_partition) {
  play_rounds("range,cooperative-sticky");
}

TEST(GroupRoundsOnlyOurs, cooperative_members_that_come_and_go_do_so_too) {
  play_rounds("cooperative-sticky");
}

TEST(GroupRoundsOnlyOurs, find_records_that_were_committed_and_not_processed) {
  GroupRounds rounds(1);
  rounds.commit_without_work();
  EXPECT_FALSE(rounds.lost().empty());
}

}  // namespace
}  // namespace barnabas::testing
