#pragma once

#include <vector>

#include "broker/metadata/image.h"
#include "common/bytes/bytes.h"

namespace barnabas::metadata {

/// Writes an image as the framed records that make it again: what stands between the header and the footer of a
/// snapshot. Source: Kafka's MetadataImage.write, whose order of kinds it keeps.
class SnapshotRecords {
 public:
  static std::vector<Bytes> of(const MetadataImage& image);

 private:
  explicit SnapshotRecords(const MetadataImage& image) : image_(image) {}
  void add_features();
  void add_brokers();
  void add_topics();
  void add_configs();
  void add_kept(const char* key_prefix);
  void add_producer_ids();

  const MetadataImage& image_;
  std::vector<Bytes> records_;
};

}  // namespace barnabas::metadata
