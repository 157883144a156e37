#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "common/bytes/bytes.h"
#include "common/record/batch_header.h"
#include "tests/simulation/simulation.h"

namespace barnabas::simulation {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// ---- defects in what was observed

/// Five records in one partition, acknowledged and read as they should be.
History sound_history() {
  History history;
  for (int i = 0; i < 5; ++i) {
    Sent sent;
    sent.value = std::to_string(i);
    sent.fate = Fate::acknowledged;
    sent.offset = i;
    sent.callbacks = 1;
    history.sent.push_back(sent);
    history.audited[0].push_back({i, sent.value});
  }
  history.followed = history.audited;
  return history;
}

std::vector<std::string> problems_of(const std::function<void(History&)>& spoil) {
  History history = sound_history();
  spoil(history);
  return check(history, Promises{});
}

/// In what both consumers read.
std::vector<std::string> problems_in_log(const std::function<void(Log&)>& spoil) {
  return problems_of([&spoil](History& history) {
    spoil(history.audited[0]);
    history.followed = history.audited;
  });
}

void renumber(Log& log) {
  for (std::size_t i = 0; i < log.size(); ++i) log[i].offset = static_cast<std::int64_t>(i);
}

TEST(Checker, finds_nothing_in_a_sound_history) {
  EXPECT_THAT(problems_of([](History&) {}), IsEmpty());
}

TEST(Checker, allows_a_failed_record_to_be_stored_once_or_not_at_all) {
  const auto stored = problems_of([](History& history) {
    history.sent[4].fate = Fate::failed;
    history.sent[4].offset = -1;
  });
  EXPECT_THAT(stored, IsEmpty());
  const auto missing = problems_of([](History& history) {
    history.sent[4].fate = Fate::failed;
    history.sent[4].offset = -1;
    history.audited[0].pop_back();
    history.followed[0].pop_back();
  });
  EXPECT_THAT(missing, IsEmpty());
}

TEST(Checker, finds_an_acknowledged_record_that_is_lost) {
  EXPECT_THAT(problems_in_log([](Log& log) { log.pop_back(); }), Contains(HasSubstr("record 4 was acknowledged")));
}

TEST(Checker, finds_a_record_that_is_stored_twice) {
  const auto doubled = problems_in_log([](Log& log) {
    log.push_back(log.back());
    renumber(log);
  });
  EXPECT_THAT(doubled, Contains(HasSubstr("record 4 is twice")));
  const auto failed_and_doubled = problems_of([](History& history) {
    history.sent[4].fate = Fate::failed;
    history.audited[0].push_back({5, "4"});
    history.followed = history.audited;
  });
  EXPECT_THAT(failed_and_doubled, Contains(HasSubstr("record 4 is twice")));
}

TEST(Checker, finds_records_in_another_order_than_that_of_sending) {
  const auto swapped = problems_in_log([](Log& log) {
    std::swap(log[1], log[2]);
    renumber(log);
  });
  EXPECT_THAT(swapped, Contains(HasSubstr("record 1 stands behind record 2")));
}

TEST(Checker, finds_gaps_and_repetitions_of_offsets) {
  EXPECT_THAT(problems_in_log([](Log& log) { log[4].offset = 7; }),
              Contains(HasSubstr("has a gap: offset 7 follows 3")));
  EXPECT_THAT(problems_in_log([](Log& log) { log[4].offset = 3; }),
              Contains(HasSubstr("goes back: offset 3 follows 3")));
}

TEST(Checker, finds_records_that_nobody_sent) {
  EXPECT_THAT(problems_in_log([](Log& log) { log.push_back({5, "x"}); }), Contains(HasSubstr("was never sent")));
  EXPECT_THAT(problems_in_log([](Log& log) { log[2].value += '!'; }), Contains(HasSubstr("was never sent")));
}

TEST(Checker, finds_acknowledgements_with_a_wrong_offset_missing_callbacks_and_readers_that_disagree) {
  EXPECT_THAT(problems_of([](History& history) { history.sent[2].offset = 3; }),
              Contains(HasSubstr("record 2 was acknowledged at offset 3 of partition 0 and stands at 2")));
  EXPECT_THAT(problems_of([](History& history) { history.sent[2].callbacks = 0; }),
              Contains(HasSubstr("its callback was called 0 times")));
  EXPECT_THAT(problems_of([](History& history) { history.sent[2].callbacks = 2; }),
              Contains(HasSubstr("its callback was called 2 times")));
  EXPECT_THAT(problems_of([](History& history) { history.followed[0].pop_back(); }),
              Contains(HasSubstr("the consumer read 4 records, the audit 5")));
}

// ---- defects in the system: the disk says something else after a kill

using Batches = std::vector<Bytes>;  // of one record each

Batches read_batches(const runtime::File& file) {
  Bytes bytes(static_cast<std::size_t>(file.size().value()));
  EXPECT_EQ(file.read_at(bytes, 0).value(), bytes.size());
  Batches batches;
  std::size_t at = 0;
  while (at < bytes.size()) {
    const auto header = record::read_batch_header(BytesView(bytes).subspan(at));
    if (!header) break;
    const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(at);
    batches.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(header->size_bytes()));
    at += header->size_bytes();
  }
  return batches;
}

