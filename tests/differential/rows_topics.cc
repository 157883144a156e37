// CreateTopics and DeleteTopics.
#include "common/protocol/messages/create_topics.h"
#include "common/protocol/messages/delete_topics.h"
#include "common/protocol/messages/metadata.h"
#include "tests/differential/row.h"

namespace barnabas::differential {
namespace {

using protocol::CreateTopicsRequest;
using protocol::DeleteTopicsRequest;
using protocol::MetadataRequest;
using Topic = CreateTopicsRequest::CreatableTopic;

constexpr std::int16_t kLast = INT16_MAX;

Topic topic(std::string name, std::int32_t partitions = 1, std::int16_t replicas = 1) {
  Topic one;
  one.name = std::move(name);
  one.num_partitions = partitions;
  one.replication_factor = replicas;
  return one;
}

Topic with_config(Topic one, std::string name, std::optional<std::string> value) {
  one.configs.emplace_back();
  one.configs.back().name = std::move(name);
  one.configs.back().value = std::move(value);
  return one;
}

Topic assigned(std::string name, const std::vector<std::pair<std::int32_t, std::vector<std::int32_t>>>& replicas) {
  Topic one = topic(std::move(name), -1, -1);
  for (const auto& [partition, brokers] : replicas) {
    one.assignments.emplace_back();
    one.assignments.back().partition_index = partition;
    one.assignments.back().broker_ids = brokers;
  }
  return one;
}

CreateTopicsRequest creation(std::vector<Topic> topics, bool validate_only = false) {
  CreateTopicsRequest request;
  request.topics = std::move(topics);
  request.timeout_ms = 20'000;
  request.validate_only = validate_only;
  return request;
}

/// Nothing is made, so that all versions can ask alike.
void refused(Rows& rows, const std::string& what, const std::vector<Topic>& topics, Versions versions = {}) {
  single(
      rows, what, versions, [topics](const Scene&, std::int16_t) { return creation(topics); },
      [](Peer& peer) { peer.make_topic("topics-there"); });
}

void validated(Rows& rows, const std::string& what, const Topic& one, Versions versions = {}) {
  single(rows, what, versions, [one](const Scene&, std::int16_t) { return creation({one}, true); });
}

/// Made for good, under a name of the version's own; then asked for again.
void made(Rows& rows, const std::string& what, const Topic& one, Versions versions = {}) {
  for_versions(protocol::ApiKey::create_topics, versions, [&](std::int16_t version) {
    Topic mine = one;
    mine.name += "-v" + std::to_string(version);
    const Step create = [mine, version](const Scene&) { return frame_of(creation({mine}), version); };
    rows.add({row_name(protocol::ApiKey::create_topics, version, what), {create, create}, {}});
  });
}

void add_refused(Rows& rows) {
  refused(rows, "of_nothing", {});
  refused(rows, "of_an_existing_topic", {topic("topics-there")});
  refused(rows, "of_an_empty_name", {topic("")});
  refused(rows, "of_a_dot", {topic(".")});
  refused(rows, "of_two_dots", {topic("..")});
  refused(rows, "of_a_name_with_a_slash", {topic("a/b")});
  refused(rows, "of_a_name_with_umlaut", {topic("gr\xc3\xbc\xc3\x9f")});
  refused(rows, "of_a_name_of_250_letters", {topic(std::string(250, 't'))});
  refused(rows, "of_the_log_of_metadata", {topic("__cluster_metadata")});
  refused(rows, "of_a_name_that_collides", {topic("topics.there-v")}, {kLast, kLast});
  refused(rows, "of_0_partitions", {topic("refused", 0)});
  refused(rows, "of_minus_2_partitions", {topic("refused", -2)});
  refused(rows, "of_replication_factor_0", {topic("refused", 1, 0)});
  refused(rows, "of_replication_factor_2", {topic("refused", 1, 2)});
  refused(rows, "of_replication_factor_minus_2", {topic("refused", 1, -2)});
  refused(rows, "of_defaults_before_they_were_allowed", {topic("refused", -1, -1)}, {2, 3});
  refused(rows, "of_the_same_name_twice", {topic("refused"), topic("refused")});
  refused(rows, "of_the_same_name_twice_beside_another_bad_one", {topic("refused"), topic("refused"), topic("a b")});
  refused(rows, "of_an_unknown_setting", {with_config(topic("refused"), "no.such.setting", "1")});
  refused(rows, "of_a_setting_that_is_no_number", {with_config(topic("refused"), "retention.ms", "soon")});
  refused(rows, "of_a_setting_out_of_range", {with_config(topic("refused"), "segment.bytes", "1")});
  refused(rows, "of_an_unknown_cleanup_policy", {with_config(topic("refused"), "cleanup.policy", "burn")});
  refused(rows, "of_an_unknown_compression", {with_config(topic("refused"), "compression.type", "rar")});
  refused(rows, "of_a_setting_that_is_null", {with_config(topic("refused"), "retention.ms", std::nullopt)});
  refused(rows, "of_a_local_retention_above_the_whole",
          {with_config(with_config(topic("refused"), "retention.ms", "5"), "local.retention.ms", "10")});
  refused(rows, "of_remote_storage", {with_config(topic("refused"), "remote.storage.enable", "true")});
  refused(rows, "of_assignments_and_a_partition_count", {[] {
            Topic one = assigned("refused", {{0, {1}}});
            one.num_partitions = 1;
            return one;
          }()});
  refused(rows, "of_assignments_and_a_replication_factor", {[] {
            Topic one = assigned("refused", {{0, {1}}});
            one.replication_factor = 1;
            return one;
          }()});
  refused(rows, "of_an_assignment_to_an_unknown_broker", {assigned("refused", {{0, {99}}})});
  refused(rows, "of_an_assignment_to_a_broker_twice", {assigned("refused", {{0, {1, 1}}})});
  refused(rows, "of_an_assignment_to_nobody", {assigned("refused", {{0, {}}})});
  refused(rows, "of_assignments_with_a_gap", {assigned("refused", {{0, {1}}, {2, {1}}})});
  refused(rows, "of_assignments_that_start_at_1", {assigned("refused", {{1, {1}}})});
  refused(rows, "of_an_assignment_twice", {assigned("refused", {{0, {1}}, {0, {1}}})});
}

void add_validated(Rows& rows) {
  validated(rows, "validate_only", topic("validated", 3));
  validated(rows, "validate_only_with_defaults", topic("validated", -1, -1), {4});
  validated(rows, "validate_only_with_settings", with_config(topic("validated"), "retention.ms", "60000"));
  validated(rows, "validate_only_with_assignments", assigned("validated", {{0, {1}}, {1, {1}}}));
  validated(rows, "validate_only_of_a_bad_name", topic("a b"));
  validated(rows, "validate_only_of_a_list_setting",
            with_config(topic("validated"), "cleanup.policy", "compact,delete"));
}

void add_made(Rows& rows) {
  made(rows, "then_again", topic("made", 2));
  made(rows, "with_defaults_then_again", topic("made-defaults", -1, -1), {4});
  made(rows, "with_settings_then_again",
       with_config(with_config(topic("made-settings"), "cleanup.policy", "compact"), "max.message.bytes", "2000"));
  made(rows, "with_assignments_then_again", assigned("made-assigned", {{1, {1}}, {0, {1}}}));
}

DeleteTopicsRequest deletion_by_name(const std::vector<std::string>& names, std::int16_t version) {
  DeleteTopicsRequest request;
  request.timeout_ms = 20'000;
  for (const std::string& name : names) {
    if (version < 6) {
      request.topic_names.push_back(name);
    } else {
      request.topics.emplace_back().name = name;
    }
  }
  return request;
}

DeleteTopicsRequest deletion_by_id(const Uuid& id) {
  DeleteTopicsRequest request;
  request.timeout_ms = 20'000;
  request.topics.emplace_back().topic_id = id;
  return request;
}

void not_deleted(Rows& rows, const std::string& what, const std::vector<std::string>& names) {
  single(rows, what, {}, [names](const Scene&, std::int16_t version) { return deletion_by_name(names, version); });
}

std::string doomed(std::int16_t version) {
  return "doomed-v" + std::to_string(version);
}

void add_deleted_by_name(Rows& rows) {
  for_versions(protocol::ApiKey::delete_topics, {}, [&](std::int16_t version) {
    const Step remove = [version](const Scene&) {
      return frame_of(deletion_by_name({doomed(version)}, version), version);
    };
    rows.add({row_name(protocol::ApiKey::delete_topics, version, "then_again"),
              {remove, remove},
              [version](Peer& peer) { peer.make_topic(doomed(version)); }});
  });
  for_versions(protocol::ApiKey::delete_topics, {}, [&](std::int16_t version) {
    const std::string name = "doomed-too-v" + std::to_string(version);
    const Step remove = [version, name](const Scene&) {
      return frame_of(deletion_by_name({"missing", name, "a b"}, version), version);
    };
    rows.add({row_name(protocol::ApiKey::delete_topics, version, "beside_missing_ones"), {remove}, [name](Peer& peer) {
                peer.make_topic(name);
              }});
  });
}

void add_deleted_by_id(Rows& rows) {
  constexpr Versions with_ids{6};
  single(
      rows, "by_id", with_ids,
      [](const Scene& scene, std::int16_t) { return deletion_by_id(scene.peer.topic_id("doomed-by-id")); },
      [](Peer& peer) { peer.make_topic("doomed-by-id"); });
  single(rows, "by_an_unknown_id", with_ids,
         [](const Scene&, std::int16_t) { return deletion_by_id(Uuid(0x1234567890ABCDEFU, 1)); });
  single(rows, "by_the_zero_id", with_ids, [](const Scene&, std::int16_t) { return deletion_by_id(Uuid()); });
  const auto prepare = [](Peer& peer) { peer.make_topic("topics-there"); };
  single(
      rows, "by_id_and_name", with_ids,
      [](const Scene& scene, std::int16_t) {
        DeleteTopicsRequest request = deletion_by_id(scene.peer.topic_id("topics-there"));
        request.topics[0].name = "topics-there";
        return request;
      },
      prepare);
  single(
      rows, "by_id_and_by_name", with_ids,
      [](const Scene& scene, std::int16_t) {
        DeleteTopicsRequest request = deletion_by_id(scene.peer.topic_id("topics-there"));
        request.topics.emplace_back().name = "topics-there";
        return request;
      },
      prepare);
  single(
      rows, "by_id_twice", with_ids,
      [](const Scene& scene, std::int16_t) {
        DeleteTopicsRequest request = deletion_by_id(scene.peer.topic_id("topics-there"));
        request.topics.push_back(request.topics[0]);
        return request;
      },
      prepare);
}

}  // namespace

void add_topic_rows(Rows& rows) {
  add_refused(rows);
  add_validated(rows);
  add_made(rows);
  not_deleted(rows, "of_nothing", {});
  not_deleted(rows, "of_a_missing_topic", {"missing"});
  not_deleted(rows, "of_an_empty_name", {""});
  not_deleted(rows, "of_a_bad_name", {"a b"});
  not_deleted(rows, "of_a_missing_topic_twice", {"missing", "missing"});
  not_deleted(rows, "of_the_log_of_metadata", {"__cluster_metadata"});
  add_deleted_by_name(rows);
  add_deleted_by_id(rows);
}

}  // namespace barnabas::differential
