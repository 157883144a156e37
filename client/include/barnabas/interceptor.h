#pragma once

#include "barnabas/delivery.h"
#include "barnabas/record.h"
#include "barnabas/records.h"

namespace barnabas {
inline namespace v0 {

/// Sees every record before it is partitioned, and what became of it. Interceptors run in the order given.
/// Threads: on_send in the caller's thread, from several at a time; on_delivery where delivery callbacks run, before
/// them, and for a record that was not even taken in the thread where that turned out. Errors: must not throw.
class ProducerInterceptor {
 public:
  virtual ~ProducerInterceptor() = default;
  /// May point the record's views elsewhere; what they point to must live until on_send of the next record in this
  /// thread.
  virtual void on_send(Record& record) noexcept = 0;
  virtual void on_delivery(const Delivery& delivery) noexcept { static_cast<void>(delivery); }
};

/// Sees what poll is about to return.
/// Threads: the one that calls poll.  Errors: must not throw.
class ConsumerInterceptor {
 public:
  virtual ~ConsumerInterceptor() = default;
  virtual void on_records(const Records& records) noexcept = 0;
};

}  // namespace v0
}  // namespace barnabas
