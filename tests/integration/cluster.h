#pragma once

#include <barnabas/barnabas.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace barnabas {
inline namespace v0 {
class EmbeddedBroker;
}
}  // namespace barnabas

namespace barnabas::testing {

/// The broker that an integration test talks to: one of its own inside the process, or the cluster that
/// BARNABAS_TEST_BOOTSTRAP names. Tests that need a broker of ours have OnlyOurs in their name.
class Cluster {
 public:
  Cluster();
  ~Cluster();

  const std::string& bootstrap_servers() const { return bootstrap_; }
  /// A topic with a name that nobody else uses.
  std::string make_topic(std::int32_t partitions = 1, std::map<std::string, std::string> configs = {}) const;
  Config config(Config::Properties more = {}) const;

 private:
  std::unique_ptr<EmbeddedBroker> broker_;
  std::string bootstrap_;
};

std::string unique_name(const std::string& prefix);

/// Reads this many records of all partitions from the beginning; fewer when nothing comes for ten seconds.
std::vector<OwnedRecord> read_all(const Cluster& cluster, const std::string& topic, std::int32_t partitions,
                                  std::size_t count, Config::Properties more = {});

}  // namespace barnabas::testing
