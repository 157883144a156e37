#include "broker/api/protocol_page.h"

#include <fmt/core.h>

#include "broker/api/all_apis.h"
#include "common/protocol/api_keys.h"

namespace barnabas::broker {
namespace {

constexpr const char* kHead =
    "# Protocol coverage\n"
    "\n"
    "Every API that Apache Kafka 4.3 has on a broker's listener, and what is spoken of it here: by the broker\n"
    "(`barnabas-broker`, the embedded one) and by the client library. Written from the tables in the code by\n"
    "`BARNABAS_WRITE_DOCS=1 ctest --test-dir build/debug -R page_is_current`.\n"
    "\n"
    "Only ApiVersions answers a version that is not served (UNSUPPORTED_VERSION in a version 0 body); any other "
    "unknown\n"
    "API or version closes the connection. Produce is advertised from version 0, because old librdkafka asks for it, "
    "and\n"
    "served from version 3.\n"
    "\n"
    "| key | API | Kafka 4.3 | our broker | our client | flexible from |\n"
    "|---|---|---|---|---|---|\n";

std::string range(std::int16_t min, std::int16_t max) {
  return min == max ? std::to_string(min) : fmt::format("{}–{}", min, max);
}

std::string flexible_from(const protocol::ApiInfo& info) {
  return info.first_flexible == protocol::kNoVersion ? "–" : std::to_string(info.first_flexible);
}

const ApiRange* used_by_client(std::span<const ApiRange> client, protocol::ApiKey key) {
  for (const ApiRange& range_of_api : client) {
    if (range_of_api.key == key) return &range_of_api;
  }
  return nullptr;
}

}  // namespace

std::string protocol_page(std::span<const ApiRange> client) {
  std::string page = kHead;
  for (const protocol::ApiInfo& info : protocol::all_apis()) {
    if (!info.valid() || !info.on_broker_listener) continue;
    const ApiRow* row = all_apis().find(static_cast<std::int16_t>(info.key));
    const ApiRange* used = used_by_client(client, info.key);
    page += fmt::format("| {} | {} | {} | {} | {} | {} |\n", static_cast<int>(info.key), info.name,
                        range(info.min_version, info.max_stable_version),
                        row == nullptr ? "–" : range(row->min_version, row->max_version),
                        used == nullptr ? "–" : range(used->min_version, used->max_version), flexible_from(info));
  }
  return page;
}

}  // namespace barnabas::broker
