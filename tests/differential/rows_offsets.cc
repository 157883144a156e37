// ListOffsets and OffsetForLeaderEpoch.
#include "common/protocol/messages/list_offsets.h"
#include "common/protocol/messages/offset_for_leader_epoch.h"
#include "tests/differential/batches.h"
#include "tests/differential/row.h"

namespace barnabas::differential {
namespace {

using protocol::ListOffsetsRequest;
using protocol::OffsetForLeaderEpochRequest;

const std::string kListed = "listed";

/// Eight records a second apart in two batches, the first compressed; partition 1 is empty.
void make_listed(Peer& peer) {
  if (peer.has_topic(kListed)) return;
  peer.make_topic(kListed, 2);
  record::BatchOptions zipped;
  zipped.compression = record::CompressionType::gzip;
  peer.produce(kListed, 0, batch_of({"a", "b", "c"}, zipped));
  peer.produce(kListed, 0, batch_of({"d", "e", "f", "g", "h"}));
}

ListOffsetsRequest list(std::int64_t timestamp, const std::string& topic = kListed, std::int32_t partition = 0,
                        std::int32_t epoch = -1) {
  ListOffsetsRequest request;
  request.replica_id = -1;
  auto& asked = request.topics.emplace_back();
  asked.name = topic;
  auto& one = asked.partitions.emplace_back();
  one.partition_index = partition;
  one.timestamp = timestamp;
  one.current_leader_epoch = epoch;
  return request;
}

void add(Rows& rows, const std::string& what, const ListOffsetsRequest& request, Versions versions = {}) {
  single(
      rows, what, versions, [request](const Scene&, std::int16_t) { return request; }, make_listed);
}

void add_list_offsets(Rows& rows) {
  for (const auto& [what, time] : {std::pair{"of_the_end", -1},
                                   {"of_the_start", -2},
                                   {"of_the_largest_timestamp", -3},
                                   {"of_the_local_start", -4},
                                   {"of_the_tiered_end", -5},
                                   {"of_the_pending_upload", -6},
                                   {"of_minus_7", -7},
                                   {"of_timestamp_0", 0}}) {
    add(rows, what, list(time));
    add(rows, std::string(what) + "_of_an_empty_partition", list(time, kListed, 1));
  }
  add(rows, "of_the_first_timestamp", list(kFirstTimestampMs));
  add(rows, "of_a_timestamp_between", list(kFirstTimestampMs + 1'500));
  add(rows, "of_a_timestamp_in_both_batches", list(kFirstTimestampMs + 2'000));
  add(rows, "of_the_last_timestamp", list(kFirstTimestampMs + 4'000));
  add(rows, "of_a_timestamp_behind_all", list(kFirstTimestampMs + 4'001));
  add(rows, "of_an_unknown_partition", list(-1, kListed, 9));
  add(rows, "of_a_negative_partition", list(-1, kListed, -1));
  add(rows, "of_a_missing_topic", list(-1, "missing"));
  add(rows, "of_a_bad_name", list(-1, "a b"));
  add(rows, "of_an_empty_name", list(-1, ""));
  add(rows, "of_the_current_epoch", list(-1, kListed, 0, 0), {4});
  add(rows, "of_a_newer_epoch", list(-1, kListed, 0, 3), {4});
  add(rows, "of_epoch_minus_2", list(-1, kListed, 0, -2), {4});
  add(rows, "of_nothing", [] {
    ListOffsetsRequest request;
    request.replica_id = -1;
    return request;
  }());
  ListOffsetsRequest committed = list(-1);
  committed.isolation_level = 1;
  add(rows, "of_the_stable_end", committed, {2});
  committed.isolation_level = 2;
  add(rows, "of_isolation_2", committed, {2});
  ListOffsetsRequest twice = list(-1);
  twice.topics[0].partitions.push_back(twice.topics[0].partitions[0]);
  add(rows, "of_a_partition_twice", twice);
  ListOffsetsRequest replica = list(-1);
  replica.replica_id = 2;
  add(rows, "as_a_replica", replica);
  replica.replica_id = -2;
  add(rows, "as_a_debugger", replica);
  ListOffsetsRequest many = list(-1);
  many.topics.push_back(list(-2, "missing").topics[0]);
  add(rows, "of_good_and_bad_topics", many);
}

OffsetForLeaderEpochRequest epoch_of(std::int32_t epoch, std::int32_t current = -1, const std::string& topic = kListed,
                                     std::int32_t partition = 0) {
  OffsetForLeaderEpochRequest request;
  auto& asked = request.topics.emplace_back();
  asked.topic = topic;
  auto& one = asked.partitions.emplace_back();
  one.partition = partition;
  one.leader_epoch = epoch;
  one.current_leader_epoch = current;
  return request;
}

void add(Rows& rows, const std::string& what, const OffsetForLeaderEpochRequest& request) {
  single(
      rows, what, {},
      [request](const Scene&, std::int16_t version) {
        OffsetForLeaderEpochRequest mine = request;
        mine.replica_id = version >= 3 ? -1 : mine.replica_id;
        return mine;
      },
      make_listed);
}

void add_epochs(Rows& rows) {
  add(rows, "of_epoch_0", epoch_of(0));
  add(rows, "of_epoch_0_of_an_empty_partition", epoch_of(0, -1, kListed, 1));
  add(rows, "of_epoch_1", epoch_of(1));
  add(rows, "of_epoch_minus_1", epoch_of(-1));
  add(rows, "of_epoch_minus_2", epoch_of(-2));
  add(rows, "in_the_current_epoch", epoch_of(0, 0));
  add(rows, "in_a_newer_epoch", epoch_of(0, 1));
  add(rows, "in_epoch_minus_2", epoch_of(0, -2));
  add(rows, "of_an_unknown_partition", epoch_of(0, -1, kListed, 9));
  add(rows, "of_a_missing_topic", epoch_of(0, -1, "missing"));
  add(rows, "of_an_empty_name", epoch_of(0, -1, ""));
  add(rows, "of_nothing", OffsetForLeaderEpochRequest());
  OffsetForLeaderEpochRequest twice = epoch_of(0);
  twice.topics[0].partitions.push_back(twice.topics[0].partitions[0]);
  add(rows, "of_a_partition_twice", twice);
  OffsetForLeaderEpochRequest many = epoch_of(0);
  many.topics.push_back(epoch_of(0, -1, "missing").topics[0]);
  add(rows, "of_good_and_bad_topics", many);
}

}  // namespace

void add_offset_rows(Rows& rows) {
  add_list_offsets(rows);
  add_epochs(rows);
}

}  // namespace barnabas::differential
