#include "client/consumer/assignor/group_view.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

#include "client/consumer/assignor/java_order.h"

namespace barnabas::client {

GroupView::GroupView(const ClusterMetadata& cluster, const GroupSubscription& group) {
  read_topics(cluster, group);
  read_members(group);
  read_racks(cluster);
}

/// Kafka gathers the names of all subscribed topics in one hash set, and those that exist in a map after that.
void GroupView::read_topics(const ClusterMetadata& cluster, const GroupSubscription& group) {
  std::vector<const std::string*> names;
  std::unordered_map<std::string_view, int> seen;
  JavaHashOrder subscribed;
  for (const auto& [id, subscription] : group) {
    for (const auto& topic : subscription.topics) {
      if (!seen.emplace(topic, static_cast<int>(names.size())).second) continue;
      subscribed.put(static_cast<int>(names.size()), java_hash(topic));
      names.push_back(&topic);
    }
  }
  std::vector<int> existing;
  JavaHashOrder walked;
  for (const int place : subscribed.all()) {
    const auto found = cluster.topics.find(*names[at(place)]);
    if (found == cluster.topics.end() || found->second.empty()) continue;
    existing.push_back(place);
    walked.put(place, java_hash(*names[at(place)]));
  }

  std::sort(existing.begin(), existing.end(), [&](int a, int b) { return *names[at(a)] < *names[at(b)]; });
  for (const int place : existing) {
    GroupTopic& topic = topics.emplace_back();
    topic.name = names[at(place)];
    topic.java_hash = java_hash(*topic.name);
    topic.first = partition_count;
    for (const auto& partition : cluster.topics.find(*topic.name)->second)
      topic.partitions.push_back(partition.partition);
    std::sort(topic.partitions.begin(), topic.partitions.end());
    partition_count += static_cast<int>(topic.partitions.size());
    topic_of_.resize(at(partition_count), static_cast<int>(topics.size()) - 1);
    topic_places_.emplace(*topic.name, static_cast<int>(topics.size()) - 1);
  }
  for (const int place : walked.all()) topics_as_java_walks.push_back(topic_named(*names[at(place)]));
}

void GroupView::read_members(const GroupSubscription& group) {
  JavaHashOrder order;
  std::map<std::string_view, int> racks;
  subscribed_.resize(group.size() * topics.size());
  for (const auto& [id, subscription] : group) {
    const int place = static_cast<int>(members.size());
    GroupMember& member = members.emplace_back();
    member.id = &id;
    member.subscription = &subscription;
    order.put(place, java_hash(id));
    for (const auto& name : subscription.topics) {
      const int topic = topic_named(name);
      if (topic < 0 || subscribed_[index(place, topic)]) continue;
      subscribed_[index(place, topic)] = true;
      member.topics.push_back(topic);
      topics[at(topic)].members.push_back(place);
    }
    if (subscription.rack_id && !subscription.rack_id->empty()) {
      member.rack = racks.emplace(*subscription.rack_id, static_cast<int>(racks.size())).first->second;
      has_member_racks = true;
    }
  }
  members_as_java_walks = order.all();
}

/// Racks are numbers from here on: those of members first, so that a replica's rack that no member is in still counts.
void GroupView::read_racks(const ClusterMetadata& cluster) {
  for (auto& topic : topics) topic.racks.resize(topic.partitions.size());
  if (!has_member_racks) return;
  std::map<std::string_view, int> numbers;
  for (const auto& member : members) {
    if (member.rack >= 0) numbers.emplace(*member.subscription->rack_id, member.rack);
  }
  for (auto& topic : topics) {
    for (const auto& partition : cluster.topics.find(*topic.name)->second) {
      const auto place = std::lower_bound(topic.partitions.begin(), topic.partitions.end(), partition.partition);
      auto& racks = topic.racks[static_cast<std::size_t>(place - topic.partitions.begin())];
      for (const std::int32_t broker : partition.replicas) {
        const std::string* rack = cluster.rack_of(broker);
        if (rack) racks.push_back(numbers.emplace(*rack, static_cast<int>(numbers.size())).first->second);
      }
      std::sort(racks.begin(), racks.end());
      racks.erase(std::unique(racks.begin(), racks.end()), racks.end());
    }
  }
}

std::vector<int> GroupView::members_in_turn() const {
  std::vector<int> order(members.size());
  std::iota(order.begin(), order.end(), 0);
  const auto key = [this](int place) {
    const auto& instance = members[at(place)].subscription->group_instance_id;
    return std::tuple(!instance.has_value(), instance ? std::string_view(*instance) : std::string_view(), place);
  };
  std::sort(order.begin(), order.end(), [&](int a, int b) { return key(a) < key(b); });
  return order;
}

int GroupView::topic_named(std::string_view name) const {
  const auto found = topic_places_.find(name);
  return found == topic_places_.end() ? -1 : found->second;
}

std::optional<int> GroupView::number_of(PartitionRef partition) const {
  const GroupTopic& topic = topics[at(partition.topic)];
  const auto place = std::lower_bound(topic.partitions.begin(), topic.partitions.end(), partition.partition);
  if (place == topic.partitions.end() || *place != partition.partition) return std::nullopt;
  return topic.first + static_cast<int>(place - topic.partitions.begin());
}

PartitionRef GroupView::partition_of(int number) const {
  const int topic = topic_of_[at(number)];
  return {topic, topics[at(topic)].partitions[at(number - topics[at(topic)].first)]};
}

const std::vector<int>& GroupView::racks_of(int number) const {
  const GroupTopic& topic = topics[at(topic_of_[at(number)])];
  return topic.racks[at(number - topic.first)];
}

bool GroupView::has_replica_in(int rack, int number) const {
  const auto& racks = racks_of(number);
  return std::binary_search(racks.begin(), racks.end(), rack);
}

GroupAssignment GroupView::named(const std::vector<std::vector<PartitionRef>>& assignment) const {
  GroupAssignment by_id;
  for (std::size_t member = 0; member < members.size(); ++member) {
    auto& partitions = by_id[*members[member].id].partitions;
    partitions.reserve(assignment[member].size());
    for (const PartitionRef partition : assignment[member]) partitions.push_back(named(partition));
  }
  return by_id;
}

bool should_match_racks(const GroupView& view, const std::vector<int>& members, const std::vector<int>& topics) {
  if (!view.has_member_racks) return false;
  std::vector<int> partition_racks;
  for (const int topic : topics) {
    for (const auto& racks : view.topics[GroupView::at(topic)].racks) {
      partition_racks.insert(partition_racks.end(), racks.begin(), racks.end());
    }
  }
  std::sort(partition_racks.begin(), partition_racks.end());
  partition_racks.erase(std::unique(partition_racks.begin(), partition_racks.end()), partition_racks.end());
  const bool share_a_rack = std::any_of(members.begin(), members.end(), [&](int member) {
    const int rack = view.members[GroupView::at(member)].rack;
    return rack >= 0 && std::binary_search(partition_racks.begin(), partition_racks.end(), rack);
  });
  return share_a_rack && std::any_of(topics.begin(), topics.end(), [&](int topic) {
           const auto& racks = view.topics[GroupView::at(topic)].racks;
           return std::any_of(racks.begin(), racks.end(), [&](const auto& of) { return of != partition_racks; });
         });
}

}  // namespace barnabas::client
