// Produce: what a broker takes and what it refuses, but idempotence.
#include "common/protocol/messages/produce.h"
#include "common/record/batch_header.h"
#include "tests/differential/batches.h"
#include "tests/differential/row.h"
#include "tests/support/golden.h"

namespace barnabas::differential {
namespace {

using protocol::ProduceRequest;
using protocol::RecordsRef;
using record::BatchOptions;
using record::CompressionType;
namespace position = record::position;

constexpr std::int16_t kFirstWithIds = 13;
constexpr std::string_view kTopic = "produced";

/// Versions where the broker's rules change: records at all, zstd, record errors, flexible, leaders, ids.
constexpr std::int16_t kTelling[] = {3, 6, 7, 8, 9, 10, 12, 13};

ProduceRequest request_to(const Scene& scene, std::int16_t version, const std::string& topic, std::int32_t partition,
                          std::optional<RecordsRef> records, std::int16_t acks = -1) {
  ProduceRequest request;
  request.acks = acks;
  request.timeout_ms = 20'000;
  auto& data = request.topic_data.emplace_back();
  if (version < kFirstWithIds) {
    data.name = topic;
  } else {
    data.topic_id = scene.peer.topic_id(topic);
  }
  auto& one = data.partition_data.emplace_back();
  one.index = partition;
  one.records = records;
  return request;
}

void make_topics(Peer& peer) {
  peer.make_topic(std::string(kTopic), 2);
}

/// One row for each telling version; the batch goes to partition 0 of a topic that all such rows share.
void add(Rows& rows, const std::string& what, const std::optional<RecordsRef>& records, std::int16_t acks = -1) {
  for (const std::int16_t version : kTelling) {
    const auto make = [=](const Scene& scene, std::int16_t v) {
      return request_to(scene, v, std::string(kTopic), 0, records, acks);
    };
    single(rows, what, {version, version}, make, make_topics);
  }
}

void add_taken(Rows& rows) {
  const std::vector<std::string> values{"one", "two", "three", std::string(2000, 'v')};
  single(
      rows, "one_record", {},
      [](const Scene& scene, std::int16_t version) {
        return request_to(scene, version, std::string(kTopic), 1, keep(batch_of({"value"})));
      },
      make_topics);
  single(
      rows, "with_acks_1", {},
      [](const Scene& scene, std::int16_t version) {
        return request_to(scene, version, std::string(kTopic), 1, keep(batch_of({"value"})), 1);
      },
      make_topics);
  for (const auto codec :
       {CompressionType::gzip, CompressionType::snappy, CompressionType::lz4, CompressionType::zstd}) {
    BatchOptions options;
    options.compression = codec;
    add(rows, "compressed_" + std::to_string(static_cast<int>(codec)), keep(batch_of(values, options)));
  }
  add(rows, "of_null_values", keep(batch_of_keys({"a", "b"})));
  BatchOptions stamped;
  stamped.base_offset = 77;
  stamped.partition_leader_epoch = 5;
  add(rows, "with_offsets_of_its_own", keep(batch_of(values, stamped)));
}

/// acks=0 is not answered: what is answered is the request behind it.
void add_silent(Rows& rows, const std::string& what, const RecordsRef& records, std::int16_t acks = 0,
                std::int32_t partition = 1) {
  for (const std::int16_t version : kTelling) {
    const Step step = [=](const Scene& scene) {
      Frame frame = frame_of(request_to(scene, version, std::string(kTopic), partition, records, acks), version);
      const Frame behind =
          frame_of(request_to(scene, version, std::string(kTopic), 1, keep(batch_of({"behind"}))), version);
      frame.bytes = joined(frame.bytes, behind.bytes);
      return frame;
    };
    rows.add({row_name(protocol::ApiKey::produce, version, what), {step}, make_topics});
  }
}

void add_refused_requests(Rows& rows) {
  const RecordsRef good = keep(batch_of({"value"}));
  add(rows, "with_acks_2", good, 2);
  add(rows, "with_acks_minus_2", good, -2);
  add_silent(rows, "with_acks_0", good);
  add_silent(rows, "with_acks_0_of_an_unknown_partition", good, 0, 9);
  add_silent(rows, "with_acks_0_of_a_corrupt_batch", keep(patched(batch_of({"value"}), position::kCrc, "zzzz", false)));
  single(rows, "of_no_topics", {}, [](const Scene&, std::int16_t) {
    ProduceRequest request;
    request.acks = -1;
    return request;
  });
  single(
      rows, "of_an_unknown_partition", {},
      [good](const Scene& scene, std::int16_t version) {
        return request_to(scene, version, std::string(kTopic), 9, good);
      },
      make_topics);
  single(
      rows, "of_a_negative_partition", {},
      [good](const Scene& scene, std::int16_t version) {
        return request_to(scene, version, std::string(kTopic), -1, good);
      },
      make_topics);
  for (const auto& [what, name] : {std::pair{"of_a_missing_topic", "missing"},
                                   {"of_a_bad_name", "a b"},
                                   {"of_an_empty_name", ""},
                                   {"of_the_log_of_metadata", "__cluster_metadata"}}) {
    single(rows, what, {3, 12}, [good, name = std::string(name)](const Scene& scene, std::int16_t version) {
      return request_to(scene, version, name, 0, good);
    });
  }
  for (const auto& [what, id] : {std::pair{"of_an_unknown_id", Uuid(7, 7'000'000)}, {"of_the_zero_id", Uuid()}}) {
    single(
        rows, what, {kFirstWithIds},
        [good, id = id](const Scene& scene, std::int16_t version) {
          ProduceRequest request = request_to(scene, version, std::string(kTopic), 0, good);
          request.topic_data[0].topic_id = id;
          return request;
        },
        make_topics);
  }
  single(
      rows, "of_good_and_bad_partitions", {},
      [good](const Scene& scene, std::int16_t version) {
        ProduceRequest request = request_to(scene, version, std::string(kTopic), 0, good);
        auto& bad = request.topic_data[0].partition_data.emplace_back();
        bad.index = 5;
        bad.records = good;
        return request;
      },
      make_topics);
}

void add_refused_batches(Rows& rows) {
  const Bytes good = batch_of({"value", "and another"});
  add(rows, "of_no_records", RecordsRef{});
  add(rows, "with_a_wrong_checksum", keep(patched(good, position::kCrc, "zzzz", false)));
  add(rows, "with_a_changed_byte", keep(patched(good, 70, "!", false)));
  add(rows, "of_half_a_batch", keep(Bytes(good.begin(), good.begin() + 65)));
  add(rows, "of_half_a_header", keep(Bytes(good.begin(), good.begin() + 30)));
  add(rows, "of_ten_bytes", keep(Bytes(good.begin(), good.begin() + 10)));
  add(rows, "with_a_length_below_a_header",
      keep(patched(good, position::kBatchLength, std::string_view("\0\0\0\x0a", 4), false)));
  add(rows, "with_a_negative_length", keep(patched(good, position::kBatchLength, "\xff\xff\xff\xff", false)));
  add(rows, "of_magic_0", keep(patched(good, position::kMagic, std::string_view("\0", 1), false)));
  add(rows, "of_magic_1", keep(patched(good, position::kMagic, "\x01", false)));
  add(rows, "of_magic_3", keep(patched(good, position::kMagic, "\x03", false)));
  add(rows, "of_codec_5", keep(patched(good, position::kAttributes, std::string_view("\0\x05", 2), true)));
  add(rows, "of_a_codec_it_is_not", keep(patched(good, position::kAttributes, std::string_view("\0\x01", 2), true)));
  add(rows, "of_a_control_batch", keep(patched(good, position::kAttributes, std::string_view("\0\x20", 2), true)));
  add(rows, "with_log_append_time", keep(patched(good, position::kAttributes, std::string_view("\0\x08", 2), true)));
  add(rows, "with_a_count_too_large",
      keep(patched(good, position::kRecordCount, std::string_view("\0\0\0\x07", 4), true)));
  add(rows, "with_a_count_too_small",
      keep(patched(good, position::kRecordCount, std::string_view("\0\0\0\x01", 4), true)));
  add(rows, "with_a_count_of_0", keep(patched(good, position::kRecordCount, std::string_view("\0\0\0\0", 4), true)));
  add(rows, "with_a_negative_count", keep(patched(good, position::kRecordCount, "\xff\xff\xff\xff", true)));
  add(rows, "with_a_last_delta_too_large",
      keep(patched(good, position::kLastOffsetDelta, std::string_view("\0\0\0\x07", 4), true)));
  add(rows, "with_a_record_longer_than_the_batch", keep(patched(good, 61, "\x7e", true)));
  add(rows, "of_two_batches", keep(joined(good, good)));
  add(rows, "of_a_batch_and_a_byte", keep(joined(good, Bytes(1))));
}

/// Apache Kafka fails within itself over these, and never answers.
void add_null_records(Rows& rows) {
  const Step step = [](const Scene& scene) {
    return frame_of(request_to(scene, 9, std::string(kTopic), 0, std::nullopt), 9);
  };
  rows.add({row_name(protocol::ApiKey::produce, 9, "of_null_records"), {step}, make_topics, std::chrono::seconds(1)});
}

/// What Apache Kafka's own classes wrote to be read as record batches, good and bad.
void add_golden_batches(Rows& rows) {
  for (const nlohmann::json& line : testing::golden_lines("records.jsonl")) {
    const std::string group = line["group"];
    if (group != "corrupt" && group != "v2" && group != "foreign" && group != "legacy" && group != "control") continue;
    std::string name = "golden_" + group + "_" + line["name"].get<std::string>();
    for (char& c : name) {
      if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
    }
    const RecordsRef records = keep(testing::from_base64(line["base64"].get<std::string>()));
    single(
        rows, name, {9, 9},
        [records](const Scene& scene, std::int16_t version) {
          return request_to(scene, version, std::string(kTopic), 0, records);
        },
        make_topics);
  }
}

/// The broker's rules that a topic sets.
void add_topic_rules(Rows& rows) {
  const auto to = [&rows](const std::string& what, const std::string& topic, std::map<std::string, std::string> configs,
                          const RecordsRef& records) {
    for (const std::int16_t version : kTelling) {
      single(
          rows, what, {version, version},
          [=](const Scene& scene, std::int16_t v) { return request_to(scene, v, topic, 0, records); },
          [=](Peer& peer) { peer.make_topic(topic, 1, configs); });
    }
  };
  BatchOptions zipped;
  zipped.compression = CompressionType::gzip;
  const std::map<std::string, std::string> small{{"max.message.bytes", "200"}};
  to("of_a_record_that_is_too_large", "produced-small", small, keep(batch_of({std::string(300, 'v')})));
  to("of_a_compressed_record_that_is_not_too_large", "produced-small", small,
     keep(batch_of({std::string(300, 'v')}, zipped)));
  const std::map<std::string, std::string> compacted{{"cleanup.policy", "compact"}};
  record::BatchBuilder keyless;
  for (const std::string_view value : {"a", "b"})
    keyless.append({kFirstTimestampMs, std::nullopt, as_bytes(value), {}});
  const RecordsRef without_keys = keep(keyless.finish().value());
  to("without_key_to_a_compacted_topic", "produced-compacted", compacted, without_keys);
  to("with_key_to_a_compacted_topic", "produced-compacted", compacted, keep(batch_of({"value"})));
  const std::map<std::string, std::string> stamping{{"message.timestamp.type", "LogAppendTime"}};
  to("to_a_topic_of_log_append_time", "produced-stamped", stamping, keep(batch_of({"value"})));
  to("compressed_to_a_topic_of_log_append_time", "produced-stamped", stamping, keep(batch_of({"value"}, zipped)));
  const std::map<std::string, std::string> recent{{"message.timestamp.before.max.ms", "1000"}};
  to("of_a_record_that_is_too_old", "produced-recent", recent, keep(batch_of({"a", "b"})));
  const Bytes future = patched(batch_of({"a"}), position::kBaseTimestamp,
                               std::string_view("\0\x05\0\0\0\0\0\0\0\x05\0\0\0\0\0\0", 16), true);
  to("of_a_record_of_the_far_future", "produced-small", small, keep(future));
  to("to_a_topic_that_compresses", "produced-zstd", {{"compression.type", "zstd"}}, keep(batch_of({"value", "value"})));
}

void add_transactional(Rows& rows) {
  BatchOptions options;
  options.producer_id = 1'000'000;
  options.producer_epoch = 0;
  options.base_sequence = 0;
  options.transactional = true;
  const RecordsRef records = keep(batch_of({"value"}, options));
  const auto with_id = [records](const Scene& scene, std::int16_t version) {
    ProduceRequest request = request_to(scene, version, std::string(kTopic), 0, records);
    request.transactional_id = "transaction";
    return request;
  };
  single(rows, "with_a_transactional_id", {}, with_id, make_topics);
  add(rows, "of_a_transactional_batch_without_id", records);
}

}  // namespace

void add_produce_rows(Rows& rows) {
  add_taken(rows);
  add_refused_requests(rows);
  add_refused_batches(rows);
  add_null_records(rows);
  add_golden_batches(rows);
  add_topic_rules(rows);
  add_transactional(rows);
}

}  // namespace barnabas::differential
