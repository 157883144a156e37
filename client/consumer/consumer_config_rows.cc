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
   "How often poll commits in the background, with enable.auto.commit.",
   Status::acts, ""},
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
   "Whether poll commits what earlier polls returned: every auto.commit.interval.ms, before partitions go to others,"
   " and in close().",
   Status::acts, "The destructor commits nothing: it may run because of an exception, amid what poll returned."},
  {"exclude.internal.topics", Type::boolean, "true", {}, {}, "", Importance::medium,
   "Whether a subscription by pattern leaves internal topics out.",
   Status::acts, ""},
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
   "The consumer group: consumers that subscribe with the same one share the partitions, and find what was committed"
   " in its name.",
   Status::acts, ""},
  {"group.instance.id", Type::string, nullptr, {}, {}, "", Importance::medium,
   "Makes a group member static: one that is back within session.timeout.ms finds its partitions as they were. Of two"
   " with the same one, the older is fenced.",
   Status::acts, ""},
  {"group.protocol", Type::string, "classic", {}, {}, "", Importance::high,
   "Which group protocol is spoken.",
   Status::refused, "The classic one only, so far."},
  {"group.remote.assignor", Type::string, nullptr, {}, {}, "", Importance::medium,
   "The assignor on the broker's side.",
   Status::accepted, "Belongs to group.protocol=consumer, which is not spoken yet."},
  {"heartbeat.interval.ms", Type::integer, "3000", 1, {}, "", Importance::high,
   "How often a group member tells the coordinator that it lives, and hears of rebalances; less than"
   " session.timeout.ms, usually a third.",
   Status::acts, "Sent by the client's own thread, whatever the application does."},
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
   "How long a group member may stay away from poll before it leaves; also how long the group waits for it in a"
   " rebalance.",
   Status::acts, "A poll that is under way is no absence, however long it waits."},
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
   "Who of a group reads what, best first: range, roundrobin, sticky, cooperative-sticky, or Kafka's class names.",
   Status::acts, "An assignor of your own goes into ConsumerOptions."},
  {"session.timeout.ms", Type::integer, "45000", 1, {}, "", Importance::high,
   "When a silent group member is taken for dead, and its partitions go to others.",
   Status::acts, ""},
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
