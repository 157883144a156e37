// Metadata: by name, by id, of all topics, with creation.
#include "common/protocol/messages/metadata.h"
#include "tests/differential/row.h"

namespace barnabas::differential {
namespace {

using protocol::MetadataRequest;

constexpr std::int16_t kFirstWithAutoCreation = 4;
constexpr std::int16_t kFirstWithIds = 10;

void make_topics(Peer& peer) {
  peer.make_topic("metadata-one");
  peer.make_topic("metadata-three", 3);
}

/// Version 0 to 3 always create; a later one only when it says so.
MetadataRequest of(std::vector<std::string> names, std::int16_t version, bool create = false) {
  MetadataRequest request;
  request.topics.emplace();
  for (std::string& name : names) request.topics->emplace_back().name = std::move(name);
  if (version >= kFirstWithAutoCreation) request.allow_auto_topic_creation = create;
  return request;
}

MetadataRequest of_id(const Uuid& id, std::optional<std::string> name = std::nullopt) {
  MetadataRequest request;
  auto& topic = request.topics.emplace().emplace_back();
  topic.topic_id = id;
  topic.name = std::move(name);
  request.allow_auto_topic_creation = false;
  return request;
}

void add_names(Rows& rows, const std::string& what, const std::vector<std::string>& names) {
  single(
      rows, what, {}, [names](const Scene&, std::int16_t version) { return of(names, version); }, make_topics);
}

void add_authorized(Rows& rows) {
  single(
      rows, "with_topic_operations", {8},
      [](const Scene&, std::int16_t version) {
        MetadataRequest request = of({"metadata-one", "metadata-missing"}, version);
        request.include_topic_authorized_operations = true;
        return request;
      },
      make_topics);
  single(rows, "with_cluster_operations", {8, 10}, [](const Scene&, std::int16_t version) {
    MetadataRequest request = of({}, version);
    request.include_cluster_authorized_operations = true;
    return request;
  });
}

/// A name a version, so that each makes a topic.
void add_creations(Rows& rows) {
  single(rows, "that_creates", {}, [](const Scene&, std::int16_t version) {
    return of({"metadata-made-v" + std::to_string(version)}, version, true);
  });
  single(
      rows, "that_creates_a_bad_name", {},
      [](const Scene&, std::int16_t version) {
        return of({"bad/name", "metadata-one"}, version, true);
      },
      make_topics);
  single(rows, "that_creates_the_log_of_metadata", {},
         [](const Scene&, std::int16_t version) { return of({"__cluster_metadata"}, version, true); });
}

void add_ids(Rows& rows) {
  single(
      rows, "by_id", {kFirstWithIds},
      [](const Scene& scene, std::int16_t) { return of_id(scene.peer.topic_id("metadata-three")); }, make_topics);
  single(rows, "by_an_unknown_id", {kFirstWithIds},
         [](const Scene&, std::int16_t) { return of_id(Uuid(0x1234567890ABCDEFU, 0x1234567890ABCDEFU)); });
  single(rows, "by_the_zero_id_without_name", {kFirstWithIds},
         [](const Scene&, std::int16_t) { return of_id(Uuid()); });
  single(
      rows, "by_id_and_name", {kFirstWithIds},
      [](const Scene& scene, std::int16_t) { return of_id(scene.peer.topic_id("metadata-three"), "metadata-one"); },
      make_topics);
  single(
      rows, "by_id_twice", {12},
      [](const Scene& scene, std::int16_t) {
        MetadataRequest request = of_id(scene.peer.topic_id("metadata-one"));
        request.topics->push_back(request.topics->front());
        return request;
      },
      make_topics);
  single(
      rows, "by_id_and_another_by_name", {12},
      [](const Scene& scene, std::int16_t) {
        MetadataRequest request = of_id(scene.peer.topic_id("metadata-one"));
        request.topics->emplace_back().name = "metadata-three";
        return request;
      },
      make_topics);
}

/// Runs first, while the cluster has no other topics than these.
void add_all_topics(Rows& rows) {
  single(
      rows, "of_all_topics", {1},
      [](const Scene&, std::int16_t version) {
        MetadataRequest request;
        if (version >= kFirstWithAutoCreation) request.allow_auto_topic_creation = false;
        return request;
      },
      make_topics);
  single(
      rows, "of_all_topics", {0, 0}, [](const Scene&, std::int16_t version) { return of({}, version); }, make_topics);
}

}  // namespace

void add_metadata_rows(Rows& rows) {
  add_all_topics(rows);
  add_names(rows, "of_no_topics", {});
  add_names(rows, "of_one_topic", {"metadata-one"});
  add_names(rows, "of_two_topics", {"metadata-three", "metadata-one"});
  add_names(rows, "of_a_topic_twice", {"metadata-one", "metadata-one"});
  add_names(rows, "of_an_empty_name", {""});
  add_names(rows, "of_a_dot", {"."});
  add_names(rows, "of_two_dots", {".."});
  add_names(rows, "of_a_name_with_a_blank", {"metadata one"});
  add_names(rows, "of_a_name_with_umlaut", {"gr\xc3\xbc\xc3\x9f"});
  add_names(rows, "of_a_name_of_250_letters", {std::string(250, 'm')});
  add_names(rows, "of_good_and_bad_names", {"metadata-one", "bad/name"});
  single(rows, "of_a_missing_topic", {kFirstWithAutoCreation},
         [](const Scene&, std::int16_t version) { return of({"metadata-missing"}, version); });
  single(rows, "of_the_log_of_metadata", {kFirstWithAutoCreation},
         [](const Scene&, std::int16_t version) { return of({"__cluster_metadata"}, version); });
  single(rows, "of_an_internal_topic", {kFirstWithAutoCreation},
         [](const Scene&, std::int16_t version) { return of({"__consumer_offsets"}, version); });
  add_authorized(rows);
  add_ids(rows);
  add_creations(rows);
}

}  // namespace barnabas::differential
