// InitProducerId, and Produce with producer ids: sequences and epochs.
#include "common/protocol/messages/init_producer_id.h"
#include "common/protocol/messages/produce.h"
#include "tests/differential/batches.h"
#include "tests/differential/row.h"

namespace barnabas::differential {
namespace {

using protocol::InitProducerIdRequest;
using protocol::ProduceRequest;

constexpr std::int16_t kFirstWithEpoch = 3;

InitProducerIdRequest init(std::optional<std::string> transactional_id, std::int32_t timeout_ms,
                           std::int64_t producer_id = -1, std::int16_t epoch = -1) {
  InitProducerIdRequest request;
  request.transactional_id = std::move(transactional_id);
  request.transaction_timeout_ms = timeout_ms;
  request.producer_id = producer_id;
  request.producer_epoch = epoch;
  return request;
}

void add_init(Rows& rows, const std::string& what, Versions versions, const InitProducerIdRequest& request) {
  single(rows, what, versions, [request](const Scene&, std::int16_t) { return request; });
}

/// A batch of a producer: epoch, first sequence number, records.
struct Sent {
  std::int16_t epoch;
  std::int32_t sequence;
  std::size_t records = 1;
};

/// Each batch in a request of its own, of one producer that no other row uses, to a topic of the row's own.
void add_sequence(Rows& rows, const std::string& what, std::int64_t producer_id, const std::vector<Sent>& sent) {
  constexpr std::int16_t kVersions[] = {3, 9, 12, 13};
  for (const std::int16_t version : kVersions) {
    const std::string topic = "sequence-" + std::to_string(version) + "-" + what;
    Row row{row_name(protocol::ApiKey::produce, version, "sequence_" + what), {}, [topic](Peer& peer) {
              peer.make_topic(topic);
            }};
    for (const Sent& one : sent) {
      row.steps.push_back([=](const Scene& scene) {
        ProduceRequest request;
        request.acks = -1;
        request.timeout_ms = 20'000;
        auto& data = request.topic_data.emplace_back();
        if (version < 13) data.name = topic;
        if (version >= 13) data.topic_id = scene.peer.topic_id(topic);
        data.partition_data.emplace_back();
        data.partition_data.back().records = keep(idempotent_batch(producer_id, one.epoch, one.sequence, one.records));
        return frame_of(request, version);
      });
    }
    rows.add(std::move(row));
  }
}

}  // namespace

void add_idempotence_rows(Rows& rows) {
  add_init(rows, "plain", {}, init(std::nullopt, 60'000));
  add_init(rows, "with_a_negative_timeout", {}, init(std::nullopt, -1));
  add_init(rows, "with_the_largest_timeout", {}, init(std::nullopt, INT32_MAX));
  add_init(rows, "with_an_empty_transactional_id", {}, init("", 60'000));
  add_init(rows, "with_an_id_alone", {kFirstWithEpoch}, init(std::nullopt, 60'000, 5, -1));
  add_init(rows, "with_an_epoch_alone", {kFirstWithEpoch}, init(std::nullopt, 60'000, -1, 5));
  add_init(rows, "with_an_id_and_an_epoch", {kFirstWithEpoch}, init(std::nullopt, 60'000, 5, 5));
  add_init(rows, "transactional_with_an_id_alone", {kFirstWithEpoch}, init("t", 60'000, 5, -1));

  add_sequence(rows, "in_order", 500'001, {{0, 0}, {0, 1, 3}, {0, 4}});
  add_sequence(rows, "starts_above_0", 500'002, {{0, 5}, {0, 6}});
  add_sequence(rows, "gap", 500'003, {{0, 0}, {0, 2}, {0, 1}});
  add_sequence(rows, "duplicate_of_the_last", 500'004, {{0, 0, 2}, {0, 0, 2}, {0, 2}});
  add_sequence(rows, "duplicate_of_the_fifth_last", 500'005, {{0, 0}, {0, 1}, {0, 2}, {0, 3}, {0, 4}, {0, 0}});
  add_sequence(rows, "duplicate_of_the_sixth_last", 500'006, {{0, 0}, {0, 1}, {0, 2}, {0, 3}, {0, 4}, {0, 5}, {0, 0}});
  add_sequence(rows, "duplicate_of_another_length", 500'007, {{0, 0, 3}, {0, 0, 2}, {0, 1, 2}});
  add_sequence(rows, "of_an_older_epoch", 500'008, {{3, 0}, {2, 1}, {3, 1}});
  add_sequence(rows, "of_a_newer_epoch_from_0", 500'009, {{3, 0}, {4, 0}, {4, 1}});
  add_sequence(rows, "of_a_newer_epoch_not_from_0", 500'010, {{3, 0}, {4, 1}});
  add_sequence(rows, "wraps_to_0", 500'011, {{0, INT32_MAX}, {0, 0}});
  add_sequence(rows, "wraps_within_a_batch", 500'012, {{0, INT32_MAX - 1, 4}, {0, 2}});
  add_sequence(rows, "negative", 500'013, {{0, -1}});
  add_sequence(rows, "of_a_negative_epoch", 500'014, {{-1, 0}});
}

}  // namespace barnabas::differential
