#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "client/core/client_config.h"
#include "common/bytes/result.h"
#include "common/record/compress/codec.h"
#include "common/runtime/config_table.h"

namespace barnabas::client {

/// partitioner.class, where the user gives no function of his own.
enum class PartitionerKind {
  sticky,            ///< Null in the settings: murmur2 of the key, else the adaptive sticky choice (KIP-794).
  round_robin,       ///< One partition after the other, from a random one on.
  consistent_random  ///< librdkafka's default: CRC-32 of the key, else by chance.
};

/// The producer's settings, typed and checked against each other.
struct ProducerConfig {
  ClientConfig client;
  std::int16_t acks = -1;
  bool idempotent = true;
  int retries = 0;
  int max_in_flight = 5;
  std::size_t batch_bytes = 16384;
  std::size_t buffer_bytes = 0;
  std::size_t max_request_bytes = 1048576;
  std::chrono::milliseconds linger{5};
  std::chrono::milliseconds max_block{60000};
  std::chrono::milliseconds delivery_timeout{120000};
  std::chrono::milliseconds metadata_max_idle{300000};
  record::CompressionType compression = record::CompressionType::none;
  int compression_level = 0;
  PartitionerKind partitioner = PartitionerKind::sticky;
  bool partitioner_ignores_keys = false;
  bool adaptive_partitioning = true;
  std::chrono::milliseconds partition_availability_timeout{0};
};

/// All rows of the producer's table: those of every client, and its own.
const runtime::ConfigTable& producer_config_table();

/// Reads and checks the settings. Errors: Errc::invalid_config, naming the settings.
/// As in Kafka, idempotence that was not asked for is off with acks other than all or with retries=0; asked for, these
/// are errors. delivery.timeout.ms must reach linger.ms + request.timeout.ms.
Result<ProducerConfig> producer_config_of(const runtime::ParsedConfig& parsed);

}  // namespace barnabas::client
