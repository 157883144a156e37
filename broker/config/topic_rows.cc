#include "broker/config/setting_rows.h"

namespace barnabas::config {
namespace {

using Type = runtime::ConfigType;
using Importance = runtime::ConfigImportance;
constexpr Access kDynamic = Access::dynamic;
constexpr Access kInternal = Access::internal;

const SettingRow kRows[] = {
    {"cleanup.policy", Type::list, "delete", "[compact, delete]", Importance::medium, kDynamic, Why::acts,
     "Whether old data is deleted, compacted, or both.",
     "Compaction itself comes later: a compacted topic keeps all its records until then.", "log.cleanup.policy"},
    {"compression.gzip.level", Type::integer, "-1", "[1,...,9] or -1", Importance::medium, kDynamic, Why::acts,
     "Level of gzip where the broker compresses anew.", "", "compression.gzip.level"},
    {"compression.lz4.level", Type::integer, "9", "[1,...,17]", Importance::medium, kDynamic, Why::acts,
     "Level of lz4 where the broker compresses anew.", "", "compression.lz4.level"},
    {"compression.type", Type::string, "producer", "[uncompressed, zstd, lz4, snappy, gzip, producer]",
     Importance::medium, kDynamic, Why::acts, "What batches are stored with; producer keeps what came.", "",
     "compression.type"},
    {"compression.zstd.level", Type::integer, "3", "[-131072,...,22]", Importance::medium, kDynamic, Why::acts,
     "Level of zstd where the broker compresses anew.", "", "compression.zstd.level"},
    {"delete.retention.ms", Type::long_integer, "86400000", "[0,...]", Importance::medium, kDynamic, Why::cleaner,
     "How long a tombstone outlives its compaction.", "", "log.cleaner.delete.retention.ms"},
    {"file.delete.delay.ms", Type::long_integer, "60000", "[0,...]", Importance::medium, kDynamic, Why::acts,
     "How long a deleted file still lies there; a start removes all of them.", "", "log.segment.delete.delay.ms"},
    {"flush.messages", Type::long_integer, "9223372036854775807", "[1,...]", Importance::medium, kDynamic, Why::acts,
     "Records between two forced writes to disk.", "", "log.flush.interval.messages"},
    {"flush.ms", Type::long_integer, "9223372036854775807", "[0,...]", Importance::medium, kDynamic, Why::acts,
     "Time between two forced writes to disk.", "", "log.flush.interval.ms"},
    {"follower.replication.throttled.replicas", Type::list, "", "[partitionId]:[brokerId],[partitionId]:[brokerId],...",
     Importance::medium, kDynamic, Why::single, "Replicas whose fetching is throttled.", "", ""},
    {"index.interval.bytes", Type::integer, "4096", "[0,...]", Importance::medium, kDynamic, Why::acts,
     "Bytes of log between two entries of the offset index.", "", "log.index.interval.bytes"},
    {"internal.segment.bytes", Type::integer, nullptr, "", Importance::medium, kInternal, Why::acts,
     "Largest size of a segment, without the lower limit that segment.bytes has; for tests.", "", ""},
    {"leader.replication.throttled.replicas", Type::list, "", "[partitionId]:[brokerId],[partitionId]:[brokerId],...",
     Importance::medium, kDynamic, Why::single, "Replicas whose serving is throttled.", "", ""},
    {"local.retention.bytes", Type::long_integer, "-2", "[-2,...]", Importance::medium, kDynamic, Why::tiered, "", "",
     "log.local.retention.bytes"},
    {"local.retention.ms", Type::long_integer, "-2", "[-2,...]", Importance::medium, kDynamic, Why::tiered, "", "",
     "log.local.retention.ms"},
    {"max.compaction.lag.ms", Type::long_integer, "9223372036854775807", "[1,...]", Importance::medium, kDynamic,
     Why::cleaner, "Latest time after which a record is compacted.", "", "log.cleaner.max.compaction.lag.ms"},
    {"max.message.bytes", Type::integer, "1048588", "[0,...]", Importance::medium, kDynamic, Why::acts,
     "Largest batch that is taken.", "", "message.max.bytes"},
    {"message.timestamp.after.max.ms", Type::long_integer, "3600000", "[0,...]", Importance::medium, kDynamic,
     Why::acts, "How far in the future a record may be.", "", "log.message.timestamp.after.max.ms"},
    {"message.timestamp.before.max.ms", Type::long_integer, "9223372036854775807", "[0,...]", Importance::medium,
     kDynamic, Why::acts, "How far in the past a record may be.", "", "log.message.timestamp.before.max.ms"},
    {"message.timestamp.type", Type::string, "CreateTime", "[CreateTime, LogAppendTime]", Importance::medium, kDynamic,
     Why::acts, "Whether records keep the producer's time or get the broker's.", "", "log.message.timestamp.type"},
    {"min.cleanable.dirty.ratio", Type::floating, "0.5", "[0,...,1]", Importance::medium, kDynamic, Why::cleaner,
     "Share of uncompacted bytes that starts a compaction.", "", "log.cleaner.min.cleanable.ratio"},
    {"min.compaction.lag.ms", Type::long_integer, "0", "[0,...]", Importance::medium, kDynamic, Why::cleaner,
     "Earliest time after which a record is compacted.", "", "log.cleaner.min.compaction.lag.ms"},
    {"min.insync.replicas", Type::integer, "1", "[1,...]", Importance::medium, kDynamic, Why::acts,
     "Replicas that must be in sync for acks=all.", "", "min.insync.replicas"},
    {"preallocate", Type::boolean, "false", "", Importance::medium, kDynamic, Why::inside,
     "Makes a new segment file as large as it may grow.",
     "Files grow as they are written: what room is taken ahead shows in no size, and a full disk shows at the append.",
     "log.preallocate"},
    {"remote.log.copy.disable", Type::boolean, "false", "", Importance::medium, kDynamic, Why::tiered, "", "", ""},
    {"remote.log.delete.on.disable", Type::boolean, "false", "", Importance::medium, kDynamic, Why::tiered, "", "", ""},
    {"remote.storage.enable", Type::boolean, "false", "", Importance::medium, kDynamic, Why::tiered, "", "", ""},
    {"retention.bytes", Type::long_integer, "-1", "", Importance::medium, kDynamic, Why::acts,
     "Largest size of a partition; -1 has no limit.", "", "log.retention.bytes"},
    {"retention.ms", Type::long_integer, "604800000", "[-1,...]", Importance::medium, kDynamic, Why::acts,
     "How long data is kept; -1 for ever.", "", "log.retention.ms"},
    {"segment.bytes", Type::integer, "1073741824", "[1048576,...]", Importance::medium, kDynamic, Why::acts,
     "Largest size of a segment.", "", "log.segment.bytes"},
    {"segment.index.bytes", Type::integer, "10485760", "[4,...]", Importance::medium, kDynamic, Why::acts,
     "Largest size of an offset or time index.", "", "log.index.size.max.bytes"},
    {"segment.jitter.ms", Type::long_integer, "0", "[0,...]", Importance::medium, kDynamic, Why::acts,
     "Largest random part taken off segment.ms.", "", "log.roll.jitter.ms"},
    {"segment.ms", Type::long_integer, "604800000", "[1,...]", Importance::medium, kDynamic, Why::acts,
     "Oldest age of the active segment.", "", "log.roll.ms"},
    {"unclean.leader.election.enable", Type::boolean, "false", "", Importance::medium, kDynamic, Why::single,
     "Whether a replica out of sync may become leader.", "", "unclean.leader.election.enable"},
};

}  // namespace

std::span<const SettingRow> topic_rows() {
  return kRows;
}

}  // namespace barnabas::config
