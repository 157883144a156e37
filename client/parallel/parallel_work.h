#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "barnabas/parallel_consumer.h"
#include "barnabas/records.h"
#include "barnabas/topic_partition.h"
#include "client/parallel/unfinished_offsets.h"

namespace barnabas::client {

/// What a ParallelConsumer has polled and not finished. Records stand in lanes: those of one lane are processed one
/// after the other, in order; lanes side by side. A partition has one lane (ProcessingOrder::partition), or as many as
/// keys are spread over (ProcessingOrder::key). No thread and no I/O of its own: who calls runs what is ready. Threads:
/// any; one lock, held for a handful of records at a time.
class ParallelWork {
 public:
  struct Partition;

  struct Task {
    RecordView record;
    std::uint64_t number = 0;
    std::shared_ptr<const Records> owner;  ///< Keeps the record's bytes.
  };
  struct Lane {
    std::deque<Task> waiting;
    bool is_scheduled = false;  ///< Somebody has been told to run it.
  };
  /// A lane, and what keeps it alive.
  struct LaneRef {
    std::shared_ptr<Partition> partition;
    Lane* lane = nullptr;
  };

  struct Limits {
    ProcessingOrder order = ProcessingOrder::key;
    std::size_t max_unfinished = 1000;  ///< Records of a partition; above it, crowded() names it.
  };
  explicit ParallelWork(Limits limits) : limits_(limits) {}

  /// Takes what was polled; returns the lanes that somebody must run now.
  std::vector<LaneRef> add(Records records);

  /// The next few records of a lane; none where its partition was stopped meanwhile.
  std::vector<Task> take(const LaneRef& lane);
  struct PutBack {
    bool is_ready = false;     ///< The lane must be run again.
    bool is_relieved = false;  ///< pressure() has something to resume now.
  };
  /// The first `finished` of what take() returned are done. Where that is less than all, the lane stands still for
  /// good.
  PutBack put_back(const LaneRef& lane, const std::vector<Task>& taken, std::size_t finished);
  /// Whether what take() returned is wanted no more. Takes no lock.
  static bool is_stopped(const LaneRef& lane) noexcept;

  /// Partitions with more unfinished records than the limit since the last call, and those that were and have come down
  /// to half of it: to pause, and to resume.
  struct Pressure {
    std::vector<TopicPartition> pause;
    std::vector<TopicPartition> resume;
  };
  Pressure pressure();

  /// What may be committed and was not returned yet.
  std::map<TopicPartition, UnfinishedOffsets::Mark> take_marks();
  /// A commit of these failed: they are to be returned again, unless later ones are there.
  void give_back(const std::map<TopicPartition, UnfinishedOffsets::Mark>& marks);

  /// Drops what waits of these partitions, or of all, and what comes of them from now on; what runs goes on. Their
  /// marks stay until forget().
  void stop(const std::vector<TopicPartition>& partitions);
  void stop_all();
  /// Whether a record of these partitions (or of any) is being processed.
  bool is_running(const std::vector<TopicPartition>& partitions) const;
  bool is_running() const;
  /// These partitions belong to others now.
  void forget(const std::vector<TopicPartition>& partitions);

 private:
  bool is_relieved(const Partition& partition) const noexcept;
  std::shared_ptr<Partition> find_or_add(const RecordView& record);
  static Lane& lane_of(Partition& partition, const RecordView& record);

  const Limits limits_;
  mutable std::mutex mutex_;
  std::map<TopicPartition, std::shared_ptr<Partition>> partitions_;
};

struct ParallelWork::Partition {
  TopicPartition id;
  std::vector<Lane> lanes;
  UnfinishedOffsets offsets;
  std::optional<UnfinishedOffsets::Mark> taken_mark;
  std::size_t running = 0;  // records
  std::atomic<bool> is_stopped{false};
  bool is_paused = false;

  void stop();
};

}  // namespace barnabas::client
