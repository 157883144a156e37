#pragma once

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "common/protocol/errors.h"
#include "common/runtime/clock.h"

namespace barnabas::coordinator {

/// Takes a request's answer. Called once, by any thread; copies share one request.
template <typename Response>
using Reply = std::function<void(Response)>;

/// An answer on its way: none sends it as it is, any other code in its place. Once only.
using Answer = std::function<void(protocol::ErrorCode)>;

/// Makes an answer say that nothing came of the request.
template <typename Response>
void refuse(Response& response, protocol::ErrorCode error) {
  if constexpr (requires { response.error_code; }) {
    response = Response();
    response.error_code = protocol::code_of(error);
  } else if constexpr (requires { response.results; }) {
    for (auto& result : response.results) result.error_code = protocol::code_of(error);
  } else {
    for (auto& topic : response.topics) {
      for (auto& partition : topic.partitions) partition.error_code = protocol::code_of(error);
    }
  }
}

/// One event on its way through the state machine, and what comes of it: records to append, answers to give.
/// The state changes by replaying `records` once they are in the log, or in `settle`; where the append fails, `settle`
/// sees to it that the answer says so and nothing else has changed. Answers leave when all replicas have the records.
/// Source: Kafka's CoordinatorResult.
template <typename Record>
struct Step {
  runtime::MonotonicTime now;
  std::int64_t wall_ms = 0;

  std::vector<Record> records;
  /// The records change the state by being replayed. Not those of a group's membership, which a running coordinator
  /// holds more of than a record says: they are replayed at a start only.
  bool replays = true;
  /// All records in one batch. Where they have nothing to do with one another it may be more.
  bool is_atomic = true;
  /// Called once the records are in the log (none), or with why they are not. May be empty.
  std::function<void(Step&, protocol::ErrorCode)> settle;
  std::vector<Answer> answers;

  template <typename Response>
  void answer(Reply<Response> reply, Response response) {
    if (!reply) return;
    answers.push_back([to = std::move(reply), answer = std::move(response)](protocol::ErrorCode error) mutable {
      if (error != protocol::ErrorCode::none) refuse(answer, error);
      to(std::move(answer));
    });
  }
};

/// What a client is told when records could not be appended. Source: Kafka's CoordinatorOperationExceptionHelper.
protocol::ErrorCode answer_to_failed_append(protocol::ErrorCode why) noexcept;

}  // namespace barnabas::coordinator
