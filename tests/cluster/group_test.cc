#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/cluster/real_cluster.h"
#include "tests/cluster/workload.h"

// A group of consumers whose coordinator goes from one broker to another.
namespace barnabas::cluster {
namespace {

using namespace std::chrono_literals;
using Place = std::pair<std::int32_t, std::int64_t>;  // partition, offset

constexpr const char* kTopic = "work";
constexpr const char* kGroup = "workers";
constexpr const char* kOffsets = "__consumer_offsets";  // of one partition: its leader coordinates every group
constexpr std::size_t kPartitions = 4;
constexpr int kCommitting = 2;               // workers, and one more that only reads
constexpr std::chrono::seconds kSession{8};  // of the latter

/// A member of the group in a thread of its own, which writes down all that it is told.
class Worker {
 public:
  /// `commits`: after each poll, and waits for it. Otherwise only its heartbeats tell the coordinator of it.
  Worker(const Config& config, bool commits) : commits_each_(commits), consumer_(config) {
    thread_ = std::thread([this] { work(); });
  }
  ~Worker() { finish(); }

  /// Commits and does no more; it stays in the group, since others would begin anew where nobody has committed.
  void finish() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  void leave() {
    attempt([this] { consumer_.close(); });
  }
  std::vector<std::string> heard() const { return locked(heard_); }
  std::vector<std::string> errors() const { return locked(errors_); }
  std::map<Place, int> taken() const { return locked(taken_); }
  /// By partition: what it was told is committed.
  std::map<std::int32_t, std::int64_t> committed() const { return locked(committed_); }
  std::size_t owned() const { return locked(owned_); }
  int commits() const { return locked(commits_); }

 private:
  template <typename T>
  T locked(const T& value) const {
    const std::lock_guard lock(mutex_);
    return value;
  }
  void hear(const std::string& what, const RebalanceListener::Partitions& partitions) {
    const std::lock_guard lock(mutex_);
    heard_.push_back(what + " " + std::to_string(partitions.size()));
    owned_ = what == "assigned" ? partitions.size() : 0;
  }
  void work() {
    RebalanceListener listener;
    listener.on_assigned = [this](const auto& partitions) { hear("assigned", partitions); };
    listener.on_revoked = [this](const auto& partitions) { hear("revoked", partitions); };
    listener.on_lost = [this](const auto& partitions) { hear("lost", partitions); };
    consumer_.subscribe({kTopic}, listener);
    while (!stop_) attempt([this] { poll(); });
    attempt([this] { commit(); });
  }
  void poll() {
    const Records records = consumer_.poll(100ms);
    {
      const std::lock_guard lock(mutex_);
      for (const RecordView& record : records) {
        ++taken_[{record.partition(), record.offset()}];
        reached_[record.partition()] = record.offset() + 1;
      }
    }
    if (commits_each_ && !records.empty()) commit();
  }
  void commit() {
    consumer_.commit_sync();
    const std::lock_guard lock(mutex_);
    committed_ = reached_;
    ++commits_;
  }
  template <typename Call>
  void attempt(Call call) {
    try {
      call();
    } catch (const Error& error) {
      const std::lock_guard lock(mutex_);
      errors_.emplace_back(error.what());
    }
  }

  const bool commits_each_;
  std::atomic<bool> stop_{false};
  mutable std::mutex mutex_;
  std::vector<std::string> heard_;
  std::vector<std::string> errors_;
  std::map<Place, int> taken_;
  std::map<std::int32_t, std::int64_t> reached_;
  std::map<std::int32_t, std::int64_t> committed_;
  std::size_t owned_ = 0;
  int commits_ = 0;
  Consumer consumer_;
  std::thread thread_;
};

class GroupOnCluster {
 public:
  explicit GroupOnCluster(KafkaCluster& cluster) : cluster_(cluster) {
    cluster_.create_topic(kTopic, {{1, 2, 3}, {2, 3, 1}, {3, 1, 2}, {1, 2, 3}});
    cluster_.wait_until_known(kTopic);
    Workload::Options options;
    options.name = kTopic;
    options.topic = kTopic;
    options.partitions = kPartitions;
    options.common = {{"bootstrap.servers", cluster_.bootstrap_servers()}};
    workload_ = std::make_unique<Workload>(std::move(options));
    Config config{{"bootstrap.servers", cluster_.bootstrap_servers()},
                  {"group.id", kGroup},
                  {"auto.offset.reset", "earliest"},
                  {"enable.auto.commit", "false"},
                  {"heartbeat.interval.ms", "500"}};
    // A commit that is not taken soon is an error long before the session would end, behind which all is looked for
    // anew.
    config.set("default.api.timeout.ms", "20000").set("session.timeout.ms", "60000");
    for (int i = 0; i < kCommitting; ++i) workers_.push_back(std::make_unique<Worker>(config, true));
    config.set("session.timeout.ms", std::to_string(std::chrono::milliseconds(kSession).count()));
    workers_.push_back(std::make_unique<Worker>(config, false));
    cluster_.wait_until("the workers share the topic", [this] { return is_shared(); });
    for (const auto& worker : workers_) heard_.push_back(worker->heard());
  }

