// Random lives of a group: members join, leave, fall silent, come back late or twice, appends fail, the coordinator
// restarts. Whatever happens, nobody waits for ever, and no two members hold the same part of one generation.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "tests/broker/group/shard_fixture.h"

namespace barnabas::group {
namespace {

using protocol::ErrorCode;
using std::chrono::milliseconds;

/// What a client does, as far as the coordinator can see.
struct Client {
  std::string id;
  std::int32_t generation = -1;
  bool is_leader = false;
  std::vector<std::string> members;  // as the leader was told
  Seen<protocol::JoinGroupResponse> joining;
  Seen<protocol::SyncGroupResponse> syncing;
  std::string part;  // of the generation
  bool silent = false;
};

class RandomGroup : public ShardFixture {
 public:
  explicit RandomGroup(std::uint64_t seed)
      : ShardFixture(GroupSettings{.initial_rebalance_delay_ms = seed % 2 == 0 ? 0 : 3000}), random_(seed) {}

  void live(int steps) {
    for (int i = 0; i < steps; ++i) {
      append_error = below(20) == 0 ? ErrorCode::not_enough_replicas : ErrorCode::none;
      act(clients_[below(clients_.size())]);
      pass(milliseconds(below(4) == 0 ? below(20'000) : below(50)));
      if (below(100) == 0) restart_coordinator();
      collect();
    }
  }

  /// From now on all is well, and everybody wants in.
  void settle() {
    append_error = ErrorCode::none;
    for (Client& client : clients_) client.silent = false;
    for (int round = 0; round < 400 && !is_settled(); ++round) {
      for (Client& client : clients_) go_on(client);
      pass(milliseconds(500));
      collect();
    }
    EXPECT_TRUE(is_settled());
    EXPECT_EQ(group().size(), clients_.size());
    std::set<std::string> parts;
    for (const Client& client : clients_) EXPECT_TRUE(parts.insert(client.part).second) << client.part;
    const protocol::GroupMetadataValue stored = last_group_record();
    EXPECT_EQ(stored.members.size(), clients_.size());
    EXPECT_EQ(stored.generation, group().generation());
  }

 private:
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }

  void act(Client& client) {
    switch (below(12)) {
      case 0:
        client.silent = !client.silent;
        return;
      case 1:
        if (!client.id.empty()) leave({{client.id, std::nullopt}});
        client = Client();
        return;
      case 2:  // asks again although it may still be waiting, with other metadata
        if (!client.id.empty()) client.joining = join(join_request(client.id, {"range", "roundrobin"}));
        return;
      case 3:  // an old word of somebody else's
        heartbeat(client.id, client.generation - 1);
        sync(client.id, client.generation - 1);
        return;
      default:
        if (!client.silent) go_on(client);
    }
  }

  void go_on(Client& client) {
    if (client.joining || client.syncing) return;
    if (client.id.empty()) {
      client.joining = join(join_request());
    } else if (client.generation < 0) {
      client.joining = join(join_request(client.id));
    } else if (client.part.empty()) {
      std::map<std::string, std::string> parts;
      for (const std::string& member : client.members) {
        parts[member] = member + "@" + std::to_string(client.generation);
      }
      client.syncing = sync(client.id, client.generation, parts);
    } else {
      note(client, heartbeat(client.id, client.generation));
    }
  }

  void note(Client& client, ErrorCode error) {
    if (error == ErrorCode::none) return;
    client.generation = -1;
    client.part.clear();
    if (error == ErrorCode::unknown_member_id) client.id.clear();
  }

  void collect() {
    for (Client& client : clients_) {
      if (client.joining && *client.joining) take_join(client, **std::exchange(client.joining, nullptr));
      if (client.syncing && *client.syncing) {
        const auto answer = std::exchange(client.syncing, nullptr);
        note(client, protocol::error_of((*answer)->error_code));
        if ((*answer)->error_code == 0) take_part(client, std::string(as_text((*answer)->assignment)));
      }
    }
  }

  void take_join(Client& client, const protocol::JoinGroupResponse& answer) {
    const ErrorCode error = protocol::error_of(answer.error_code);
    if (error == ErrorCode::member_id_required) {
      client.id = answer.member_id;
      return;
    }
    if (error != ErrorCode::none) return note(client, error);
    client.generation = answer.generation_id;
    client.part.clear();
    client.members.clear();
    ASSERT_GE(answer.generation_id, 1);
    for (const auto& member : answer.members) client.members.push_back(member.member_id);
    EXPECT_TRUE(answer.members.empty() || answer.leader == client.id);
  }

  void take_part(Client& client, std::string part) {
    if (part.empty()) return note(client, ErrorCode::rebalance_in_progress);  // unknown to the leader
    EXPECT_EQ(part, client.id + "@" + std::to_string(client.generation));
    client.part = std::move(part);
  }

  /// Connections break: whoever waited asks again.
  void restart_coordinator() {
    run([](GroupShard& ending, Step& step) { ending.on_unloaded(step); });
    collect();
    for (const Client& client : clients_) EXPECT_FALSE(client.joining || client.syncing) << "still waits";
    restart();
  }

  bool is_settled() {
    if (!has_group() || !group().is_in(GroupState::stable) || group().size() != clients_.size()) return false;
    for (const Client& client : clients_) {
      if (client.part.empty() || client.generation != group().generation()) return false;
    }
    return true;
  }

  std::mt19937_64 random_;
  std::vector<Client> clients_ = std::vector<Client>(6);
};

TEST(RandomGroups, always_settle_and_never_share_a_part) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    RandomGroup group(seed);
    for (int act = 0; act < 3; ++act) {
      group.live(150);
      group.settle();
      if (::testing::Test::HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace barnabas::group
