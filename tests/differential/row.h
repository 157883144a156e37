#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "common/bytes/bytes.h"
#include "common/protocol/api_keys.h"
#include "common/protocol/headers.h"
#include "tests/differential/peer.h"

/// The table of the differential test: what is said to Apache Kafka and to our broker.
namespace barnabas::differential {

constexpr std::int32_t kCorrelationId = 7;

/// What our broker serves: a new API gets its rows and its part of the captured conversation by standing here.
constexpr protocol::ApiKey kServed[] = {protocol::ApiKey::produce,
                                        protocol::ApiKey::fetch,
                                        protocol::ApiKey::list_offsets,
                                        protocol::ApiKey::metadata,
                                        protocol::ApiKey::api_versions,
                                        protocol::ApiKey::create_topics,
                                        protocol::ApiKey::delete_topics,
                                        protocol::ApiKey::init_producer_id,
                                        protocol::ApiKey::offset_for_leader_epoch,
                                        protocol::ApiKey::describe_configs,
                                        protocol::ApiKey::describe_cluster,
                                        protocol::ApiKey::find_coordinator,
                                        protocol::ApiKey::join_group,
                                        protocol::ApiKey::sync_group,
                                        protocol::ApiKey::heartbeat,
                                        protocol::ApiKey::leave_group,
                                        protocol::ApiKey::offset_commit,
                                        protocol::ApiKey::offset_fetch,
                                        protocol::ApiKey::offset_delete,
                                        protocol::ApiKey::describe_groups,
                                        protocol::ApiKey::list_groups,
                                        protocol::ApiKey::delete_groups};

/// What goes out at once, with its size before it, and as which API's answer of which version the reply is read.
struct Frame {
  Bytes bytes;
  protocol::ApiKey api = protocol::ApiKey::api_versions;
  std::int16_t version = 0;
  bool then_finish = false;  ///< Nothing more will be sent: the peer reads an end of file behind it.
};

/// What a request is made from: the peer, whose ids it may name, and what the peer answered before in this row.
struct Scene {
  Peer& peer;
  std::vector<nlohmann::json> answers;
};

using Step = std::function<Frame(const Scene&)>;

/// A short conversation over a connection of its own. Both peers are prepared alike before it.
struct Row {
  std::string name;  ///< Letters, digits and underscores.
  std::vector<Step> steps;
  std::function<void(Peer&)> prepare;
  std::chrono::seconds patience{20};  ///< Less where a peer is known not to answer.
};

/// Rows in the order in which they run.
class Rows {
 public:
  void add(Row row) { rows_.push_back(std::move(row)); }
  const std::vector<Row>& all() const { return rows_; }

 private:
  std::vector<Row> rows_;
};

/// The request as a client sends it.
template <typename Request>
Frame frame_of(const Request& request, std::int16_t version) {
  Writer out;
  const Result<void> done = protocol::encode_request_frame(out, request, version, kCorrelationId, "differential");
  if (!done) throw std::runtime_error("a row's request cannot be encoded: " + done.error().message());
  return {out.take(), Request::kApiKey, version};
}

struct Versions {
  std::int16_t from = 0;
  std::int16_t to = INT16_MAX;
};

/// "Metadata_v9_what".
inline std::string row_name(protocol::ApiKey api, std::int16_t version, const std::string& what) {
  return std::string(protocol::to_string(api)) + "_v" + std::to_string(version) + "_" + what;
}

/// Calls `add(version)` for each version that a broker speaks and `versions` holds.
template <typename Add>
void for_versions(protocol::ApiKey api, Versions versions, Add add) {
  const protocol::ApiInfo& info = *protocol::find_api(api);
  for (std::int16_t v = std::max(info.min_version, versions.from); v <= std::min(info.max_stable_version, versions.to);
       ++v) {
    add(v);
  }
}

/// One row a version: a single request, made by `make(scene, version)`.
template <typename Make>
void single(Rows& rows, const std::string& what, Versions versions, Make make,
            std::function<void(Peer&)> prepare = {}) {
  using Request = std::invoke_result_t<Make, const Scene&, std::int16_t>;
  for_versions(Request::kApiKey, versions, [&](std::int16_t version) {
    rows.add({row_name(Request::kApiKey, version, what),
              {[make, version](const Scene& scene) { return frame_of(make(scene, version), version); }},
              prepare});
  });
}

/// One row a version: several requests over one connection, each made by a function of (scene, version).
template <typename Request>
using Make = std::function<Request(const Scene&, std::int16_t)>;
template <typename Request>
void talk(Rows& rows, const std::string& what, Versions versions, const std::vector<Make<Request>>& makes,
          std::function<void(Peer&)> prepare = {}) {
  for_versions(Request::kApiKey, versions, [&](std::int16_t version) {
    Row row{row_name(Request::kApiKey, version, what), {}, prepare};
    for (const Make<Request>& make : makes) {
      row.steps.push_back([make, version](const Scene& scene) { return frame_of(make(scene, version), version); });
    }
    rows.add(std::move(row));
  });
}

/// All rows, by subject; each in a file of its own.
void add_malformed_rows(Rows& rows);
void add_cluster_rows(Rows& rows);
void add_metadata_rows(Rows& rows);
void add_topic_rows(Rows& rows);
void add_config_rows(Rows& rows);
void add_produce_rows(Rows& rows);
void add_idempotence_rows(Rows& rows);
void add_fetch_rows(Rows& rows);
void add_fetch_session_rows(Rows& rows);
void add_offset_rows(Rows& rows);
void add_group_rows(Rows& rows);

}  // namespace barnabas::differential
