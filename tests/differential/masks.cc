#include "tests/differential/masks.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace barnabas::differential {
namespace {

using nlohmann::json;
using protocol::ApiKey;

/// Said by one value, and differs between brokers: each is masked only where it is what it should be.
enum class Kind {
  identifier,     // a text that is not empty
  wording,        // an error's sentence: ours names the thing; whether there is one is compared
  number,         // 0 or more; negative ones say that there is none, and stay
  time,           // milliseconds since 1970, later than 2020; others stay
  topic_id,       // becomes the topic's name
  documentation,  // a text that is not empty
  member,         // a text that ends with a random UUID
};

struct Mask {
  ApiKey api;
  std::string_view field;
  Kind kind;
};

constexpr std::array kMasks{
    Mask{ApiKey::metadata, "clusterId", Kind::identifier},
    Mask{ApiKey::metadata, "port", Kind::number},
    Mask{ApiKey::metadata, "topicId", Kind::topic_id},
    Mask{ApiKey::describe_cluster, "clusterId", Kind::identifier},
    Mask{ApiKey::describe_cluster, "port", Kind::number},
    Mask{ApiKey::create_topics, "topicId", Kind::topic_id},
    Mask{ApiKey::delete_topics, "topicId", Kind::topic_id},
    Mask{ApiKey::produce, "topicId", Kind::topic_id},
    Mask{ApiKey::produce, "port", Kind::number},
    Mask{ApiKey::produce, "logAppendTimeMs", Kind::time},
    Mask{ApiKey::fetch, "topicId", Kind::topic_id},
    Mask{ApiKey::fetch, "port", Kind::number},
    Mask{ApiKey::init_producer_id, "producerId", Kind::number},
    Mask{ApiKey::api_versions, "finalizedFeaturesEpoch", Kind::number},
    Mask{ApiKey::find_coordinator, "port", Kind::number},
    Mask{ApiKey::join_group, "memberId", Kind::member},
    Mask{ApiKey::join_group, "leader", Kind::member},
    Mask{ApiKey::leave_group, "memberId", Kind::member},
    Mask{ApiKey::describe_groups, "memberId", Kind::member},
    Mask{ApiKey::offset_commit, "topicId", Kind::topic_id},
    Mask{ApiKey::offset_fetch, "topicId", Kind::topic_id},
    Mask{ApiKey::describe_configs, "documentation", Kind::documentation},
    Mask{ApiKey::describe_configs, "errorMessage", Kind::wording},
    Mask{ApiKey::create_topics, "errorMessage", Kind::wording},
    Mask{ApiKey::delete_topics, "errorMessage", Kind::wording},
    Mask{ApiKey::produce, "errorMessage", Kind::wording},
    Mask{ApiKey::produce, "batchIndexErrorMessage", Kind::wording},
};

constexpr std::int64_t kYear2020Ms = 1'577'836'800'000;

/// What stands before the UUID stays.
json masked_member(const json& value) {
  constexpr std::size_t kUuidLength = 36;
  if (!value.is_string()) return value;
  const std::string id = value.get<std::string>();
  const bool has_uuid = id.size() > kUuidLength && id[id.size() - 13] == '-' && id[id.size() - 37] == '-';
  return has_uuid ? id.substr(0, id.size() - kUuidLength) + "<a uuid>" : id;
}

json masked_value(const json& value, Kind kind, const Peer& peer) {
  switch (kind) {
    case Kind::identifier:
    case Kind::wording:
    case Kind::documentation:
      if (value.is_string() && !value.get<std::string>().empty()) return "<a text>";
      return value;
    case Kind::number:
      if (value.is_number_integer() && value.get<std::int64_t>() >= 0) return "<a number>";
      return value;
    case Kind::time:
      if (value.is_number_integer() && value.get<std::int64_t>() > kYear2020Ms) return "<a time>";
      return value;
    case Kind::member:
      return masked_member(value);
    case Kind::topic_id:
      if (value.is_string()) return peer.masked_id(value.get<std::string>());
      return value;
  }
  return value;
}

/// Lists whose order is that of a hash table in Apache Kafka, or random.
struct Unordered {
  ApiKey api;
  std::string_view list;
};

constexpr std::array kUnordered{
    Unordered{ApiKey::api_versions, "supportedFeatures"},
    Unordered{ApiKey::api_versions, "finalizedFeatures"},
    Unordered{ApiKey::metadata, "topics"},
    Unordered{ApiKey::create_topics, "topics"},
    Unordered{ApiKey::delete_topics, "responses"},
    Unordered{ApiKey::describe_configs, "configs"},
    Unordered{ApiKey::create_topics, "configs"},
    Unordered{ApiKey::list_offsets, "topics"},
    Unordered{ApiKey::fetch, "partitions"},
    Unordered{ApiKey::produce, "partitionResponses"},
    Unordered{ApiKey::list_groups, "groups"},
    Unordered{ApiKey::delete_groups, "results"},
    Unordered{ApiKey::offset_fetch, "topics"},
    Unordered{ApiKey::offset_fetch, "partitions"},
};

std::string name_of(const json& element) {
  for (const char* number : {"partitionIndex", "index"}) {
    if (element.contains(number)) return element[number].dump();
  }
  const json name = element.contains("groupId") ? element["groupId"] : element.value("name", json());
  return name.is_string() ? name.get<std::string>() : name.dump();
}

/// By name or number, where each element has one of its own, so that what belongs together is compared; sorted where
/// not.
void put_in_order(json& list) {
  json by_name = json::object();
  for (const json& element : list) by_name[name_of(element)] = element;
  if (by_name.size() == list.size()) {
    list = std::move(by_name);
  } else {
    std::sort(list.begin(), list.end(), [](const json& a, const json& b) { return a.dump() < b.dump(); });
  }
}

void mask(json& value, ApiKey api, const Peer& peer) {
  if (value.is_array()) {
    for (json& element : value) mask(element, api, peer);
    return;
  }
  if (!value.is_object()) return;
  for (const auto& [name, field] : value.items()) {
    mask(field, api, peer);
    for (const Mask& one : kMasks) {
      if (one.api == api && one.field == name) field = masked_value(field, one.kind, peer);
    }
    if (!field.is_array()) continue;
    for (const Unordered& one : kUnordered) {
      if (one.api == api && one.list == name) put_in_order(field);
    }
  }
}

/// A session's id is a random number above 0; 0 says that there is none.
void mask_session(json& answer) {
  if (const auto id = answer.find("sessionId"); id != answer.end() && *id != 0) *id = "<a session>";
}

}  // namespace

json masked(json answer, ApiKey api, const Peer& peer) {
  mask(answer, api, peer);
  if (api == ApiKey::fetch) mask_session(answer);
  return answer;
}

}  // namespace barnabas::differential
