#include <gtest/gtest.h>

#include <asio/awaitable.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>

#include "barnabas/consumer_async.h"
#include "common/runtime/temporary_directory.h"
#include "tests/client/consumer/group/group_fixture.h"

namespace barnabas {
namespace {

TEST_F(GroupTest, one_member_reads_all_partitions_and_the_next_one_goes_on_where_it_committed) {
  produce(100);
  {
    Consumer consumer(config());
    consumer.subscribe({topic_});
    ASSERT_TRUE(poll_until({&consumer}, [&] { return values_.size() == 100; })) << consumer.explain();
    EXPECT_EQ(consumer.assignment().size(), 4U);
    EXPECT_EQ(consumer.lag(at(0)), 0);
    EXPECT_EQ(consumer.group_metadata().group_id, group_);
    EXPECT_GE(consumer.group_metadata().generation_id, 1);
    EXPECT_NE(consumer.explain().find("generation"), std::string::npos) << consumer.explain();
    consumer.commit_sync();
    EXPECT_EQ(consumer.committed({at(1)}).at(at(1))->offset, 25);
    consumer.close();
  }
  produce(8, "new");
  values_.clear();
  Consumer consumer(config());
  consumer.subscribe({topic_});
  ASSERT_TRUE(poll_until({&consumer}, [&] { return values_.size() >= 8; })) << consumer.explain();
  EXPECT_EQ(values_.size(), 8U);
}

TEST_F(GroupTest, members_share_partitions_and_take_over_from_those_that_leave) {
  Consumer first(config());
  Consumer second(config());
  Consumer third(config());
  first.subscribe({topic_});
  ASSERT_TRUE(share({&first}, {4})) << explained({&first});
  second.subscribe({topic_});
  ASSERT_TRUE(share({&first, &second}, {2, 2})) << explained({&first, &second});
  third.subscribe({topic_});
  ASSERT_TRUE(poll_until({&first, &second, &third}, [&] {
    return first.assignment().size() + second.assignment().size() + third.assignment().size() == 4 &&
           !third.assignment().empty() && !second.assignment().empty() && !first.assignment().empty();
  })) << explained({&first, &second, &third});
  second.close();
  ASSERT_TRUE(share({&first, &third}, {2, 2})) << explained({&first, &third});
  third.unsubscribe();
  EXPECT_TRUE(third.assignment().empty());
  ASSERT_TRUE(share({&first}, {4})) << explained({&first});
  third.subscribe({topic_});
  ASSERT_TRUE(share({&first, &third}, {2, 2})) << explained({&first, &third});
}

TEST_F(GroupTest, a_member_too_many_stands_by) {
  std::vector<std::unique_ptr<Consumer>> owners;
  std::vector<Consumer*> members;
  for (int i = 0; i < 5; ++i) {
    owners.push_back(std::make_unique<Consumer>(config()));
    members.push_back(owners.back().get());
    members.back()->subscribe({topic_});
  }
  const auto busy = [&] {
    std::size_t with_one = 0;
    for (const Consumer* member : members) with_one += member->assignment().size() == 1 ? 1 : 0;
    return with_one;
  };
  EXPECT_TRUE(poll_until(members, [&] { return busy() == 4; })) << explained(members);
}

TEST_F(GroupTest, the_listener_hears_of_partitions_at_kafkas_moments_with_the_eager_protocol) {
  Heard heard;
  Consumer first(config());
  first.subscribe({topic_}, heard.listener());
  ASSERT_TRUE(share({&first}, {4})) << first.explain();
  EXPECT_EQ(heard.events, (std::vector<std::string>{"assigned 0 1 2 3"}));
  Consumer second(config());
  second.subscribe({topic_});
  ASSERT_TRUE(share({&first, &second}, {2, 2})) << explained({&first, &second});
  ASSERT_EQ(heard.events.size(), 3U);
  EXPECT_EQ(heard.events[1], "revoked 0 1 2 3");
  EXPECT_EQ(heard.events[2].substr(0, 8), "assigned");
  first.close();
  ASSERT_EQ(heard.events.size(), 4U);
  EXPECT_EQ(heard.events[3], "revoked" + heard.events[2].substr(8));
}

TEST_F(GroupTest, what_the_listener_commits_before_partitions_go_is_where_the_next_owner_starts) {
  produce(100);
  const Config by_hand{{"enable.auto.commit", "false"}};
  Heard heard;
  Consumer first(config(by_hand));
  heard.on_revoked = [&] { first.commit_sync(); };
  first.subscribe({topic_}, heard.listener());
  ASSERT_TRUE(poll_until({&first}, [&] { return values_.size() == 100; })) << first.explain();
  Consumer second(config(by_hand));
  second.subscribe({topic_});
  ASSERT_TRUE(share({&first, &second}, {2, 2})) << explained({&first, &second});
  EXPECT_EQ(values_.size(), 100U) << "nothing is read twice";
  for (const TopicPartition& where : second.assignment()) EXPECT_EQ(second.position(where), 25);
  first.close();
}

TEST_F(GroupTest, a_listener_that_throws_is_reported_by_poll_and_the_group_goes_on) {
  RebalanceListener listener;
  listener.on_assigned = [](const Partitions&) { throw std::runtime_error("no room in the cache"); };
  Consumer consumer(config());
  consumer.subscribe({topic_}, listener);
  std::string what;
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  while (what.empty() && std::chrono::steady_clock::now() < deadline) {
    try {
      consumer.poll(100ms);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ConsumerErrc::listener_failed);
      what = error.what();
    }
  }
  EXPECT_NE(what.find("no room in the cache"), std::string::npos) << what;
  EXPECT_NE(what.find("on_assigned"), std::string::npos) << what;
  EXPECT_TRUE(share({&consumer}, {4}));
}

TEST_F(GroupTest, calls_that_would_wait_for_themselves_are_refused_in_the_listener) {
  Consumer consumer(config());
  std::vector<std::error_code> codes;
  RebalanceListener listener;
  listener.on_assigned = [&](const Partitions& partitions) {
    codes.push_back(code_of([&] { consumer.poll(1s); }));
    codes.push_back(code_of([&] { consumer.unsubscribe(); }));
    codes.push_back(code_of([&] { consumer.close(); }));
    consumer.seek(partitions.front(), 0);
  };
  consumer.subscribe({topic_}, listener);
  ASSERT_TRUE(share({&consumer}, {4})) << consumer.explain();
  ASSERT_EQ(codes.size(), 3U);
  for (const auto& code : codes) EXPECT_EQ(code, Errc::would_deadlock);
}

asio::awaitable<void> commit_and_count(Consumer& consumer, int& count) {
  co_await consumer.async_commit(asio::use_awaitable);
  ++count;
}

TEST_F(GroupTest, a_coroutine_as_listener_commits_before_partitions_go) {
  produce(40);
  Consumer first(config({{"enable.auto.commit", "false"}}));
  int commits = 0;
  const auto executor = client::executor_of(first.impl());
  CoroutineListener listener;
  listener.on_revoked = [&](Partitions) { return commit_and_count(first, commits); };
  first.subscribe({topic_}, coroutine_listener(executor, listener));
  ASSERT_TRUE(poll_until({&first}, [&] { return values_.size() == 40; })) << first.explain();
  Consumer second(config());
  second.subscribe({topic_});
  ASSERT_TRUE(share({&first, &second}, {2, 2})) << explained({&first, &second});
  EXPECT_EQ(values_.size(), 40U);
  first.close();
  EXPECT_EQ(commits, 2);
}

TEST_F(GroupTest, async_poll_carries_the_group_too) {
  produce(40);
  Heard heard;
  Consumer consumer(config());
  consumer.subscribe({topic_}, heard.listener());
  std::size_t got = 0;
  for (int i = 0; i < 200 && got < 40; ++i) got += consumer.async_poll(100ms, asio::use_future).get().size();
  EXPECT_EQ(got, 40U);
  consumer.close();
  EXPECT_EQ(heard.events, (std::vector<std::string>{"assigned 0 1 2 3", "revoked 0 1 2 3"}));
}

TEST_F(GroupTest, poll_commits_in_the_background_what_earlier_polls_returned) {
  produce(40);
  Consumer consumer(config({{"auto.commit.interval.ms", "50"}}));
  consumer.subscribe({topic_});
  ASSERT_TRUE(poll_until({&consumer}, [&] { return values_.size() == 40; })) << consumer.explain();
  EXPECT_TRUE(poll_until({&consumer}, [&] {
    const auto committed = consumer.committed({at(0), at(3)});
    return committed.at(at(0)) && committed.at(at(3)) && committed.at(at(0))->offset == 10;
  }));
}

TEST_F(GroupTest, a_poll_that_waits_for_long_commits_too) {
  produce(40);
  Consumer consumer(config({{"auto.commit.interval.ms", "1000"}}));
  consumer.subscribe({topic_});
  ASSERT_TRUE(poll_until({&consumer}, [&] { return values_.size() == 40; })) << consumer.explain();
  EXPECT_TRUE(consumer.poll(2s).empty());
  const Offsets committed = admin_->list_group_offsets(group_);
  for (std::int32_t i = 0; i < 4; ++i) EXPECT_EQ(committed.count(at(i)) == 0 ? -1 : committed.at(at(i)).offset, 10);
}

TEST_F(GroupTest, given_offsets_are_committed_with_epoch_and_text_also_without_a_subscription) {
  produce(40);
  Consumer consumer(config({{"enable.auto.commit", "false"}}));
  consumer.assign({at(0), at(1)});
  EXPECT_FALSE(consumer.committed({at(0)}).at(at(0)));
  consumer.commit_sync({{at(0), {7, 0, "half way"}}});
  EXPECT_EQ(consumer.committed({at(0)}).at(at(0)), (OffsetAndMetadata{7, 0, "half way"}));
  std::optional<CommitResult> result;
  consumer.commit_async({{at(1), {9, -1, ""}}}, [&](const CommitResult& one) { result = one; });
  ASSERT_TRUE(poll_until({&consumer}, [&] { return result.has_value(); }));
  EXPECT_TRUE(result->ok()) << result->context;
  EXPECT_EQ(result->offsets.at(at(1)).offset, 9);
  Consumer later(config());
  later.assign({at(0), at(1), at(2)});
  EXPECT_EQ(later.position(at(0)), 7);
  EXPECT_EQ(later.position(at(1)), 9);
  EXPECT_EQ(later.position(at(2)), 0) << "auto.offset.reset, where nothing is committed";
}

TEST_F(GroupTest, a_commit_of_one_that_the_group_went_on_without_fails_and_says_why) {
  produce(8);
  Heard heard;
  Consumer slow(config({{"max.poll.interval.ms", "700"}}));
  slow.subscribe({topic_}, heard.listener());
  ASSERT_TRUE(share({&slow}, {4})) << slow.explain();
  Consumer other(config());
  other.subscribe({topic_});
  ASSERT_TRUE(share({&other}, {4})) << "the slow one is not waited for: " << other.explain();
  EXPECT_NE(slow.explain().find("max.poll.interval.ms"), std::string::npos) << slow.explain();
  try {
    slow.commit_sync({{at(0), {1, -1, ""}}});
    ADD_FAILURE() << "the commit was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), kafka_error(25)) << error.what();
    EXPECT_NE(std::string(error.what()).find(group_), std::string::npos) << error.what();
  }
  ASSERT_TRUE(share({&slow, &other}, {2, 2})) << explained({&slow, &other});
  ASSERT_GE(heard.events.size(), 3U);
  EXPECT_EQ(heard.events[1], "lost 0 1 2 3");
}

TEST_F(GroupTest, a_static_member_that_comes_back_finds_its_partitions_and_one_with_its_name_fences_it) {
  const Config named{{"group.instance.id", "host-1"}, {"session.timeout.ms", "60000"}};
  Heard other_heard;
  std::optional<Consumer> first(std::in_place, config(named));
  Consumer other(config());
  first->subscribe({topic_});
  other.subscribe({topic_}, other_heard.listener());
  ASSERT_TRUE(share({&*first, &other}, {2, 2})) << explained({&*first, &other});
  const auto before = first->assignment();
  const auto events_before = other_heard.events.size();
  first->close();
  first.emplace(config(named));
  first->subscribe({topic_});
  ASSERT_TRUE(share({&*first, &other}, {2, 2})) << explained({&*first, &other});
  EXPECT_EQ(first->assignment(), before);
  EXPECT_EQ(other_heard.events.size(), events_before) << "the other one noticed nothing";
  Consumer twin(config(named));
  twin.subscribe({topic_});
  std::error_code code;
  EXPECT_TRUE(poll_until({&twin}, [&] {
    code = code_of([&] { first->poll(10ms); });
    return static_cast<bool>(code);
  }));
  EXPECT_EQ(code, kafka_error(82)) << code.message();
  EXPECT_NE(first->explain().find("host-1"), std::string::npos) << first->explain();
  twin.close({.timeout = 5s, .membership = GroupMembership::leave});
  EXPECT_TRUE(share({&other}, {4})) << "long before its session ends: " << other.explain();
}

TEST_F(GroupTest, one_that_closes_and_stays_is_missed_only_when_its_session_ends) {
  Consumer first(config());
  std::optional<Consumer> second(std::in_place, config());
  first.subscribe({topic_});
  second->subscribe({topic_});
  ASSERT_TRUE(share({&first, &*second}, {2, 2})) << explained({&first, &*second});
  second->close({.timeout = 5s, .membership = GroupMembership::stay});
  const auto closed = std::chrono::steady_clock::now();
  ASSERT_TRUE(share({&first}, {4})) << first.explain();
  EXPECT_GT(std::chrono::steady_clock::now() - closed, 4s);
}

TEST_F(GroupTest, one_that_is_destroyed_has_left_at_once_and_committed_nothing) {
  produce(40);
  Heard heard;
  try {
    Consumer first(config({{"auto.commit.interval.ms", "60000"}}));
    first.subscribe({topic_}, heard.listener());
    ASSERT_TRUE(poll_until({&first}, [&] { return values_.size() == 40; })) << first.explain();
    throw std::runtime_error("the last record could not be processed");
  } catch (const std::runtime_error&) {
  }
  EXPECT_EQ(heard.events, std::vector<std::string>{"assigned 0 1 2 3"});
  const GroupDescription group = admin_->describe_groups({group_}).at(0);
  EXPECT_TRUE(group.members.empty());
  EXPECT_TRUE(admin_->list_group_offsets(group_).empty());
  Consumer second(config());
  second.subscribe({topic_});
  EXPECT_TRUE(poll_until({&second}, [&] { return values_.size() == 80; })) << second.explain();
}

TEST_F(GroupTest, a_static_one_that_is_destroyed_keeps_its_place) {
  const Config settings{{"group.instance.id", "one"}};
  std::int32_t generation = -1;
  {
    Consumer first(config(settings));
    first.subscribe({topic_});
    ASSERT_TRUE(share({&first}, {4})) << first.explain();
    generation = first.group_metadata().generation_id;
  }
  EXPECT_EQ(admin_->describe_groups({group_}).at(0).members.size(), 1U);
  Consumer again(config(settings));
  again.subscribe({topic_});
  ASSERT_TRUE(share({&again}, {4})) << again.explain();
  EXPECT_EQ(again.group_metadata().generation_id, generation);
}

TEST_F(GroupTest, a_pattern_takes_topics_that_come_later) {
  Consumer consumer(config());
  consumer.subscribe(TopicPattern::of(topic_ + ".*"));
  ASSERT_TRUE(share({&consumer}, {4})) << consumer.explain();
  EXPECT_EQ(consumer.subscription(), (std::vector<std::string>{topic_}));
  make_topic(topic_ + "-late", 2);
  ASSERT_TRUE(share({&consumer}, {6})) << consumer.explain();
  EXPECT_EQ(consumer.subscription().size(), 2U);
}

TEST_F(GroupTest, a_pattern_takes_internal_topics_only_where_exclude_internal_topics_is_off) {
  const TopicPattern all = TopicPattern::of("__consumer_offsets|" + topic_);
  Consumer curious(config({{"exclude.internal.topics", "false"}, {"group.id", unique_name("auditors")}}));
  curious.subscribe(all);  // the group's own membership is written there
  bool seen = false;
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  while (!seen && std::chrono::steady_clock::now() < deadline) {
    const Records records = curious.poll(10ms);
    for (const RecordView& record : records) seen |= record.topic() == "__consumer_offsets";
  }
  EXPECT_TRUE(seen) << curious.explain();
  EXPECT_EQ(curious.subscription(), (std::vector<std::string>{"__consumer_offsets", topic_}));
  Consumer usual(config());
  usual.subscribe(all);
  ASSERT_TRUE(share({&usual}, {4})) << usual.explain();
  EXPECT_EQ(usual.subscription(), std::vector<std::string>{topic_});
}

TEST_F(GroupTest, a_subscribed_topic_that_comes_and_another_subscription_make_the_group_meet_again) {
  const std::string other = unique_name("payments");
  Consumer consumer(config({{"allow.auto.create.topics", "false"}}));
  consumer.subscribe({topic_, other});
  ASSERT_TRUE(share({&consumer}, {4})) << consumer.explain();
  const auto generation = consumer.group_metadata().generation_id;
  make_topic(other, 1);
  ASSERT_TRUE(share({&consumer}, {5})) << consumer.explain();
  EXPECT_GT(consumer.group_metadata().generation_id, generation);
  consumer.subscribe({other});
  ASSERT_TRUE(poll_until({&consumer}, [&] {
    return consumer.assignment() == std::vector<TopicPartition>{{other, 0}};
  })) << consumer.explain();
  const auto before = consumer.group_metadata().generation_id;
  consumer.enforce_rebalance();
  EXPECT_TRUE(poll_until({&consumer}, [&] { return consumer.group_metadata().generation_id > before; }));
}

/// Range, but cooperative: never gives away what somebody else owns.
class Polite final : public Assignor {
 public:
  std::string name() const override { return "polite"; }
  std::vector<RebalanceProtocol> supported_protocols() const override { return {RebalanceProtocol::cooperative}; }
  GroupAssignment assign(const ClusterMetadata& cluster, const GroupSubscription& group) override {
    const auto wanted = make_range_assignor()->assign(cluster, group);
    std::map<TopicPartition, std::string> owners;
    for (const auto& [member, subscription] : group) {
      for (const TopicPartition& where : subscription.owned_partitions) owners.emplace(where, member);
    }
    GroupAssignment assignment;
    for (const auto& [member, given] : wanted) {
      auto& own = assignment[member];
      for (const TopicPartition& where : given.partitions) {
        const auto owner = owners.find(where);
        if (owner == owners.end() || owner->second == member) own.partitions.push_back(where);
      }
    }
    return assignment;
  }
};

TEST_F(GroupTest, the_cooperative_protocol_revokes_only_what_moves) {
  const auto options = [] {
    ConsumerOptions made;
    made.assignors.push_back(std::make_shared<Polite>());
    return made;
  };
  Heard heard;
  Consumer first(config(), options());
  first.subscribe({topic_}, heard.listener());
  ASSERT_TRUE(share({&first}, {4})) << first.explain();
  Consumer second(config(), options());
  second.subscribe({topic_});
  ASSERT_TRUE(share({&first, &second}, {2, 2})) << explained({&first, &second});
  ASSERT_GE(heard.events.size(), 3U);
  std::string revoked;
  for (const std::string& event : heard.events) {
    EXPECT_NE(event.substr(0, 4), "lost");
    if (event.substr(0, 7) == "revoked") revoked += event.substr(7);
  }
  EXPECT_EQ(revoked.size(), 4U) << "two partitions, once: " << revoked;
}

TEST_F(GroupTest, cooperative_sticky_members_never_stop_reading_what_stays_theirs) {
  const Config cooperative{{"partition.assignment.strategy", "cooperative-sticky"}};
  Heard heard;
  Consumer first(config(cooperative));
  first.subscribe({topic_}, heard.listener());
  ASSERT_TRUE(share({&first}, {4})) << first.explain();
  std::set<TopicPartition> ever_without;
  Consumer second(config(cooperative));
  second.subscribe({topic_});
  ASSERT_TRUE(poll_until({&first, &second}, [&] {
    const auto own = first.assignment();
    const std::set<TopicPartition> now(own.begin(), own.end());
    for (std::int32_t i = 0; i < 4; ++i) {
      if (now.count(at(i)) == 0) ever_without.insert(at(i));
    }
    return own.size() == 2 && second.assignment().size() == 2;
  })) << explained({&first, &second});
  EXPECT_EQ(ever_without.size(), 2U) << "the two that moved, and no other";
  for (const std::string& event : heard.events) EXPECT_NE(event.substr(0, 4), "lost");
}

TEST_F(GroupTest, a_group_moves_from_range_to_cooperative_sticky_by_a_rolling_restart_and_reads_every_record) {
  std::vector<std::optional<Consumer>> members(3);
  int produced = 0;
  const auto all = [&] { return std::vector<Consumer*>{&*members[0], &*members[1], &*members[2]}; };
  const auto deals_by = [&](const std::string& assignor) {
    return poll_until(all(), [&] { return admin_->describe_groups({group_}).front().assignor == assignor; });
  };
  const auto restart = [&](std::size_t which, const Config& settings) {
    if (members[which]) members[which]->close();
    members[which].emplace(config(settings));
    members[which]->subscribe({topic_});
  };
  const auto read_on = [&](const std::string& step) {
    // Written before the group has settled, so that the hand-over happens under load.
    produce(40, step + "-");
    produced += 40;
    std::size_t owned = 0;
    const bool all_read = poll_until(all(), [&] {
      owned = 0;
      for (const Consumer* member : all()) owned += member->assignment().size();
      const std::set<std::string> read(values_.begin(), values_.end());
      return owned == 4 && read.size() == static_cast<std::size_t>(produced);
    });
    EXPECT_TRUE(all_read) << step << ": " << owned << " partitions owned\n" << explained(all());
    return all_read;
  };
  const Config range{{"partition.assignment.strategy", "range"}};
  const Config cooperative{{"partition.assignment.strategy", "cooperative-sticky"}};
  for (const std::size_t which : {0U, 1U, 2U}) restart(which, range);
  ASSERT_TRUE(read_on("range"));
  ASSERT_TRUE(deals_by("range")) << explained(all());
  for (const Config& settings : {Config(), cooperative}) {  // the default is both, range first
    for (const std::size_t which : {0U, 1U, 2U}) {
      restart(which, settings);
      ASSERT_TRUE(read_on(settings.properties().empty() ? "default" + std::to_string(which)
                                                        : "cooperative" + std::to_string(which)));
    }
  }
  EXPECT_TRUE(deals_by("cooperative-sticky")) << explained(all());
}

TEST_F(GroupTest, members_go_on_where_their_topic_is_made_anew_with_fewer_partitions) {
  for (const char* strategy : {"range", "sticky", "cooperative-sticky"}) {
    const std::string name = unique_name("shrinking");
    make_topic(name, 6);
    const Config settings = config(
        {{"partition.assignment.strategy", strategy}, {"group.id", name}, {"allow.auto.create.topics", "false"}});
    Consumer first(settings);
    Consumer second(settings);
    for (Consumer* member : {&first, &second}) member->subscribe({name});
    ASSERT_TRUE(share({&first, &second}, {3, 3})) << explained({&first, &second});
    ASSERT_FALSE(admin_->delete_topics({name}).front().error);
    ASSERT_TRUE(poll_until({}, [&] { return admin_->describe_topics({name}).front().error.code == kafka_error(3); }));
    make_topic(name, 2);
    ASSERT_TRUE(share({&first, &second}, {1, 1})) << strategy << '\n' << explained({&first, &second});
  }
}

TEST_F(GroupTest, a_leader_with_a_rack_makes_the_group_meet_again_when_replicas_are_in_other_racks) {
  const runtime::TemporaryDirectory data;
  std::optional<EmbeddedBroker> broker;
  broker.emplace(EmbeddedBroker::Options{.config = {{"broker.rack", "north"}}, .data_directory = data.path()});
  const std::string address = broker->bootstrap_servers();
  {
    Admin admin(Config{{"bootstrap.servers", address}});
    ASSERT_FALSE(admin.create_topics({NewTopic{.name = topic_, .partitions = 2}}).front().error);
  }
  const Config there{{"bootstrap.servers", address}};
  Consumer placed(config(Config(there).set("client.rack", "north").set("group.id", "placed")));
  Consumer anywhere(config(Config(there).set("group.id", "anywhere")));
  for (Consumer* member : {&placed, &anywhere}) member->subscribe({topic_});
  ASSERT_TRUE(poll_until({&placed, &anywhere}, [&] {
    return placed.assignment().size() == 2 && anywhere.assignment().size() == 2;
  })) << explained({&placed, &anywhere});
  const auto before = placed.group_metadata().generation_id;
  const auto others = anywhere.group_metadata().generation_id;
  broker.reset();
  broker.emplace(EmbeddedBroker::Options{.config = {{"broker.rack", "south"}, {"listeners", "PLAINTEXT://" + address}},
                                         .data_directory = data.path()});
  EXPECT_TRUE(poll_until({&placed, &anywhere}, [&] {
    return placed.group_metadata().generation_id > before && placed.assignment().size() == 2;
  })) << placed.explain();
  EXPECT_EQ(anywhere.group_metadata().generation_id, others) << "members without a rack have no part in it";
}

TEST_F(GroupTest, commits_are_of_the_topic_that_bears_the_name_now) {
  Consumer consumer(config({{"allow.auto.create.topics", "false"}, {"enable.auto.commit", "false"}}));
  consumer.subscribe({topic_});
  produce(40, "old");
  ASSERT_TRUE(poll_until({&consumer}, [&] { return values_.size() == 40; })) << consumer.explain();
  consumer.commit_sync();
  ASSERT_FALSE(admin_->delete_topics({topic_}).front().error);
  ASSERT_TRUE(poll_until({}, [&] { return admin_->describe_topics({topic_}).front().error.code == kafka_error(3); }));
  ASSERT_TRUE(poll_until({}, [&] { return admin_->list_group_offsets(group_).empty(); })) << "they go with the topic";
  make_topic(topic_, 4);
  values_.clear();
  produce(8, "new");  // the position, 10, lies behind the new ends: it is reset
  ASSERT_TRUE(poll_until({&consumer}, [&] { return values_.size() == 8; })) << consumer.explain();
  consumer.commit_sync();
  const auto committed = consumer.committed({at(0), at(1)});
  ASSERT_TRUE(committed.at(at(0)));
  EXPECT_EQ(committed.at(at(0))->offset, 2);
}

TEST_F(GroupTest, calls_that_make_no_sense_are_refused_at_once_and_say_so) {
  Consumer alone(Config{{"bootstrap.servers", bootstrap_}});
  for (const auto& call : std::vector<std::function<void()>>{
           [&] { alone.subscribe({topic_}); }, [&] { alone.commit_sync(); }, [&] { alone.commit_async(); },
           [&] { alone.committed({at(0)}); }, [&] { alone.group_metadata(); }, [&] { alone.enforce_rebalance(); }}) {
    try {
      call();
      ADD_FAILURE() << "it was taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Errc::invalid_argument);
      EXPECT_NE(std::string(error.what()).find("group.id"), std::string::npos) << error.what();
    }
  }
  Consumer mixed(config());
  mixed.assign({at(0)});
  EXPECT_EQ(code_of([&] { mixed.subscribe({topic_}); }), Errc::invalid_argument);
  mixed.unsubscribe();
  mixed.subscribe({topic_});
  EXPECT_EQ(code_of([&] { mixed.assign({at(0)}); }), Errc::invalid_argument);
  EXPECT_EQ(code_of([&] { mixed.subscribe({""}); }), Errc::invalid_argument);
  EXPECT_EQ(code_of([&] { mixed.subscribe(TopicPattern::of("[")); }), Errc::invalid_argument);
  EXPECT_EQ(code_of([&] { mixed.commit_sync({{at(0), {-3, -1, ""}}}); }), Errc::invalid_argument);
  EXPECT_EQ(code_of([&] { Consumer(config({{"heartbeat.interval.ms", "9000"}})); }), Errc::invalid_config);
  EXPECT_EQ(code_of([&] { Consumer(config({{"partition.assignment.strategy", "rnage"}})); }), Errc::invalid_config);
  EXPECT_EQ(code_of([&] {
              Consumer(Config{{"bootstrap.servers", bootstrap_}, {"enable.auto.commit", "true"}});
            }),
            Errc::invalid_config);
}

TEST_F(GroupTest, members_whose_assignors_have_nothing_in_common_hear_of_it) {
  Consumer first(config({{"partition.assignment.strategy", "range"}}));
  first.subscribe({topic_});
  ASSERT_TRUE(share({&first}, {4})) << first.explain();
  Consumer second(config({{"partition.assignment.strategy", "roundrobin"}}));
  second.subscribe({topic_});
  std::error_code code;
  EXPECT_TRUE(poll_until({&first}, [&] {
    code = code_of([&] { second.poll(10ms); });
    return static_cast<bool>(code);
  }));
  EXPECT_EQ(code, kafka_error(23)) << code.message();
}

}  // namespace
}  // namespace barnabas
