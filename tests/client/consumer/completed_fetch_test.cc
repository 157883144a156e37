#include "client/consumer/completed_fetch.h"

#include <gtest/gtest.h>

#include "common/record/batch_builder.h"
#include "common/record/control_record.h"
#include "tests/support/golden.h"

namespace barnabas::client {
namespace {

using record::BatchOptions;
using record::CompressionType;

constexpr std::size_t kAll = 1000000;

Bytes batch_of(BatchOptions options, const std::vector<std::string>& values) {
  record::BatchBuilder builder(options);
  std::int64_t time = 1000;
  for (const std::string& value : values) {
    record::RecordInput input;
    input.timestamp_ms = time++;
    input.key = as_bytes("k");
    input.value = as_bytes(value);
    builder.append(input);
  }
  return *builder.finish();
}

Bytes join(const std::vector<Bytes>& parts) {
  Bytes all;
  for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

BatchOptions starting_at(std::int64_t offset, CompressionType compression = CompressionType::none) {
  BatchOptions options;
  options.base_offset = offset;
  options.partition_leader_epoch = 4;
  options.compression = compression;
  return options;
}

class CompletedFetchTest : public ::testing::Test {
 protected:
  CompletedFetch fetch_of(Bytes records, CollectOptions options = {}, std::vector<AbortedTransaction> aborted = {}) {
    const auto owner = std::make_shared<const Bytes>(std::move(records));
    return {{3, topic, owner, *owner, std::move(aborted)}, options};
  }
  /// Values of what the next collect() gives.
  std::vector<std::string> values(CompletedFetch& fetch, std::size_t most = kAll) {
    std::vector<RecordRun> runs;
    const auto got = fetch.collect(position, most, *buffers, runs);
    failure = got ? Failure{} : got.error();
    std::vector<std::string> found;
    last = Records(std::move(runs));
    for (const RecordView& record : last) found.emplace_back(record.value().value_or("null"));
    return found;
  }

  std::shared_ptr<const std::string> topic = std::make_shared<const std::string>("orders");
  std::shared_ptr<MemoryBudget> budget = std::make_shared<MemoryBudget>(1024 * 1024);
  std::shared_ptr<BufferPool> buffers = std::make_shared<BufferPool>(budget);
  Position position{0, -1};
  Failure failure;
  Records last;
};

using Values = std::vector<std::string>;

TEST_F(CompletedFetchTest, gives_records_in_place_with_all_their_fields) {
  auto fetch = fetch_of(batch_of(starting_at(0), {"a", "b"}));
  EXPECT_EQ(values(fetch), (Values{"a", "b"}));
  const RecordView first = *last.begin();
  EXPECT_EQ(first.topic(), "orders");
  EXPECT_EQ(first.partition(), 3);
  EXPECT_EQ(first.offset(), 0);
  EXPECT_EQ(first.leader_epoch(), 4);
  EXPECT_EQ(first.timestamp().time_since_epoch().count(), 1000);
  EXPECT_EQ(*first.key(), "k");
  EXPECT_TRUE(fetch.done());
  EXPECT_EQ(position, (Position{2, 4}));
}

TEST_F(CompletedFetchTest, the_bytes_live_as_long_as_the_records) {
  std::weak_ptr<const void> watched;
  {
    const auto owner = std::make_shared<const Bytes>(batch_of(starting_at(0), {"a"}));
    watched = owner;
    CompletedFetch fetch({3, topic, owner, *owner, {}}, {});
    EXPECT_EQ(values(fetch), Values{"a"});
  }
  EXPECT_FALSE(watched.expired());
  EXPECT_EQ(*last.begin()->value(), "a");
  last = Records();
  EXPECT_TRUE(watched.expired());
}

TEST_F(CompletedFetchTest, reads_every_codec_and_counts_decompressed_bytes_against_the_budget) {
  for (const auto codec :
       {CompressionType::gzip, CompressionType::snappy, CompressionType::lz4, CompressionType::zstd}) {
    position = {0, -1};
    auto fetch = fetch_of(batch_of(starting_at(0, codec), {std::string(5000, 'x'), "b"}));
    EXPECT_TRUE(fetch.starts_compressed());
    EXPECT_EQ(values(fetch), (Values{std::string(5000, 'x'), "b"})) << record::to_string(codec);
    EXPECT_GE(budget->used_bytes(), 5000U);
    last = Records();
    EXPECT_EQ(budget->used_bytes(), buffers->idle_bytes());
  }
}

TEST_F(CompletedFetchTest, stops_at_the_number_asked_for_and_goes_on_inside_the_batch) {
  auto fetch = fetch_of(
      join({batch_of(starting_at(0, CompressionType::zstd), {"a", "b", "c"}), batch_of(starting_at(3), {"d"})}));
  EXPECT_EQ(values(fetch, 2), (Values{"a", "b"}));
  EXPECT_EQ(position.offset, 2);
  EXPECT_EQ(values(fetch, 2), (Values{"c", "d"}));
  EXPECT_EQ(last.runs().size(), 2U);
  EXPECT_TRUE(values(fetch).empty());
  EXPECT_TRUE(fetch.done());
}

TEST_F(CompletedFetchTest, starts_inside_a_batch) {
  position = {1, -1};
  auto fetch = fetch_of(batch_of(starting_at(0), {"a", "b", "c"}));
  EXPECT_EQ(values(fetch), (Values{"b", "c"}));
  EXPECT_EQ(last.begin()->offset(), 1);
}

TEST_F(CompletedFetchTest, an_incomplete_batch_at_the_end_is_left_for_the_next_fetch) {
  auto bytes = join({batch_of(starting_at(0), {"a"}), batch_of(starting_at(1), {"b"})});
  bytes.resize(bytes.size() - 3);
  auto fetch = fetch_of(bytes);
  EXPECT_EQ(values(fetch), Values{"a"});
  EXPECT_TRUE(fetch.done());
  EXPECT_EQ(position.offset, 1);
  EXPECT_EQ(position_after(bytes)->offset, 1);
}

TEST_F(CompletedFetchTest, nothing_but_an_incomplete_batch_is_an_error) {
  auto bytes = batch_of(starting_at(0), {"a"});
  bytes.pop_back();
  auto fetch = fetch_of(bytes);
  EXPECT_TRUE(values(fetch).empty());
  EXPECT_TRUE(failure.code);
  EXPECT_FALSE(position_after(bytes));
}

TEST_F(CompletedFetchTest, a_corrupt_batch_is_an_error_with_partition_and_offset_again_and_again) {
  auto bad = batch_of(starting_at(1), {"b"});
  bad.back() ^= std::byte{0xff};
  auto fetch = fetch_of(join({batch_of(starting_at(0), {"a"}), bad, batch_of(starting_at(2), {"c"})}));
  EXPECT_EQ(values(fetch), Values{"a"});
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(values(fetch).empty());
    ASSERT_TRUE(failure.code);
    EXPECT_NE(failure.subject.find("orders-3 at offset 1"), std::string::npos) << failure.subject;
    EXPECT_FALSE(fetch.done());
    EXPECT_EQ(position.offset, 1);
  }
  fetch.skip_batch(position);
  EXPECT_EQ(position.offset, 2);
  EXPECT_EQ(values(fetch), Values{"c"});
}

TEST_F(CompletedFetchTest, a_corrupt_last_batch_is_not_forgotten) {
  auto bad = batch_of(starting_at(0), {"b"});
  bad.back() ^= std::byte{0xff};
  auto fetch = fetch_of(bad);
  EXPECT_TRUE(values(fetch).empty());
  EXPECT_FALSE(fetch.done());
  fetch.skip_batch(position);
  EXPECT_EQ(position.offset, 1);
  EXPECT_TRUE(fetch.done());
}

TEST_F(CompletedFetchTest, a_bad_batch_at_the_end_is_left_out_as_a_whole_where_its_header_can_be_believed) {
  Bytes bad = batch_of(starting_at(10), {"a", "b", "c"});
  bad.back() ^= std::byte{1};
  position = {11, -1};
  auto fetch = fetch_of(bad);
  EXPECT_EQ(values(fetch), Values{});
  EXPECT_EQ(fetch.offset_behind_failure(position), 13);
  EXPECT_NE(failure.subject.find("orders-3 at offset 11"), std::string::npos) << failure.subject;
  EXPECT_NE(failure.subject.find("seek to 13"), std::string::npos) << failure.subject;
  constexpr std::size_t kLastOffsetDeltaAt = 23;
  bad[kLastOffsetDeltaAt] = std::byte{0x7f};  // two thousand million records further on
  auto lying = fetch_of(bad);
  EXPECT_EQ(values(lying), Values{});
  EXPECT_EQ(lying.offset_behind_failure(position), 12);
}

TEST_F(CompletedFetchTest, message_sets_from_before_record_batches_are_named_and_can_be_left_out) {
  Bytes old = batch_of(starting_at(0), {"old"});
  constexpr std::size_t kMagicAt = 16;
  old[kMagicAt] = std::byte{1};
  auto fetch = fetch_of(join({old, batch_of(starting_at(1), {"new"})}));
  EXPECT_EQ(values(fetch), Values{});
  EXPECT_NE(failure.subject.find("orders-3 at offset 0"), std::string::npos) << failure.subject;
  EXPECT_NE(failure.subject.find("old format 1"), std::string::npos) << failure.subject;
  fetch.skip_batch(position);
  EXPECT_EQ(values(fetch), Values{"new"});
}

TEST_F(CompletedFetchTest, without_check_crcs_a_wrong_checksum_passes) {
  auto bad = batch_of(starting_at(0), {"b"});
  bad[record::position::kCrc] ^= std::byte{0xff};
  auto fetch = fetch_of(bad, {.check_crcs = false});
  EXPECT_EQ(values(fetch), Values{"b"});
}

TEST_F(CompletedFetchTest, a_header_without_records_and_control_batches_move_the_position) {
  record::BatchBuilder header_only(starting_at(0));
  header_only.set_last_offset_delta(4);
  const auto marker = record::end_txn_marker_batch(record::ControlRecordType::commit, 1, 9, 0, 0, 5, 4);
  auto fetch = fetch_of(join({*header_only.finish(), *marker, batch_of(starting_at(6), {"x"})}));
  EXPECT_EQ(values(fetch), Values{"x"});
  EXPECT_EQ(last.begin()->offset(), 6);
  EXPECT_EQ(position.offset, 7);

  position = {0, -1};
  record::BatchBuilder alone(starting_at(0));
  alone.set_last_offset_delta(4);
  auto nothing = fetch_of(*alone.finish());
  EXPECT_TRUE(values(nothing).empty());
  EXPECT_FALSE(failure.code);
  EXPECT_EQ(position.offset, 5);
  EXPECT_TRUE(nothing.done());
}

Bytes transactional(std::int64_t offset, std::int64_t producer_id, const Values& records) {
  auto options = starting_at(offset);
  options.producer_id = producer_id;
  options.producer_epoch = 0;
  options.base_sequence = 0;
  options.transactional = true;
  return batch_of(options, records);
}

TEST_F(CompletedFetchTest, read_committed_hides_what_was_aborted_and_nothing_else) {
  using record::ControlRecordType;
  const auto bytes = join({transactional(0, 7, {"aborted"}), transactional(1, 8, {"committed"}),
                           *record::end_txn_marker_batch(ControlRecordType::abort, 1, 7, 0, 0, 2, 4),
                           *record::end_txn_marker_batch(ControlRecordType::commit, 1, 8, 0, 0, 3, 4),
                           transactional(4, 7, {"later"}), batch_of(starting_at(5), {"plain"})});
  auto fetch = fetch_of(bytes, {.read_committed = true}, {{7, 0}});
  EXPECT_EQ(values(fetch), (Values{"committed", "later", "plain"}));
  position = {0, -1};
  auto all = fetch_of(bytes);
  EXPECT_EQ(values(all), (Values{"aborted", "committed", "later", "plain"}));
}

TEST_F(CompletedFetchTest, a_batch_beyond_the_budget_fails_and_names_the_setting) {
  budget = std::make_shared<MemoryBudget>(1000);
  buffers = std::make_shared<BufferPool>(budget);
  auto fetch = fetch_of(batch_of(starting_at(0, CompressionType::zstd), {std::string(100'000, 'x')}));
  EXPECT_TRUE(values(fetch).empty());
  EXPECT_EQ(failure.code, Errc::buffer_full);
  EXPECT_NE(failure.subject.find("buffer.memory=1000"), std::string::npos) << failure.subject;
  EXPECT_NE(failure.subject.find("orders-3 at offset 0"), std::string::npos) << failure.subject;
}

TEST_F(CompletedFetchTest, gives_what_kafka_reads_of_its_golden_batches) {
  int read = 0;
  for (const auto& line : barnabas::testing::golden_lines("records.jsonl")) {
    if (line.at("group") != "v2") continue;
    SCOPED_TRACE(line.at("name").get<std::string>());
    position = {0, -1};
    std::size_t expected = 0;
    std::int64_t next = 0;
    for (const auto& batch : line.at("batches")) {
      if (!batch.value("isControl", false)) expected += batch.at("records").size();
      next = batch.at("lastOffset").get<std::int64_t>() + 1;
    }
    auto fetch = fetch_of(barnabas::testing::from_base64(line.at("base64").get<std::string>()));
    budget = std::make_shared<MemoryBudget>(64 * 1024 * 1024);
    buffers = std::make_shared<BufferPool>(budget);
    const auto found = values(fetch);
    EXPECT_FALSE(failure.code) << failure.message();
    EXPECT_EQ(last.size(), expected);
    EXPECT_EQ(position.offset, next);
    ++read;
  }
  EXPECT_GT(read, 20);
}

TEST_F(CompletedFetchTest, finds_records_behind_one_whose_length_takes_more_bytes_than_it_needs) {
  Bytes bytes = batch_of(starting_at(0), {"a", "b", "c"});
  const auto length = bytes.begin() + record::kBatchHeaderBytes;
  *length |= std::byte{0x80};  // the same number with two more bytes, as Java reads it too
  bytes.insert(length + 1, {std::byte{0x80}, std::byte{0x00}});
  auto header = *record::read_batch_header(bytes);
  header.batch_length += 2;
  record::write_batch_header(bytes, header);
  header.crc = record::compute_batch_crc(bytes);
  record::write_batch_header(bytes, header);
  auto fetch = fetch_of(std::move(bytes));
  EXPECT_EQ(values(fetch, 1), Values{"a"});
  EXPECT_EQ(values(fetch), (Values{"b", "c"}));
}

TEST_F(CompletedFetchTest, never_crashes_on_kafkas_corrupt_batches) {
  for (const auto& line : barnabas::testing::golden_lines("records.jsonl")) {
    if (line.at("group") != "corrupt") continue;
    SCOPED_TRACE(line.at("name").get<std::string>());
    auto fetch = fetch_of(barnabas::testing::from_base64(line.at("base64").get<std::string>()));
    position = {0, -1};
    for (int i = 0; i < 10 && !fetch.done(); ++i) {
      values(fetch);
      if (failure.code) fetch.skip_batch(position);
    }
    EXPECT_TRUE(fetch.done());
  }
}

}  // namespace
}  // namespace barnabas::client
