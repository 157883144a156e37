#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "client/consumer/fetch_session.h"
#include "client/consumer/positions.h"

namespace barnabas::client {

/// What a partition that is ready asks for now.
PartitionFetch fetch_of(const PartitionState& state, std::int32_t max_bytes);

/// Who can be asked for what: of each broker, how many partitions are ready for a fetch, which of them its session has
/// to be told of, and when a partition is to be looked at again. Kept up partition by partition, so that a fetch costs
/// what changed since the last one and not what is assigned. No I/O. Threads: the fetcher's, under the consumer's mutex
/// where states are touched.
class FetchBoard {
 public:
  struct Broker {
    FetchSession session;
    int at_end = 0;  // how many partitions are so
    int more = 0;
    int full = 0;
    std::vector<PartitionState*> unsent;              // seen since the last fetch: the session may know otherwise
    std::vector<TopicPartition> leaving;              // what it must forget, whatever their states say
    std::map<TopicPartition, PartitionState*> alone;  // ready ones that must be asked for one by one

    int ready() const noexcept { return at_end + more; }
    /// A fetch of partitions at their end alone waits at the broker, and with it those that poll makes room for
    /// meanwhile: it is not sent before these can be part of it.
    bool worth_a_fetch() const noexcept { return ready() > 0 && (more > 0 || full == 0); }
  };

  std::map<std::int32_t, Broker>& brokers() noexcept { return brokers_; }
  Broker& at(std::int32_t broker_id) { return brokers_[broker_id]; }

  /// What a partition can be asked for from now on, and of whom (-1: nobody new). It is looked at again at `wake`.
  void stand(PartitionState& state, std::int32_t broker_id, FetchReadiness readiness, runtime::MonotonicTime wake);
  /// Touches those whose time has come.
  void wake(runtime::MonotonicTime now, Positions& positions);
  /// When the next one's comes; max: never.
  runtime::MonotonicTime next_wake() const noexcept;
  /// States have gone (Positions::removals): nothing is kept of them, and the others are looked at anew.
  void rebuild(Positions& positions);
  /// Before a session's fetch: it wants what is ready and forgets the rest, as far as that changed.
  void tell_session(std::int32_t broker_id, std::int32_t max_bytes);

 private:
  void withdraw(PartitionState& state);

  std::map<std::int32_t, Broker> brokers_;
  std::set<std::pair<runtime::MonotonicTime, PartitionState*>> waiting_;
};

}  // namespace barnabas::client
