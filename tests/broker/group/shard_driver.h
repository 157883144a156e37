#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "broker/group/group_shard.h"
#include "common/runtime/virtual_env.h"

namespace barnabas::group {

/// The state machine alone, on a clock and a log that who drives it holds: nothing else is between an event and its
/// answer.
class ShardDriver {
 public:
  explicit ShardDriver(GroupSettings given = {}) : settings(given) { restart(); }

  /// A new machine that knows what the log says.
  void restart() {
    shard = std::make_unique<GroupShard>(settings, env.random(), now);
    for (std::size_t i = 0; i < log.size(); ++i) replay(i, log[i]);
    run([](GroupShard& loaded, Step& step) { loaded.on_loaded(step); });
  }

  /// One event, what it writes, and its answers.
  template <typename Event>
  void run(Event&& event) {
    Step step;
    step.now = now;
    step.wall_ms = wall_ms;
    event(*shard, step);
    finish(step);
  }

  /// Lets that much time pass, from timer to timer, and every one of them do its work when it is due.
  void pass(std::chrono::milliseconds duration) {
    const runtime::MonotonicTime end = now + duration;
    for (;;) {
      for (bool more = true; more;) {
        run([&more](GroupShard& timed, Step& step) { more = timed.on_time(step); });
      }
      const runtime::MonotonicTime next = std::min(shard->next_look(), end);
      if (next <= now) break;
      wall_ms += std::chrono::ceil<std::chrono::milliseconds>(next - now).count();
      now = next;
    }
  }

  /// One record as it is in the log.
  struct LogRecord {
    Bytes key;
    std::optional<Bytes> value;
  };
  static LogRecord written(const CoordinatorRecord& record) {
    RecordEncoder encoder;
    encoder.encode(record);
    const auto copied = [](BytesView bytes) { return Bytes(bytes.begin(), bytes.end()); };
    LogRecord bytes{copied(encoder.key()), std::nullopt};
    if (encoder.value()) bytes.value = copied(*encoder.value());
    return bytes;
  }
  static Result<ParsedRecord> parse(const LogRecord& record) {
    std::optional<BytesView> value;
    if (record.value) value = *record.value;
    return parse_record(record.key, value);
  }

  GroupSettings settings;
  runtime::VirtualEnv env;
  runtime::MonotonicTime now{std::chrono::hours(1)};
  std::int64_t wall_ms = 1'700'000'000'000;
  std::vector<LogRecord> log;
  protocol::ErrorCode append_error = protocol::ErrorCode::none;  // what the next appends come to
  int unreadable_records = 0;                                    // that were in the log and not replayed
  std::unique_ptr<GroupShard> shard;

 private:
  void replay(std::size_t offset, const LogRecord& record) {
    const auto parsed = parse(record);
    if (!parsed) return static_cast<void>(++unreadable_records);
    replay(offset, *parsed);
  }
  template <typename... Kinds>
  void replay(std::size_t offset, const std::variant<Kinds...>& record) {
    std::visit([&](const auto& one) { shard->replay(static_cast<std::int64_t>(offset), -1, one, wall_ms); }, record);
  }
  void finish(Step& step) {
    const protocol::ErrorCode error = step.records.empty() ? protocol::ErrorCode::none : append_error;
    if (error == protocol::ErrorCode::none) {
      for (const CoordinatorRecord& record : step.records) {
        if (step.replays) replay(log.size(), record);
        log.push_back(written(record));
      }
    }
    if (step.settle) std::exchange(step.settle, nullptr)(step, error);
    for (const Answer& answer : step.answers) answer(protocol::ErrorCode::none);
  }
};

}  // namespace barnabas::group
