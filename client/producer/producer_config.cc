#include "client/producer/producer_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

namespace barnabas::client {
namespace {

using runtime::ConfigDef;
using runtime::ConfigImportance;
using runtime::ConfigStatus;
using runtime::ConfigType;
using std::chrono::milliseconds;

constexpr double kMostInt = 2147483647.0;
constexpr int kMostInFlightWithIdempotence = 5;
constexpr milliseconds kForEver = std::chrono::hours(24 * 365 * 100);

ConfigDef row(std::string name, ConfigType type, const char* default_value, ConfigImportance importance,
              std::string doc) {
  ConfigDef def;
  def.name = std::move(name);
  def.type = type;
  if (default_value != nullptr) def.default_value = default_value;
  def.importance = importance;
  def.doc = std::move(doc);
  return def;
}

ConfigDef number(std::string name, ConfigType type, const char* default_value, double min, double max,
                 ConfigImportance importance, std::string doc) {
  ConfigDef def = row(std::move(name), type, default_value, importance, std::move(doc));
  def.min = min;
  def.max = max;
  return def;
}

ConfigDef with_status(ConfigDef def, ConfigStatus status, std::string why) {
  def.status = status;
  def.differs = std::move(why);
  return def;
}

std::vector<ConfigDef> batching_rows() {
  const auto at_least_0 = [](ConfigDef def) {
    def.min = 0;
    return def;
  };
  return {
      number(
          "batch.size", ConfigType::integer, "16384", 0, kMostInt, ConfigImportance::medium,
          "Bytes that a batch may grow to before it is sent without waiting for linger.ms. 0 sends each record alone."),
      number("linger.ms", ConfigType::long_integer, "5", 0, kMostInt, ConfigImportance::medium,
             "How long a batch that is not full waits for more records. flush() and send_sync do not wait."),
      at_least_0(
          row("buffer.memory", ConfigType::long_integer, "33554432", ConfigImportance::high,
              "Bytes of all batches that wait or are under way. When they are used up, send blocks for max.block.ms at "
              "most.")),
      at_least_0(row("max.block.ms", ConfigType::long_integer, "60000", ConfigImportance::medium,
                     "How long send and partitions_for may wait for metadata and for room in buffer.memory.")),
      number("max.request.size", ConfigType::integer, "1048576", 0, kMostInt, ConfigImportance::medium,
             "Largest Produce request and largest record, in bytes before compression."),
      row("compression.type", ConfigType::string, "none", ConfigImportance::high,
          "Codec of the batches: none, gzip, snappy, lz4 or zstd."),
      number("compression.gzip.level", ConfigType::integer, "-1", -1, 9, ConfigImportance::medium,
             "Level of gzip: 1 to 9, or -1 for zlib's default."),
      number("compression.lz4.level", ConfigType::integer, "9", 1, 17, ConfigImportance::medium,
             "Level of lz4: 9 is the fast compressor, all others compress harder."),
      number("compression.zstd.level", ConfigType::integer, "3", -131072, 22, ConfigImportance::medium,
             "Level of zstd."),
  };
}

std::vector<ConfigDef> delivery_rows() {
  return {
      row("acks", ConfigType::string, "all", ConfigImportance::low,
          "Who must have a record before it counts as delivered: 0 nobody, 1 the leader, all (-1) the in-sync "
          "replicas."),
      row("enable.idempotence", ConfigType::boolean, "true", ConfigImportance::low,
          "Numbers the batches, so that a retry neither doubles records nor changes their order."),
      number("retries", ConfigType::integer, "2147483647", 0, kMostInt, ConfigImportance::high,
             "How often a batch is sent again after an error that may go away; delivery.timeout.ms ends it anyway."),
      number("max.in.flight.requests.per.connection", ConfigType::integer, "5", 1, kMostInt, ConfigImportance::low,
             "Produce requests to one broker that may wait for their answers. At most 5 with idempotence."),
      number("delivery.timeout.ms", ConfigType::integer, "120000", 0, kMostInt, ConfigImportance::medium,
             "After this time from send a record has been delivered or has failed, retries included."),
      number("metadata.max.idle.ms", ConfigType::long_integer, "300000", 5000, kMostInt, ConfigImportance::low,
             "A topic that was not sent to for so long is no longer kept up to date."),
  };
}

std::vector<ConfigDef> partitioner_rows() {
  std::vector<ConfigDef> rows{
      row("partitioner.class", ConfigType::class_name, nullptr, ConfigImportance::medium,
          "How records without a partition get one. Not set: murmur2 of the key, or adaptive sticky batches without "
          "key. "
          "RoundRobinPartitioner: one after the other. consistent_random: librdkafka's CRC-32 of the key, else by "
          "chance."),
      row("partitioner.ignore.keys", ConfigType::boolean, "false", ConfigImportance::medium,
          "Chooses as if no record had a key."),
      row("partitioner.adaptive.partitioning.enable", ConfigType::boolean, "true", ConfigImportance::low,
          "Sticky batches go more often to partitions whose brokers are quick."),
      number("partitioner.availability.timeout.ms", ConfigType::long_integer, "0", 0, kMostInt, ConfigImportance::low,
             "A partition whose broker took nothing for so long is passed over by the sticky choice. 0: never."),
  };
  rows[0].differs = "Named classes are built in; a function of your own goes into ProducerOptions::partitioner.";
  rows[0].check = [](const std::string& text) -> std::optional<std::string> {
    const std::string name = text.substr(text.rfind('.') + 1);
    if (name == "RoundRobinPartitioner" || name == "consistent_random") return std::nullopt;
    return "knows RoundRobinPartitioner and consistent_random (give ProducerOptions::partitioner for a function of "
           "your own)";
  };
  return rows;
}

std::vector<ConfigDef> transaction_and_java_rows() {
  const std::string no_classes = "There are no Java classes here.";
  const std::string no_transactions = "Transactions are not there yet.";
  return {
      with_status(row("transactional.id", ConfigType::string, nullptr, ConfigImportance::low,
                      "Name under which transactions survive a restart."),
                  ConfigStatus::refused, no_transactions),
      with_status(number("transaction.timeout.ms", ConfigType::integer, "60000", 0, kMostInt, ConfigImportance::low,
                         "How long a transaction may stay open."),
                  ConfigStatus::accepted, "Without transactional.id it has no meaning."),
      with_status(row("transaction.two.phase.commit.enable", ConfigType::boolean, "false", ConfigImportance::low,
                      "Lets another system decide about transactions."),
                  ConfigStatus::refused, no_transactions),
      with_status(
          row("key.serializer", ConfigType::class_name, nullptr, ConfigImportance::high, "Java class for keys."),
          ConfigStatus::accepted, no_classes + " Records carry bytes; barnabas/serializers.h makes them."),
      with_status(
          row("value.serializer", ConfigType::class_name, nullptr, ConfigImportance::high, "Java class for values."),
          ConfigStatus::accepted, no_classes + " Records carry bytes; barnabas/serializers.h makes them."),
      with_status(
          row("interceptor.classes", ConfigType::list, "", ConfigImportance::low, "Java classes that see records."),
          ConfigStatus::accepted, no_classes + " ProducerOptions::interceptors takes objects."),
  };
}

std::vector<ConfigDef> all_rows() {
  std::vector<ConfigDef> rows = common_config_rows(ClientKind::producer);
  for (auto part : {batching_rows(), delivery_rows(), partitioner_rows(), transaction_and_java_rows()}) {
    for (ConfigDef& def : part) {
      if (def.name == "acks") def.allowed = {"all", "-1", "0", "1"};
      if (def.name == "compression.type") def.allowed = {"none", "gzip", "snappy", "lz4", "zstd"};
      rows.push_back(std::move(def));
    }
  }
  return rows;
}

tl::unexpected<Failure> contradiction(std::string text) {
  return failure(Errc::invalid_config, std::move(text));
}

Result<void> read_idempotence(const runtime::ParsedConfig& parsed, ProducerConfig& config) {
  const bool asked_for = parsed.is_set("enable.idempotence");
  config.idempotent = parsed.get_bool("enable.idempotence");
  if (!config.idempotent) return {};
  if (config.retries == 0) {
    if (asked_for) return contradiction("enable.idempotence=true needs retries above 0");
    config.idempotent = false;
  }
  if (config.acks != -1) {
    if (asked_for) return contradiction("enable.idempotence=true needs acks=all");
    config.idempotent = false;
  }
  if (config.max_in_flight > kMostInFlightWithIdempotence) {
    return contradiction("max.in.flight.requests.per.connection may be at most 5 with enable.idempotence=true");
  }
  return {};
}

Result<void> read_delivery(const runtime::ParsedConfig& parsed, ProducerConfig& config) {
  const std::string& acks = parsed.get_string("acks");
  config.acks = acks == "0" ? std::int16_t{0} : acks == "1" ? std::int16_t{1} : std::int16_t{-1};
  config.retries = parsed.get_int("retries");
  config.max_in_flight = parsed.get_int("max.in.flight.requests.per.connection");
  config.linger = milliseconds(parsed.get_long("linger.ms"));
  config.delivery_timeout = milliseconds(parsed.get_int("delivery.timeout.ms"));
  const milliseconds least = config.linger + config.client.request_timeout;
  if (config.delivery_timeout < least) {
    if (parsed.is_set("delivery.timeout.ms")) {
      return contradiction(fmt::format("delivery.timeout.ms={} must not be below linger.ms + request.timeout.ms = {}",
                                       config.delivery_timeout.count(), least.count()));
    }
    config.delivery_timeout = least;
  }
  return read_idempotence(parsed, config);
}

void read_partitioner(const runtime::ParsedConfig& parsed, ProducerConfig& config) {
  const std::string& name = parsed.get_string("partitioner.class");
  if (name.ends_with("RoundRobinPartitioner")) config.partitioner = PartitionerKind::round_robin;
  if (name.ends_with("consistent_random")) config.partitioner = PartitionerKind::consistent_random;
  config.partitioner_ignores_keys = parsed.get_bool("partitioner.ignore.keys");
  config.adaptive_partitioning = parsed.get_bool("partitioner.adaptive.partitioning.enable");
  config.partition_availability_timeout = milliseconds(parsed.get_long("partitioner.availability.timeout.ms"));
}

Result<void> read_compression(const runtime::ParsedConfig& parsed, ProducerConfig& config) {
  config.compression = record::compression_from_name(parsed.get_string("compression.type")).value();
  config.compression_level = record::default_level(config.compression);
  const std::string level = fmt::format("compression.{}.level", record::to_string(config.compression));
  if (parsed.table().find(level) != nullptr) config.compression_level = parsed.get_int(level);
  if (config.compression == record::CompressionType::gzip && config.compression_level == 0) {
    return contradiction("compression.gzip.level must be 1 to 9, or -1");
  }
  return {};
}

}  // namespace

const runtime::ConfigTable& producer_config_table() {
  static const runtime::ConfigTable table("producer", all_rows());
  return table;
}

Result<ProducerConfig> producer_config_of(const runtime::ParsedConfig& parsed) {
  auto client = client_config_of(parsed);
  if (!client) return failure(client.error());
  ProducerConfig config;
  config.client = std::move(*client);
  config.batch_bytes = static_cast<std::size_t>(parsed.get_int("batch.size"));
  config.buffer_bytes = static_cast<std::size_t>(parsed.get_long("buffer.memory"));
  config.max_request_bytes = static_cast<std::size_t>(parsed.get_int("max.request.size"));
  // Added to a time, Java's Long.MAX_VALUE would overflow: a century is for ever.
  config.max_block = std::min(milliseconds(parsed.get_long("max.block.ms")), kForEver);
  config.metadata_max_idle = milliseconds(parsed.get_long("metadata.max.idle.ms"));
  if (auto read = read_delivery(parsed, config); !read) return failure(read.error());
  if (auto read = read_compression(parsed, config); !read) return failure(read.error());
  read_partitioner(parsed, config);
  return config;
}

}  // namespace barnabas::client
