#include "tests/differential/known_differences.h"

#include <algorithm>
#include <vector>

namespace barnabas::differential {
namespace {

constexpr std::string_view kFewerApis = "APIs that this broker does not serve yet are not in its list";
constexpr std::string_view kFailsWithin =
    "Apache Kafka fails within itself over this request (UNKNOWN_SERVER_ERROR or no answer); no client sends it";
constexpr std::string_view kSaysWhy = "ours says what is wrong where Apache Kafka gives the code alone";
constexpr std::string_view kNoTransactions = "transactions are not served yet";
constexpr std::string_view kNoGroups = "settings of groups and client metrics are not served yet: no defaults to show";
constexpr std::string_view kStartedOtherwise = "the two are started with other ports, directories and roles";

const std::vector<KnownDifference> kDifferences{
    {"ApiVersions_*", "/*/answer/apiKeys", kFewerApis},
    {"Frame_*", "/*/answer/apiKeys", kFewerApis},
    {"Frame_with_a_client_id_of_negative_length", "",
     "Apache Kafka takes every negative length for null; ours takes -1, as the protocol has it, and refuses the "
     "others"},

    {"Metadata_*_by_the_zero_id_without_name", "*", kFailsWithin},
    {"Metadata_*_that_creates", "/0/answer/topics/*",
     "ours has made the topic when it answers; Apache Kafka says UNKNOWN_TOPIC_OR_PARTITION until it is asked again"},
    {"Metadata_*_by_id_and_another_by_name", "/0/answer/topics/metadata-three",
     "asked by id and by name at once, Apache Kafka leaves out those by name", "(nothing)"},

    {"Produce_*", "*/errorMessage", kSaysWhy, "null", "\"<a text>\""},
    {"Produce_v9_of_null_records", "*", kFailsWithin},
    {"Produce_*_with_a_transactional_id", "*", kNoTransactions, "19", "48"},

    {"Fetch_*_of_minus_1_bytes", "*", kFailsWithin},
    {"Fetch_*_of_isolation_2", "*", kFailsWithin},
    {"Fetch_*_as_a_replica", "/0/answer/nodeEndpoints", "ours gives the leader's address to a replica too",
     "(nothing)"},
    {"ListOffsets_*_of_isolation_2", "*", kFailsWithin},
    {"OffsetForLeaderEpoch_*_of_epoch_minus_2", "*",
     "Apache Kafka looks up an epoch that cannot be; ours has none, as for -1"},

    {"JoinGroup_*_subscription_that_is_wild", "*", kFailsWithin},
    {"JoinGroup_*_subscription_that_is_cut", "*", kFailsWithin},

    {"DescribeConfigs_*", "/0/answer/results/*/errorMessage", kSaysWhy, "\"\"", "\"<a text>\""},
    {"DescribeConfigs_*_of_client_metrics", "*", kNoGroups},
    {"DescribeConfigs_*_of_a_group", "*", kNoGroups},
    {"DescribeConfigs_*", "*/configs/metrics.port", "a setting of this broker alone", "(nothing)"},
    {"DescribeConfigs_*", "*/configs/broker.id/*",
     "Apache Kafka shows broker.id as if it had been set, where only node.id was"},
    {"DescribeConfigs_*", "*/configs/listeners/*", kStartedOtherwise},
    {"DescribeConfigs_*", "*/configs/advertised.listeners/*", kStartedOtherwise},
    {"DescribeConfigs_*", "*/configs/log.dirs/*", kStartedOtherwise},
    {"DescribeConfigs_*", "*/configs/process.roles/*", kStartedOtherwise},
    {"DescribeConfigs_*", "*/configs/log.initial.task.delay.ms", kStartedOtherwise, "*", "(nothing)"},
    {"DescribeConfigs_*", "*/configs/controller.listener.names/*", kStartedOtherwise},
    {"DescribeConfigs_*", "*/configs/controller.quorum.voters/*", kStartedOtherwise},
    {"DescribeConfigs_*", "*/configs/inter.broker.listener.name/*", kStartedOtherwise},
    {"DescribeConfigs_*", "*/configs/listener.security.protocol.map/*", kStartedOtherwise},
};

constexpr std::string_view kTransactions = "its transactions are left out: they are not served yet";

constexpr std::string_view kNoConsumerProtocol = "the consumer protocol's groups are not served yet";

const std::vector<KnownDifference> kReplayDifferences{
    {"ApiVersions_*", "/apiKeys", kFewerApis},
    {"ApiVersions_*", "/finalizedFeatures/kraft.version", "the captured broker's quorum can grow, ours is one broker",
     "*", "(nothing)"},
    {"InitProducerId_20", "*", "Apache Kafka has no ids yet when it is first asked", "*"},
    {"Fetch_*", "/responses/0/partitions/1/*", kTransactions},
    {"Fetch_*", "/responses/1/*", kTransactions},
    {"Fetch_*", "/responses", "behind the end of what the transactions left out would have written", "[]"},
    {"ListOffsets_491", "/topics/txn/*", kTransactions},
    {"Metadata_467", "/topics/__transaction_state", kTransactions, "*", "(nothing)"},
    {"Metadata_467", "/topics/logappend/partitions", "grown by CreatePartitions, which is not served yet"},
    {"DescribeConfigs_473", "/results/0/configs/max.message.bytes/*",
     "set by IncrementalAlterConfigs, which is not served yet"},
    {"FindCoordinator_266", "/coordinators/0/*",
     "ours has made the offsets topic when it answers; Apache Kafka says COORDINATOR_NOT_AVAILABLE until it is asked "
     "again"},
    {"FindCoordinator_*", "/coordinators/0/*", kNoTransactions},
    {"OffsetCommit_442", "*/errorCode", kNoConsumerProtocol, "0"},
    {"OffsetCommit_444", "*/errorCode", kNoConsumerProtocol, "0"},
    {"ListGroups_477", "/groups/consumer-group", kNoConsumerProtocol, "*", "(nothing)"},
    {"ListGroups_477", "/groups/txn-group", kTransactions, "*", "(nothing)"},
    {"ListOffsets_491", "/topics/segments/*", "the capture holds the first six of the records alone"},
};

std::string shown(const nlohmann::json& value) {
  std::string text = value.dump();
  if (constexpr std::size_t most = 600; text.size() > most) text = text.substr(0, most) + "...";
  return text;
}

/// Objects are compared field by field, lists of one length element by element; anything else as a whole.
void compare(const std::string& path, const nlohmann::json& kafka, const nlohmann::json& ours,
             std::vector<Difference>& found) {
  if (kafka == ours) return;
  if (kafka.is_array() && ours.is_array() && kafka.size() == ours.size()) {
    for (std::size_t i = 0; i < kafka.size(); ++i) compare(path + "/" + std::to_string(i), kafka[i], ours[i], found);
  } else if (kafka.is_object() && ours.is_object()) {
    for (const auto& [name, value] : kafka.items()) {
      if (ours.contains(name)) {
        compare(path + "/" + name, value, ours[name], found);
      } else {
        found.push_back({path + "/" + name, shown(value), "(nothing)"});
      }
    }
    for (const auto& [name, value] : ours.items()) {
      if (!kafka.contains(name)) found.push_back({path + "/" + name, "(nothing)", shown(value)});
    }
  } else {
    found.push_back({path, shown(kafka), shown(ours)});
  }
}

}  // namespace

std::span<const KnownDifference> known_differences() {
  return kDifferences;
}

std::span<const KnownDifference> known_replay_differences() {
  return kReplayDifferences;
}

bool matches(std::string_view pattern, std::string_view text) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == text;
  if (text.substr(0, star) != pattern.substr(0, star)) return false;
  const std::string_view rest = pattern.substr(star + 1);
  for (std::size_t at = star; at <= text.size(); ++at) {
    if (matches(rest, text.substr(at))) return true;
  }
  return false;
}

std::vector<Difference> differences(const nlohmann::json& kafka, const nlohmann::json& ours) {
  std::vector<Difference> found;
  compare("", kafka, ours, found);
  return found;
}

}  // namespace barnabas::differential
