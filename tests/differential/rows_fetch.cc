// Fetch without a session: what is read, and what is refused.
#include "common/protocol/messages/fetch.h"
#include "tests/differential/batches.h"
#include "tests/differential/fetch_requests.h"
#include "tests/differential/row.h"

namespace barnabas::differential {
namespace {

using protocol::FetchRequest;

constexpr std::int16_t kFirstWithEpoch = 9;
constexpr std::int16_t kFirstWithDivergence = 12;

using Change = std::function<void(FetchRequest&, FetchRequest::FetchPartition&)>;

/// One row a version: a fetch of partition 0 from offset 0, changed.
void add(Rows& rows, const std::string& what, Versions versions, const Change& change) {
  single(
      rows, what, versions,
      [change](const Scene& scene, std::int16_t version) {
        FetchRequest request = fetch_of(scene, version, {{kFetched, 0, 0}});
        change(request, request.topics[0].partitions[0]);
        return request;
      },
      make_fetched);
}

void add_offsets(Rows& rows) {
  for (const auto& [what, offset] : {std::pair{"from_the_start", 0},
                                     {"from_within_a_batch", 1},
                                     {"from_the_end", 8},
                                     {"from_the_second_batch", 3},
                                     {"from_behind_the_end", 9},
                                     {"from_minus_1", -1}}) {
    add(rows, what, {},
        [offset = offset](FetchRequest&, FetchRequest::FetchPartition& partition) { partition.fetch_offset = offset; });
  }
}

void add_limits(Rows& rows) {
  add(rows, "of_1_byte", {}, [](FetchRequest& request, FetchRequest::FetchPartition&) { request.max_bytes = 1; });
  add(rows, "of_0_bytes", {}, [](FetchRequest& request, FetchRequest::FetchPartition&) { request.max_bytes = 0; });
  add(rows, "of_minus_1_bytes", {},
      [](FetchRequest& request, FetchRequest::FetchPartition&) { request.max_bytes = -1; });
  add(rows, "of_1_byte_a_partition", {},
      [](FetchRequest&, FetchRequest::FetchPartition& partition) { partition.partition_max_bytes = 1; });
  add(rows, "of_0_bytes_a_partition", {},
      [](FetchRequest&, FetchRequest::FetchPartition& partition) { partition.partition_max_bytes = 0; });
  add(rows, "of_150_bytes_a_partition", {},
      [](FetchRequest&, FetchRequest::FetchPartition& partition) { partition.partition_max_bytes = 150; });
  add(rows, "of_more_than_there_is", {}, [](FetchRequest& request, FetchRequest::FetchPartition&) {
    request.min_bytes = 1 << 20;
    request.max_wait_ms = 10;
  });
  add(rows, "with_a_negative_wait", {}, [](FetchRequest& request, FetchRequest::FetchPartition& partition) {
    request.max_wait_ms = -1;
    partition.fetch_offset = 8;
  });
  single(
      rows, "of_two_partitions_with_room_for_one", {},
      [](const Scene& scene, std::int16_t version) {
        FetchRequest request = fetch_of(scene, version, {{kFetched, 0, 0}, {kFetched, 1, 0}});
        request.max_bytes = 100;
        return request;
      },
      make_fetched);
}

void add_partitions(Rows& rows) {
  add(rows, "of_an_unknown_partition", {},
      [](FetchRequest&, FetchRequest::FetchPartition& partition) { partition.partition = 9; });
  add(rows, "of_a_negative_partition", {},
      [](FetchRequest&, FetchRequest::FetchPartition& partition) { partition.partition = -1; });
  single(rows, "of_nothing", {}, [](const Scene& scene, std::int16_t version) { return fetch_of(scene, version, {}); });
  for (const auto& [what, name] : {std::pair{"of_a_missing_topic", "missing"},
                                   {"of_a_bad_name", "a b"},
                                   {"of_an_empty_name", ""},
                                   {"of_the_log_of_metadata", "__cluster_metadata"}}) {
    single(rows, what, {4, 12}, [name = std::string(name)](const Scene& scene, std::int16_t version) {
      return fetch_of(scene, version, {{name, 0, 0}});
    });
  }
  for (const auto& [what, id] : {std::pair{"of_an_unknown_id", Uuid(7, 7'000'000)}, {"of_the_zero_id", Uuid()}}) {
    single(
        rows, what, {13},
        [id = id](const Scene& scene, std::int16_t version) {
          FetchRequest request = fetch_of(scene, version, {{kFetched, 0, 0}});
          request.topics[0].topic_id = id;
          return request;
        },
        make_fetched);
  }
  single(
      rows, "of_good_and_bad_partitions", {},
      [](const Scene& scene, std::int16_t version) {
        return fetch_of(scene, version, {{kFetched, 0, 0}, {kFetched, 7, 0}, {kFetched, 1, 100}});
      },
      make_fetched);
  single(
      rows, "of_two_topics", {},
      [](const Scene& scene, std::int16_t version) {
        return fetch_of(scene, version, {{kFetched, 1, 0}, {kOtherFetched, 0, 0}, {kFetched, 0, 0}});
      },
      make_fetched);
  single(
      rows, "of_a_partition_twice", {},
      [](const Scene& scene, std::int16_t version) {
        return fetch_of(scene, version, {{kFetched, 0, 0}, {kFetched, 0, 3}});
      },
      make_fetched);
}

void add_epochs(Rows& rows) {
  for (const auto& [what, epoch] :
       {std::pair{"of_the_current_epoch", 0}, {"of_a_newer_epoch", 1}, {"of_epoch_minus_2", -2}}) {
    add(rows, what, {kFirstWithEpoch}, [epoch = epoch](FetchRequest&, FetchRequest::FetchPartition& partition) {
      partition.current_leader_epoch = epoch;
    });
  }
  for (const auto& [what, epoch] :
       {std::pair{"after_the_epoch", 0}, {"after_a_newer_epoch", 3}, {"after_epoch_minus_2", -2}}) {
    add(rows, what, {kFirstWithDivergence}, [epoch = epoch](FetchRequest&, FetchRequest::FetchPartition& partition) {
      partition.last_fetched_epoch = epoch;
      partition.fetch_offset = 3;
    });
  }
  add(rows, "after_the_epoch_from_behind_the_end", {kFirstWithDivergence},
      [](FetchRequest&, FetchRequest::FetchPartition& partition) {
        partition.last_fetched_epoch = 0;
        partition.fetch_offset = 20;
      });
}

void add_levels(Rows& rows) {
  add(rows, "read_committed", {},
      [](FetchRequest& request, FetchRequest::FetchPartition&) { request.isolation_level = 1; });
  add(rows, "read_committed_from_the_end", {}, [](FetchRequest& request, FetchRequest::FetchPartition& partition) {
    request.isolation_level = 1;
    partition.fetch_offset = 8;
  });
  add(rows, "of_isolation_2", {},
      [](FetchRequest& request, FetchRequest::FetchPartition&) { request.isolation_level = 2; });
  single(
      rows, "as_a_replica", {},
      [](const Scene& scene, std::int16_t version) {
        FetchRequest request = fetch_of(scene, version, {{kFetched, 0, 0}});
        if (version >= 15) {
          request.replica_state.replica_id = 2;
        } else {
          request.replica_id = 2;
        }
        return request;
      },
      make_fetched);
  add(rows, "with_a_rack", {11},
      [](FetchRequest& request, FetchRequest::FetchPartition&) { request.rack_id = "rack"; });
}

}  // namespace

void make_fetched(Peer& peer) {
  for (const std::string& topic : {kFetched, kOtherFetched}) {
    if (peer.has_topic(topic)) continue;
    peer.make_topic(topic, 2);
    for (std::int32_t p = 0; p < 2; ++p) {
      peer.produce(topic, p, batch_of({"a", "b", "c"}));
      peer.produce(topic, p, batch_of({"d", "e", std::string(400, 'f'), "g", "h"}));
    }
  }
}

FetchRequest fetch_of(const Scene& scene, std::int16_t version, const std::vector<Wanted>& wanted) {
  FetchRequest request;
  request.max_wait_ms = 1;
  request.min_bytes = 1;
  request.max_bytes = 1 << 20;
  for (const Wanted& one : wanted) {
    FetchRequest::FetchTopic topic;
    if (version >= 13) {
      topic.topic_id = scene.peer.topic_id(one.topic);
    } else {
      topic.topic = one.topic;
    }
    const bool goes_on = !request.topics.empty() && request.topics.back().topic == topic.topic &&
                         request.topics.back().topic_id == topic.topic_id;
    if (!goes_on) request.topics.push_back(std::move(topic));
    auto& partition = request.topics.back().partitions.emplace_back();
    partition.partition = one.partition;
    partition.fetch_offset = one.offset;
    partition.partition_max_bytes = 1 << 20;
  }
  return request;
}

void add_fetch_rows(Rows& rows) {
  add_offsets(rows);
  add_limits(rows);
  add_partitions(rows);
  add_epochs(rows);
  add_levels(rows);
}

}  // namespace barnabas::differential
