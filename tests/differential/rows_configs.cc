// DescribeConfigs.
#include "common/protocol/messages/describe_configs.h"
#include "tests/differential/row.h"

namespace barnabas::differential {
namespace {

using protocol::DescribeConfigsRequest;

constexpr std::int8_t kTopic = 2;
constexpr std::int8_t kBroker = 4;
constexpr std::int8_t kBrokerLogger = 8;
constexpr std::int8_t kClientMetrics = 16;
constexpr std::int8_t kGroup = 32;

using Keys = std::optional<std::vector<std::string>>;

DescribeConfigsRequest of(std::int8_t type, const std::string& name, const Keys& keys = std::nullopt) {
  DescribeConfigsRequest request;
  auto& resource = request.resources.emplace_back();
  resource.resource_type = type;
  resource.resource_name = name;
  resource.configuration_keys = keys;
  return request;
}

void make_topic(Peer& peer) {
  peer.make_topic("configured", 1, {{"retention.ms", "60000"}, {"cleanup.policy", "compact"}});
}

void add(Rows& rows, const std::string& what, std::int8_t type, const std::string& name,
         const Keys& keys = std::nullopt) {
  single(
      rows, what, {}, [=](const Scene&, std::int16_t) { return of(type, name, keys); }, make_topic);
}

/// Everything that a version can be asked for.
void add_whole(Rows& rows, const std::string& what, std::int8_t type, const std::string& name) {
  single(
      rows, what, {},
      [=](const Scene&, std::int16_t version) {
        DescribeConfigsRequest request = of(type, name);
        request.include_synonyms = true;
        request.include_documentation = version >= 3;
        return request;
      },
      make_topic);
}

}  // namespace

void add_config_rows(Rows& rows) {
  add(rows, "of_a_topic", kTopic, "configured");
  add_whole(rows, "of_a_topic_with_synonyms", kTopic, "configured");
  add(rows, "of_a_topic_by_keys", kTopic, "configured", Keys({"retention.ms", "no.such.setting", "retention.ms"}));
  add(rows, "of_a_topic_by_no_keys", kTopic, "configured", Keys(std::in_place));
  add(rows, "of_a_missing_topic", kTopic, "missing");
  add(rows, "of_a_topic_with_a_bad_name", kTopic, "a b");
  add(rows, "of_a_topic_with_an_empty_name", kTopic, "");
  add(rows, "of_the_broker", kBroker, "1");
  add_whole(rows, "of_the_broker_with_synonyms", kBroker, "1");
  add(rows, "of_the_broker_by_keys", kBroker, "1",
      Keys({"num.partitions", "message.max.bytes", "broker.id", "node.id"}));
  add(rows, "of_all_brokers", kBroker, "");
  add(rows, "of_another_broker", kBroker, "2");
  add(rows, "of_a_broker_that_is_no_number", kBroker, "one");
  add(rows, "of_a_broker_with_a_blank", kBroker, " 1");
  add(rows, "of_a_broker_with_a_plus", kBroker, "+1");
  add(rows, "of_the_brokers_loggers", kBrokerLogger, "2");
  add(rows, "of_client_metrics", kClientMetrics, "metrics");
  add(rows, "of_client_metrics_without_name", kClientMetrics, "");
  add(rows, "of_a_group", kGroup, "group");
  add(rows, "of_a_group_without_name", kGroup, "");
  add(rows, "of_type_0", 0, "x");
  add(rows, "of_type_3", 3, "x");
  add(rows, "of_type_minus_1", -1, "x");
  single(rows, "of_nothing", {}, [](const Scene&, std::int16_t) { return DescribeConfigsRequest(); });
  single(
      rows, "of_good_and_bad_resources", {},
      [](const Scene&, std::int16_t) {
        DescribeConfigsRequest request = of(kTopic, "configured", Keys({"retention.ms"}));
        request.resources.push_back(of(kTopic, "missing").resources[0]);
        request.resources.push_back(of(kBroker, "7").resources[0]);
        return request;
      },
      make_topic);
  single(
      rows, "of_a_topic_twice", {},
      [](const Scene&, std::int16_t) {
        DescribeConfigsRequest request = of(kTopic, "configured", Keys({"retention.ms"}));
        request.resources.push_back(request.resources[0]);
        return request;
      },
      make_topic);
}

}  // namespace barnabas::differential
