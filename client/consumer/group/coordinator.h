#pragma once

#include <atomic>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "barnabas/consumer.h"
#include "client/consumer/fetcher.h"
#include "client/consumer/group/group_settings.h"
#include "client/consumer/group/leader_assignment.h"
#include "client/consumer/group/membership.h"
#include "client/consumer/group/offset_requests.h"
#include "client/consumer/group/poller_desk.h"
#include "client/consumer/group/subscription.h"
#include "client/consumer/shared_state.h"
#include "client/core/coordinator_link.h"
#include "common/protocol/messages/join_group.h"

namespace barnabas::client {

/// A consumer's part in its group: sends what the Membership asks for, gives the partitions to the consumer's positions
/// and takes them away, and commits and looks up offsets. Also for consumers that only commit (assign() with group.id).
/// coordinator.cc has the requests of the membership, rebalance.cc what happens to partitions, group_offsets.cc
/// offsets. Threads: the executor's, where not said otherwise.  Source: Kafka's ConsumerCoordinator.
class GroupCoordinator : public std::enable_shared_from_this<GroupCoordinator> {
 public:
  struct Options {
    GroupSettings settings;
    std::vector<std::shared_ptr<Assignor>> assignors;
    RebalanceProtocol protocol = RebalanceProtocol::eager;
  };
  /// How the group is left.
  struct Leaving {
    runtime::MonotonicTime deadline{};
    GroupMembership membership = GroupMembership::usual;
    std::string reason;
    bool commit = true;     ///< Where enable.auto.commit says so.
    bool tell_user = true;  ///< Somebody serves the desk until it has ended.
    bool for_good = false;  ///< Nothing is done afterwards.
  };

  /// Whether a commit tries again, until its deadline, what may pass.
  enum class Retry {
    never,
    usual,
    known_topics  ///< But not for a topic that is unknown: it may be deleted, and a rebalance does not wait for it.
  };

  /// While it lives, close() waits: for a commit whose callback is to run. Threads: the executor's.
  class BackgroundCommit {
   public:
    explicit BackgroundCommit(GroupCoordinator& group) : group_(group) { ++group_.background_commits_; }
    ~BackgroundCommit() { group_.end_background_commit(); }
    BackgroundCommit(const BackgroundCommit&) = delete;
    BackgroundCommit& operator=(const BackgroundCommit&) = delete;

   private:
    GroupCoordinator& group_;
  };

  GroupCoordinator(std::shared_ptr<SharedState> state, std::shared_ptr<RequestRouter> router,
                   std::shared_ptr<Fetcher> fetcher, Options options);

  // ---- threads: any

  void subscribe(Subscription subscription, RebalanceListener listener);
  bool is_subscribed() const;
  std::vector<std::string> subscription() const;
  void enforce_rebalance(const std::string& reason);
  ConsumerGroupMetadata metadata() const;
  const GroupSettings& settings() const noexcept { return options_.settings; }
  /// What the membership waits for, in words; empty without a subscription.
  std::string explain() const;
  /// Looks soon what is to be done.
  void kick();
  /// Partitions were assigned that start where the group committed.
  void find_starts();

  // ---- threads: whoever polls

  PollerDesk& desk() noexcept { return desk_; }
  void enter_poll();
  void leave_poll();
  /// By enable.auto.commit, where its interval has passed; when to look again.
  runtime::MonotonicTime commit_if_due(runtime::MonotonicTime now);
  /// The positions that poll has got to.
  Offsets positions() const;

  // ---- the executor

  void on_metadata_change();
  asio::awaitable<Result<void>> commit(Offsets offsets, runtime::MonotonicTime deadline, Retry retry);
  asio::awaitable<Result<CommittedOffsets>> committed(std::vector<TopicPartition> partitions,
                                                      runtime::MonotonicTime deadline);
  /// unsubscribe() and close().
  asio::awaitable<Result<void>> leave(Leaving how);

 private:
  using Self = std::shared_ptr<GroupCoordinator>;
  using Event = RebalanceListener::Event;
  using Partitions = RebalanceListener::Partitions;
  /// What SyncGroup was answered.
  struct SyncOutcome {
    protocol::ErrorCode error{};
    MemberAssignment given;
  };
  /// A call to the listener under way.
  struct ListenerCall {
    std::shared_ptr<Gate> gate;
    std::exception_ptr error;
  };

  void advance();
  void start(const Membership::Action& action);
  void arm_timer(runtime::MonotonicTime when);
  Membership::Surroundings surroundings() const;
  void publish();

