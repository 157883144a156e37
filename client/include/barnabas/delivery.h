#pragma once

#include <cstdint>
#include <string>
#include <system_error>

#include "barnabas/inline_function.h"
#include "barnabas/record.h"

namespace barnabas {
inline namespace v0 {

/// What became of one record: where it is stored, or why it is not.
/// In a callback: valid until the callback returns (one object serves all records of a batch). Copy it to keep it.
struct Delivery {
  std::error_code error;  ///< Empty: stored as `acks` demands.
  std::string context;  ///< With an error: a sentence that names topic, partition, broker, attempts and the last cause.
  std::string topic;
  std::int32_t partition = -1;  ///< -1: none was chosen yet.
  std::int64_t offset = -1;     ///< -1: not known (acks=0, or a duplicate that an old broker no longer remembers).
  Timestamp timestamp{};        ///< The record's own, or the broker's with message.timestamp.type=LogAppendTime.

  bool ok() const noexcept { return !error; }
};

/// Room for a callback's captures beside the record's batch.
/// Units: bytes.
inline constexpr std::size_t kDeliveryCallbackBytes = 48;

/// Called once per record, in order within a partition, on the client's reactor thread or the user's executor: be
/// quick. One that runs for more than 50 ms is counted in metrics() and logged once. It must not throw, and must not
/// block on the same producer (such a call fails with Errc::would_deadlock).
using DeliveryCallback = InlineFunction<void(const Delivery&), kDeliveryCallbackBytes>;

/// What became of records of one send_batch() that lie next to each other in the call and in their partition: the
/// records `first` to `first + count - 1` of the call.
/// In a callback: valid until the callback returns.
struct BatchDelivery {
  std::error_code error;  ///< Empty: all of them are stored as `acks` demands; else none is known to be.
  std::string context;    ///< As in Delivery.
  std::size_t first = 0;  ///< Which record of the call, from 0.
  std::size_t count = 0;  ///< At least 1.
  std::string topic;
  std::int32_t partition = -1;
  std::int64_t base_offset = -1;  ///< Of `first`; the others follow without a gap. -1: not known, as in Delivery.
  Timestamp timestamp{};  ///< The broker's with message.timestamp.type=LogAppendTime, else that of all records of the
                          ///< call that had none of their own.

  bool ok() const noexcept { return !error; }
};

/// Called for all records of a send_batch(), each in exactly one of the calls; of one partition in order. The same
/// rules as for DeliveryCallback.
using BatchDeliveryCallback = InlineFunction<void(const BatchDelivery&), kDeliveryCallbackBytes>;

}  // namespace v0
}  // namespace barnabas
