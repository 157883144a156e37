#pragma once

#include <memory>
#include <set>
#include <vector>

#include "broker/metadata/image.h"
#include "common/bytes/result.h"

namespace barnabas::metadata {

/// What changed between two images.
struct MetadataDelta {
  std::set<Uuid> created_topics;  ///< Found in the new image.
  std::set<Uuid> changed_topics;  ///< Were there before; a leader, an epoch or the number of partitions is another now.
  std::vector<std::shared_ptr<const TopicImage>> deleted_topics;  ///< As they were in the old image.
  std::set<ConfigResource>
      changed_configs;  ///< Compare with MetadataImage::configs(); a deleted topic's are not listed.
  bool brokers_changed = false;
  bool features_changed = false;

  bool empty() const {
    return created_topics.empty() && changed_topics.empty() && deleted_topics.empty() && changed_configs.empty() &&
           !brokers_changed && !features_changed;
  }
};

/// Whoever keeps something that follows the metadata: the partitions above all.
/// Threads: called by the controller's one thread, never twice at once. A request that changed the metadata is answered
/// only after every listener has returned: so a topic is usable the moment CreateTopics answers.
class MetadataListener {
 public:
  virtual ~MetadataListener() = default;
  virtual void on_metadata(const MetadataDelta& delta, const ImagePtr& image) = 0;
  /// Makes what a coming image will need, before anything is written down: files above all. A failure refuses the
  /// change, and leaves nothing behind.
  virtual Result<void> prepare(const MetadataDelta& /*delta*/, const ImagePtr& /*coming*/) { return {}; }
  /// What was prepared will not come after all.
  virtual void take_back(const MetadataDelta& /*delta*/, const ImagePtr& /*coming*/) {}
};

}  // namespace barnabas::metadata