  static asio::awaitable<void> find_coordinator(Self self);
  static asio::awaitable<void> join(Self self);
  static asio::awaitable<void> sync(Self self);
  static asio::awaitable<void> heartbeat(Self self, Generation member);
  static asio::awaitable<void> send_off(Self self, Generation member, std::string reason,
                                        runtime::MonotonicTime deadline);
  asio::awaitable<Result<Membership::JoinAnswer>> join_once(std::uint64_t attempt);
  Result<protocol::JoinGroupRequest> join_request();
  Result<Membership::JoinAnswer> take_join_answer(protocol::JoinGroupResponse answer);
  asio::awaitable<Result<SyncOutcome>> sync_once();
  asio::awaitable<Result<std::vector<std::pair<std::string, Bytes>>>> assign_as_leader(std::string assignor);
  asio::awaitable<void> know_topics(std::set<std::string> topics);

  static asio::awaitable<void> prepare(Self self);
  static asio::awaitable<void> complete(Self self);
  asio::awaitable<bool> take_turn();
  void end_turn();
  asio::awaitable<void> give_up_partitions();
  std::pair<Partitions, bool> to_give_up(const Partitions& owned) const;
  bool keeps_all_partitions() const;
  asio::awaitable<void> take_partitions(MemberAssignment given);
  asio::awaitable<void> tell(Event event, Partitions partitions);
  asio::awaitable<void> give_back_all();
  void abandon_listener();
  void set_assignment(const Partitions& partitions);
  Partitions assignment() const;
  std::shared_ptr<Assignor> assignor_named(const std::string& name) const;
  void look_at_metadata();
  TopicShapes shapes_of_group(const ClusterSnapshot& cluster) const;

  static asio::awaitable<void> auto_commit(Self self, Offsets offsets);
  static asio::awaitable<void> start_positions(Self self);
  std::map<TopicPartition, std::uint64_t> waiting_for_start() const;
  bool take_starts(const std::map<TopicPartition, std::uint64_t>& asked, const Result<CommittedOffsets>& found);
  Offsets offsets_before_leaving() const;
  asio::awaitable<void> commit_before_leaving(Offsets offsets, runtime::MonotonicTime deadline);
  asio::awaitable<void> finish_background_commits(runtime::MonotonicTime deadline);
  void end_background_commit();
  Result<Generation> committer() const;
  bool is_member() const;

  const std::shared_ptr<SharedState> state_;
  const std::shared_ptr<RequestRouter> router_;
  const std::shared_ptr<Fetcher> fetcher_;
  const Options options_;
  const std::shared_ptr<CoordinatorLink> link_;
  PollerDesk desk_;

  mutable std::mutex mutex_;       // a leaf: never held across I/O or a call to the user
  Membership machine_;             // mutex_; changed on the executor, or by subscribe() and enforce_rebalance()
  Subscription subscription_;      // mutex_
  RebalanceListener listener_;     // mutex_
  std::string coordinator_error_;  // mutex_

  std::atomic<bool> kicked_{false};
  std::atomic<bool> coordinator_known_{false};
  std::atomic<bool> in_poll_{false};
  std::atomic<runtime::MonotonicTime::rep> polled_at_;
  std::atomic<runtime::MonotonicTime::rep> next_auto_commit_{0};  // 0: with the first poll it begins to count

  // the executor's:
  std::vector<MemberMetadata> members_;  // of the last join, where this one leads
  bool skip_assignment_ = false;
  TopicShapes shapes_at_assignment_;  // of the group's topics, where this one leads
  std::set<std::string> group_topics_;
  Subscription joined_;  // as the last join told it
  MemberAssignment received_;
  std::uint64_t looked_at_version_ = 0;  // of the metadata
  std::shared_ptr<Gate> turn_granted_;   // while poll is waited for
  std::shared_ptr<Gate> turn_over_;      // while a turn is waited for or under way
  std::shared_ptr<ListenerCall> listener_call_;
  Timers::Id timer_;
  runtime::MonotonicTime timer_at_ = runtime::MonotonicTime::max();
  int background_commits_ = 0;          // under way
  std::shared_ptr<Gate> commits_over_;  // while the end of these is waited for
  bool finding_starts_ = false;
  bool leaving_ = false;
  bool silent_ = false;  // nobody makes the calls to the listener any more
  bool closed_ = false;
};

}  // namespace barnabas::client
