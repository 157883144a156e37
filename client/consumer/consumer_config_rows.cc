#include "client/consumer/consumer_config_rows.h"

namespace barnabas::client {
namespace {

using Type = runtime::ConfigType;
using Status = runtime::ConfigStatus;
using Importance = runtime::ConfigImportance;

// clang-format off
constexpr ConsumerConfigRow kRows[] = {
  {"allow.auto.create.topics", Type::boolean, "true", {}, {}, "", Importance::medium,
   "Whether asking for a topic that does not exist lets the broker create it, where the broker allows that too.",
   Status::acts, ""},
  {"auto.commit.interval.ms", Type::integer, "5000", 0, {}, "", Importance::low,
   "How often offsets are committed in a group.",
   Status::accepted, "No groups yet: nothing is committed."},
  {"auto.offset.reset", Type::string, "latest", {}, {}, "", Importance::medium,
   "Where a partition starts that has no position, or whose position is out of range: earliest, latest, none"
   " (an error), or by_duration:P... (that long ago).",
   Status::acts, ""},
  {"buffer.memory", Type::long_integer, "67108864", 1048576, {}, "", Importance::high,
   "The most bytes that fetched and decompressed batches may take, those included that the caller's Records keep"
   " alive.",
   Status::acts, "Barnabas only: Kafka's consumer has no bound for all its memory."},
  {"check.crcs", Type::boolean, "true", {}, {}, "", Importance::low,
   "Whether the checksum of every batch is verified before its records are returned.",
   Status::acts, ""},
  {"client.rack", Type::string, "", {}, {}, "", Importance::low,
   "Where this consumer is: a broker may then name a nearer replica to fetch from.",
   Status::acts, ""},
  {"default.api.timeout.ms", Type::integer, "60000", 0, {}, "", Importance::medium,
   "How long a blocking call without a timeout of its own may take.",
   Status::acts, ""},
  {"enable.auto.commit", Type::boolean, "true", {}, {}, "", Importance::medium,
   "Whether offsets are committed in the background in a group.",
   Status::accepted, "No groups yet: nothing is committed."},
  {"exclude.internal.topics", Type::boolean, "true", {}, {}, "", Importance::medium,
   "Whether a subscription by pattern leaves internal topics out.",
   Status::accepted, "No subscriptions yet."},
  {"fetch.max.bytes", Type::integer, "52428800", 0, {}, "", Importance::medium,
   "The most bytes one fetch may bring of all its partitions; a first batch that is larger comes all the same.",
   Status::acts, ""},
  {"fetch.max.wait.ms", Type::integer, "500", 0, {}, "", Importance::low,
   "How long the broker may wait for fetch.min.bytes.",
   Status::acts, ""},
  {"fetch.min.bytes", Type::integer, "1", 0, {}, "", Importance::high,
   "The broker answers a fetch when it has that many bytes, or after fetch.max.wait.ms.",
   Status::acts, ""},
  {"group.id", Type::string, nullptr, {}, {}, "", Importance::high,
   "The consumer group.",
   Status::refused,
   "No groups yet: without its commits a restart would read again or skip. Assign partitions instead."},
  {"group.instance.id", Type::string, nullptr, {}, {}, "", Importance::medium,
   "Makes a group member static.",
   Status::refused, "No groups yet."},
  {"group.protocol", Type::string, "classic", {}, {}, "", Importance::high,
   "Which group protocol is spoken.",
   Status::refused, "No groups yet."},
  {"group.remote.assignor", Type::string, nullptr, {}, {}, "", Importance::medium,
   "The assignor on the broker's side.",
   Status::accepted, "No groups yet."},
  {"heartbeat.interval.ms", Type::integer, "3000", {}, {}, "", Importance::high,
   "How often a group member reports.",
   Status::accepted, "No groups yet."},
  {"interceptor.classes", Type::list, "", {}, {}, "", Importance::low,
   "Java classes that see each record.",
   Status::accepted, "Java classes cannot be loaded: pass interceptors in ConsumerOptions."},
  {"internal.throw.on.fetch.stable.offset.unsupported", Type::boolean, "false", {}, {}, "", Importance::low,
   "Internal to Kafka.",
   Status::accepted, "Internal to Kafka's own client."},
  {"isolation.level", Type::string, "read_uncommitted", {}, {}, "read_committed read_uncommitted", Importance::medium,
   "read_committed hides the records of transactions that are open or were aborted; read_uncommitted shows all.",
   Status::acts, ""},
  {"key.deserializer", Type::class_name, nullptr, {}, {}, "", Importance::high,
   "The Java class that reads keys.",
   Status::accepted, "Records are given as bytes in place; not required."},
  {"max.partition.fetch.bytes", Type::integer, "1048576", 0, {}, "", Importance::high,
   "The most bytes a fetch may bring of one partition; a first batch that is larger comes all the same.",
   Status::acts, ""},
  {"max.poll.interval.ms", Type::integer, "300000", 1, {}, "", Importance::medium,
   "How long a group member may stay away from poll.",
   Status::accepted, "No groups yet."},
  {"max.poll.records", Type::integer, "500", 1, {}, "", Importance::medium,
   "The most records that one poll returns.",
   Status::acts, ""},
  {"on.corrupt.batch", Type::string, "fail", {}, {}, "fail skip", Importance::medium,
   "fail: poll reports a batch that cannot be read again and again until the caller seeks past it. skip: it is"
   " logged and left out.",
   Status::acts, "Barnabas only."},
  {"partition.assignment.strategy", Type::list,
   "org.apache.kafka.clients.consumer.RangeAssignor,"
   "org.apache.kafka.clients.consumer.CooperativeStickyAssignor", {}, {}, "", Importance::medium,
   "Who of a group reads what.",
   Status::accepted, "No groups yet."},
  {"session.timeout.ms", Type::integer, "45000", {}, {}, "", Importance::high,
   "When a silent group member is taken for dead.",
   Status::accepted, "No groups yet."},
  {"share.acknowledgement.mode", Type::string, "implicit", {}, {}, "implicit explicit", Importance::medium,
   "Of share groups.",
   Status::accepted, "No share groups yet."},
  {"share.acquire.mode", Type::string, "BATCH_OPTIMIZED", {}, {}, "BATCH_OPTIMIZED RECORD_LIMIT", Importance::medium,
   "Of share groups.",
   Status::accepted, "No share groups yet."},
  {"value.deserializer", Type::class_name, nullptr, {}, {}, "", Importance::high,
   "The Java class that reads values.",
   Status::accepted, "Records are given as bytes in place; not required."},
};
// clang-format on

}  // namespace

std::span<const ConsumerConfigRow> consumer_config_rows() {
  return kRows;
}

}  // namespace barnabas::client
