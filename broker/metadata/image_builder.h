#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "broker/metadata/delta.h"
#include "broker/metadata/image.h"
#include "broker/metadata/metadata_records.h"
#include "common/bytes/bytes.h"
#include "common/bytes/result.h"

namespace barnabas::metadata {

/// Replays metadata records on top of an image and gives the next one, with what changed. The only way in which
/// metadata ever changes. Records between BeginTransaction and EndTransaction are held back and take effect together,
/// or not at all. Threads: one. Errors: corrupt_data for what does not decode or speaks of a topic or broker that is
/// not there; unsupported_version for a finalised feature beyond what we know. After an error the builder is of no more
/// use. Source: Kafka's MetadataDelta and MetadataBatchLoader.
class ImageBuilder {
 public:
  ImageBuilder() : image_(std::make_shared<MetadataImage>()) {}
  explicit ImageBuilder(const MetadataImage& base) : image_(std::make_shared<MetadataImage>(base)) {}

  /// One framed record, in log order.
  Result<void> replay(BytesView framed, std::int64_t offset, std::int32_t epoch);
  /// Says that a control record stood there.
  void skip(std::int64_t offset, std::int32_t epoch) { at(offset, epoch); }
  /// A transaction has begun and not ended: its records are not in the image.
  bool in_transaction() const noexcept { return in_transaction_; }

  /// The new image; the builder goes on with a copy of its own.
  ImagePtr build();
  const MetadataDelta& delta() const noexcept { return delta_; }

 private:
  Result<void> apply(const RecordFrame& frame, BytesView framed);
  Result<void> apply_to_cluster(const RecordFrame& frame, BytesView framed);
  Result<void> apply_kept(const RecordFrame& frame, BytesView framed);
  Result<void> apply_topic(const RecordFrame& frame);
  Result<void> apply_partition(const RecordFrame& frame);
  Result<void> apply_partition_change(const RecordFrame& frame);
  Result<void> apply_remove_topic(const RecordFrame& frame);
  Result<void> apply_clear_elr(const RecordFrame& frame);
  Result<void> apply_config(const RecordFrame& frame);
  Result<void> apply_feature_level(const RecordFrame& frame);
  Result<void> apply_register_broker(const RecordFrame& frame);
  Result<void> apply_registration_change(const RecordFrame& frame);
  Result<void> apply_fencing(const RecordFrame& frame);
  Result<void> apply_unregister_broker(const RecordFrame& frame);

  void at(std::int64_t offset, std::int32_t epoch);
  /// A copy of the topic that this builder may change; null where there is no such topic.
  TopicImage* writable(const Uuid& topic_id);
  void note_change(const Uuid& topic_id);

  std::shared_ptr<MetadataImage> image_;
  std::map<Uuid, std::shared_ptr<TopicImage>> copied_;
  MetadataDelta delta_;
  bool in_transaction_ = false;
  std::vector<Bytes> transaction_;
};

}  // namespace barnabas::metadata
