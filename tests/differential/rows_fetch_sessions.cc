// Fetch sessions (KIP-227).
#include "common/protocol/messages/fetch.h"
#include "tests/differential/batches.h"
#include "tests/differential/fetch_requests.h"
#include "tests/differential/row.h"

namespace barnabas::differential {
namespace {

using protocol::FetchRequest;

constexpr Versions kWithSessions{7};
constexpr std::int32_t kFinal = -1;

/// The session that the row's first answer opened.
std::int32_t session(const Scene& scene) {
  return scene.answers.at(0).at("sessionId").get<std::int32_t>();
}

Make<FetchRequest> open(const std::vector<Wanted>& wanted) {
  return [wanted](const Scene& scene, std::int16_t version) {
    FetchRequest request = fetch_of(scene, version, wanted);
    request.session_epoch = 0;
    return request;
  };
}

Make<FetchRequest> next(std::int32_t epoch, const std::vector<Wanted>& wanted,
                        const std::vector<Wanted>& forgotten = {}) {
  return [=](const Scene& scene, std::int16_t version) {
    FetchRequest request = fetch_of(scene, version, wanted);
    request.session_id = session(scene);
    request.session_epoch = epoch;
    for (const Wanted& one : forgotten) {
      auto& topic = request.forgotten_topics_data.emplace_back();
      if (version >= 13) topic.topic_id = scene.peer.topic_id(one.topic);
      if (version < 13) topic.topic = one.topic;
      topic.partitions.push_back(one.partition);
    }
    return request;
  };
}

Make<FetchRequest> of_session(std::int32_t id, std::int32_t epoch) {
  return [=](const Scene& scene, std::int16_t version) {
    FetchRequest request = fetch_of(scene, version, {{kFetched, 0, 0}});
    request.session_id = id;
    request.session_epoch = epoch;
    return request;
  };
}

void add(Rows& rows, const std::string& what, const std::vector<Make<FetchRequest>>& makes) {
  talk<FetchRequest>(rows, "session_" + what, kWithSessions, makes, make_fetched);
}

}  // namespace

void add_fetch_session_rows(Rows& rows) {
  const Wanted first{kFetched, 0, 0};
  const Wanted second{kFetched, 1, 0};
  const Wanted other{kOtherFetched, 1, 0};
  add(rows, "opened", {open({first, second})});
  add(rows, "opened_for_nothing", {open({})});
  add(rows, "of_what_is_new", {open({first, second}), next(1, {{kFetched, 0, 8}})});
  add(rows, "with_nothing_new", {open({{kFetched, 0, 8}, {kFetched, 1, 8}}), next(1, {})});
  add(rows, "asked_again_without_moving", {open({first}), next(1, {})});
  add(rows, "grows", {open({first}), next(1, {other})});
  add(rows, "forgets", {open({first, second}), next(1, {}, {first}), next(2, {})});
  add(rows, "forgets_what_it_never_had", {open({first}), next(1, {}, {other}), next(2, {})});
  add(rows, "forgets_all", {open({first}), next(1, {}, {first}), next(2, {first})});
  add(rows, "of_a_skipped_epoch", {open({first}), next(2, {first})});
  add(rows, "of_a_repeated_epoch", {open({first}), next(1, {first}), next(1, {first})});
  add(rows, "of_epoch_minus_2", {open({first}), next(-2, {first})});
  add(rows, "ended", {open({first}), next(kFinal, {})});
  add(rows, "ended_then_asked", {open({first}), next(kFinal, {}), next(1, {first})});
  add(rows, "ended_with_partitions", {open({first}), next(kFinal, {first})});
  add(rows, "opened_again", {open({first}), next(0, {second}), next(1, {})});
  add(rows, "of_an_unknown_id", {of_session(123'456'789, 1)});
  add(rows, "of_an_unknown_id_to_be_ended", {of_session(123'456'789, kFinal)});
  add(rows, "of_an_unknown_id_to_be_opened", {of_session(123'456'789, 0)});
  add(rows, "of_no_id_and_epoch_1", {of_session(0, 1)});
  add(rows, "of_a_negative_id", {of_session(-5, 1)});
  add(rows, "with_an_error_first", {open({{kFetched, 7, 0}, first}), next(1, {{kFetched, 0, 8}})});
  add(rows, "with_an_error_later", {open({first}), next(1, {{kFetched, 0, 100}}), next(2, {})});
}

}  // namespace barnabas::differential