/// The base offset lies outside the checksum.
void set_base_offset(Bytes& batch, std::int64_t offset) {
  for (std::size_t i = 0; i < 8; ++i) {
    batch[i] = static_cast<std::byte>((static_cast<std::uint64_t>(offset) >> (8 * (7 - i))) & 0xff);
  }
}

/// One partition, one segment, one record a batch, and one kill after many records.
Plan plan_with_one_kill() {
  Plan plan = Plan::from(1);
  plan.partitions = 1;
  plan.topic.clear();
  plan.producer["compression.type"] = "none";
  plan.producer["batch.size"] = "0";
  plan.consumer.clear();
  plan.bursts = 30;
  plan.records_in_burst = 3;
  plan.length = std::chrono::minutes(5);
  plan.faults = {{FaultKind::kill, std::chrono::seconds(120), std::chrono::seconds(5), 0}};
  return plan;
}

std::vector<std::string> problems_after(const std::function<void(Batches&)>& damage) {
  bool done = false;
  Observer observer;
  observer.while_down = [&](runtime::Files& files) {
    if (done) return;
    done = true;
    const auto file = files.open("/data/t-0/00000000000000000000.log", runtime::OpenMode::read_write).value();
    Batches batches = read_batches(*file);
    ASSERT_GT(batches.size(), 3U);
    damage(batches);
    ASSERT_TRUE(file->truncate(0));
    std::uint64_t at = 0;
    for (const Bytes& batch : batches) {
      ASSERT_TRUE(file->write_at(BytesView(batch), at));
      at += batch.size();
    }
  };
  const Outcome outcome = run(plan_with_one_kill(), observer);
  EXPECT_TRUE(done);
  return outcome.problems;
}

TEST(Simulation, passes_a_broker_that_keeps_everything_over_a_kill) {
  EXPECT_THAT(problems_after([](Batches&) {}), IsEmpty());
}

TEST(Simulation, reports_a_broker_that_loses_what_it_acknowledged) {
  EXPECT_THAT(problems_after([](Batches& batches) { batches.pop_back(); }), Contains(HasSubstr("and is lost")));
}

TEST(Simulation, reports_a_broker_that_stores_a_batch_twice) {
  const auto problems = problems_after([](Batches& batches) {
    Bytes again = batches.back();
    set_base_offset(again, static_cast<std::int64_t>(batches.size()));
    batches.push_back(std::move(again));
  });
  EXPECT_THAT(problems, Contains(HasSubstr("is twice in partition 0")));
}

TEST(Simulation, reports_a_broker_that_stores_a_retried_batch_behind_a_later_one) {
  const auto problems = problems_after([](Batches& batches) {
    const std::size_t last = batches.size() - 1;
    std::swap(batches[last], batches[last - 1]);
    set_base_offset(batches[last], static_cast<std::int64_t>(last));
    set_base_offset(batches[last - 1], static_cast<std::int64_t>(last - 1));
  });
  EXPECT_THAT(problems, Contains(HasSubstr("stands behind record")));
}

TEST(Simulation, reports_a_gap_in_the_offsets_after_recovery) {
  const auto problems = problems_after(
      [](Batches& batches) { set_base_offset(batches.back(), static_cast<std::int64_t>(batches.size()) + 4); });
  EXPECT_THAT(problems, Contains(HasSubstr("has a gap")));
}

}  // namespace
}  // namespace barnabas::simulation
