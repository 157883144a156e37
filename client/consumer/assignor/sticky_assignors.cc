#include <algorithm>
#include <set>
#include <unordered_map>

#include "barnabas/assignor.h"
#include "barnabas/error.h"
#include "client/consumer/assignor/java_order.h"
#include "client/consumer/assignor/sticky.h"
#include "common/bytes/bytes.h"
#include "common/bytes/reader.h"
#include "common/bytes/writer.h"

namespace barnabas {
namespace client {
namespace {

/// The user data of "sticky", version 1: topics with their partitions, in the order of Java's hash map, then the
/// generation.
Bytes encode_claim(const std::vector<TopicPartition>& partitions, std::int32_t generation) {
  struct Topic {
    const std::string* name;
    std::vector<std::int32_t> partitions;
  };
  std::vector<Topic> topics;
  JavaHashOrder order;
  std::unordered_map<std::string_view, int> places;
  for (const auto& partition : partitions) {
    const auto [place, is_new] = places.emplace(partition.topic, static_cast<int>(topics.size()));
    order.compute_if_absent(place->second, java_hash(partition.topic), is_new);
    if (is_new) topics.push_back({&partition.topic, {}});
    topics[GroupView::at(place->second)].partitions.push_back(partition.partition);
  }
  Writer out;
  out.int32(static_cast<std::int32_t>(topics.size()));
  for (const int place : order.all()) {
    const Topic& topic = topics[GroupView::at(place)];
    out.string(*topic.name);
    out.int32(static_cast<std::int32_t>(topic.partitions.size()));
    for (const std::int32_t partition : topic.partitions) out.int32(partition);
  }
  out.int32(generation);
  return out.take();
}

/// Version 0 has no generation. What cannot be read is no claim, but (as Kafka has it) one of generation -1.
MemberClaim decode_claim(BytesView bytes) {
  MemberClaim claim;
  Reader in(bytes);
  const std::int32_t topics = in.int32();
  for (std::int32_t i = 0; i < topics && !in.failed(); ++i) {
    const std::string name(in.string());
    const std::int32_t count = in.int32();
    if (count < 0) in.fail();
    for (std::int32_t k = 0; k < count && !in.failed(); ++k) {
      const std::int32_t partition = in.int32();
      if (!in.failed()) claim.partitions.push_back({name, partition});
    }
  }
  if (topics < 0 || in.failed()) return {{}, kNoGeneration};
  const std::int32_t generation = in.int32();
  if (!in.failed()) claim.generation = generation;
  return claim;
}

StickyAssignment assign_or_throw(const GroupView& view, const std::vector<MemberClaim>& claims) {
  auto assigned = assign_sticky(view, claims);
  if (!assigned) throw Error(assigned.error().code, "sticky assignment: " + assigned.error().subject);
  return std::move(*assigned);
}

class StickyAssignor final : public Assignor {
 public:
  std::string name() const override { return "sticky"; }

  std::optional<std::vector<std::byte>> subscription_user_data(const std::set<std::string>&) override {
    if (!assignment_) return std::nullopt;
    return encode_claim(*assignment_, generation_);
  }

  GroupAssignment assign(const ClusterMetadata& cluster, const GroupSubscription& group) override {
    const GroupView view(cluster, group);
    std::vector<MemberClaim> claims;
    for (const auto& member : view.members) {
      const auto& user_data = member.subscription->user_data;
      claims.push_back(user_data && !user_data->empty() ? decode_claim(*user_data) : MemberClaim{});
    }
    return view.named(assign_or_throw(view, claims).partitions);
  }

  void on_assignment(const MemberAssignment& assignment, const ConsumerGroupMetadata& group) override {
    assignment_ = assignment.partitions;
    generation_ = group.generation_id;
  }

 private:
  std::optional<std::vector<TopicPartition>> assignment_;
  std::int32_t generation_ = kNoGeneration;
};

class CooperativeStickyAssignor final : public Assignor {
 public:
  std::string name() const override { return "cooperative-sticky"; }

  std::vector<RebalanceProtocol> supported_protocols() const override {
    return {RebalanceProtocol::cooperative, RebalanceProtocol::eager};
  }

  std::optional<std::vector<std::byte>> subscription_user_data(const std::set<std::string>&) override {
    Writer out;
    out.int32(generation_);
    return out.take();
  }

  GroupAssignment assign(const ClusterMetadata& cluster, const GroupSubscription& group) override {
    const GroupView view(cluster, group);
    std::vector<MemberClaim> claims;
    for (const auto& member : view.members) {
      claims.push_back({member.subscription->owned_partitions, generation_of(*member.subscription)});
    }
    StickyAssignment assigned = assign_or_throw(view, claims);
    const auto changing_hands =
        assigned.changing_hands ? std::move(*assigned.changing_hands) : find_changing_hands(view, claims, assigned);
    for (const auto& [partition, member] : changing_hands) {
      std::erase(assigned.partitions[GroupView::at(member)], partition);
    }
    return view.named(assigned.partitions);
  }

  void on_assignment(const MemberAssignment&, const ConsumerGroupMetadata& group) override {
    generation_ = group.generation_id;
  }

 private:
  /// Subscriptions below version 2 have it only in the user data.
  static std::optional<std::int32_t> generation_of(const MemberSubscription& subscription) {
    if (subscription.generation_id || !subscription.user_data) return subscription.generation_id;
    Reader in(*subscription.user_data);
    const std::int32_t generation = in.int32();
    return in.failed() ? kNoGeneration : generation;
  }

  /// What somebody gets that somebody else has to give up first.
  static std::vector<std::pair<PartitionRef, int>> find_changing_hands(const GroupView& view,
                                                                       const std::vector<MemberClaim>& claims,
                                                                       const StickyAssignment& assigned) {
    std::vector<std::pair<PartitionRef, int>> added;
    std::set<PartitionRef> revoked;
    for (std::size_t member = 0; member < claims.size(); ++member) {
      std::set<PartitionRef> owned;
      for (const auto& partition : claims[member].partitions) {
        owned.insert({view.topic_named(partition.topic), partition.partition});
      }
      for (const PartitionRef partition : assigned.partitions[member]) {
        if (owned.erase(partition) == 0) added.emplace_back(partition, static_cast<int>(member));
      }
      revoked.insert(owned.begin(), owned.end());
    }
    std::erase_if(added, [&](const auto& of) { return revoked.count(of.first) == 0; });
    return added;
  }

  std::int32_t generation_ = kNoGeneration;
};

}  // namespace
}  // namespace client

inline namespace v0 {

std::unique_ptr<Assignor> make_sticky_assignor() {
  return std::make_unique<client::StickyAssignor>();
}

std::unique_ptr<Assignor> make_cooperative_sticky_assignor() {
  return std::make_unique<client::CooperativeStickyAssignor>();
}

}  // namespace v0
}  // namespace barnabas