  std::int32_t coordinator() { return description().coordinator_id; }

  /// Behind something that was done to the coordinator: the members commit with another one, which knows all that was
  /// committed before; and a session later it still has the one that does not commit, whose heartbeats go there now.
  void goes_on_without(std::int32_t broker) {
    const auto acknowledged = committed();
    const auto began = std::chrono::steady_clock::now();
    cluster_.wait_until("another broker coordinates", [&] { return coordinator() != broker; });
    const Offsets known = cluster_.admin().list_group_offsets(kGroup);
    for (const auto& [partition, offset] : acknowledged) {
      const auto found = known.find(TopicPartition{kTopic, partition});
      EXPECT_GE(found == known.end() ? -1 : found->second.offset, offset) << "partition " << partition;
    }
    for (int i = 0; i < kCommitting; ++i) {
      const int before = workers_[static_cast<std::size_t>(i)]->commits();
      cluster_.wait_until("it takes commits of worker " + std::to_string(i),
                          [&] { return workers_[static_cast<std::size_t>(i)]->commits() >= before + 10; });
    }
    cluster_.wait_until("a session is over", [&] { return std::chrono::steady_clock::now() - began > kSession + 1s; });
    EXPECT_EQ(description().members.size(), workers_.size());
  }

  void finish() {
    workload_->finish();
    for (const std::string& problem : workload_->problems()) ADD_FAILURE() << problem;
    const auto written = static_cast<std::size_t>(workload_->acknowledged());
    cluster_.wait_until("all records are taken", [&] { return taken().size() >= written; });
    std::size_t number = 0;
    for (const auto& worker : workers_) EXPECT_EQ(worker->heard(), heard_[number++]) << "what it heard at first";
    for (const auto& worker : workers_) worker->finish();
    for (const auto& worker : workers_) worker->leave();
    for (const auto& worker : workers_) {
      for (const std::string& error : worker->errors()) ADD_FAILURE() << "the application is told of it: " << error;
    }
    const auto taken_in_all = taken();
    EXPECT_EQ(taken_in_all.size(), written);
    const bool all_once =
        std::all_of(taken_in_all.begin(), taken_in_all.end(), [](auto& one) { return one.second == 1; });
    EXPECT_TRUE(all_once) << "a record was taken twice, though nobody lost its partitions";
    const Offsets known = cluster_.admin().list_group_offsets(kGroup);
    std::size_t sum = 0;
    for (const auto& [where, offset] : known) sum += static_cast<std::size_t>(offset.offset);
    EXPECT_EQ(sum, written) << "everything is committed in the end";
  }

 private:
  GroupDescription description() { return cluster_.admin().describe_groups({kGroup}).at(0); }
  bool is_shared() {
    std::size_t owned = 0;
    for (const auto& worker : workers_) {
      if (worker->owned() == 0) return false;
      owned += worker->owned();
    }
    return owned == kPartitions && description().state == GroupState::stable;
  }
  std::map<Place, int> taken() const {
    std::map<Place, int> all;
    for (const auto& worker : workers_) {
      for (const auto& [place, times] : worker->taken()) all[place] += times;
    }
    return all;
  }
  std::map<std::int32_t, std::int64_t> committed() const {
    std::map<std::int32_t, std::int64_t> all;
    for (const auto& worker : workers_) all.merge(worker->committed());
    return all;
  }

  KafkaCluster& cluster_;
  std::unique_ptr<Workload> workload_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::vector<std::string>> heard_;  // until they shared the topic
};

TEST_F(RealCluster, moves_a_groups_coordinator_and_its_members_go_on_and_hear_nothing_of_it) {
  GroupOnCluster group(*cluster_);
  // One that is there, and says that it is not the coordinator any more.
  const std::int32_t first = group.coordinator();
  const std::int32_t second = first % 3 + 1;
  cluster_->move_partition(kOffsets, 0, {second, second % 3 + 1, first});
  group.goes_on_without(first);
  EXPECT_EQ(group.coordinator(), second);
  // One that is gone.
  cluster_->kill(second);
  group.goes_on_without(second);
  cluster_->start(second);
  cluster_->wait_until_in_sync(kOffsets);
  cluster_->wait_until_in_sync(kTopic);
  group.finish();
}

}  // namespace
}  // namespace barnabas::cluster
