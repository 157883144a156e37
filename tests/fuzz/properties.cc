#include <cstdlib>

#include "broker/config/broker_config.h"
#include "broker/config/listeners.h"
#include "broker/config/topic_config.h"
#include "broker/log/log_config.h"
#include "tests/fuzz/targets.h"

namespace barnabas::fuzz {
namespace {

/// Whatever is wrong with the file is said as such.
template <typename Value>
bool ok(const Result<Value>& result) {
  if (!result && (result.error().code != Errc::invalid_config || result.error().subject.empty())) std::abort();
  return result.has_value();
}

}  // namespace

void properties(BytesView input) {
  const auto parsed = runtime::parse_properties(as_text(input));
  if (!ok(parsed)) return;
  const auto broker = config::BrokerConfig::parse(*parsed);
  if (!ok(broker)) return;
  if (broker->data_directories().empty() || broker->metadata_directory().empty()) std::abort();
  (void)broker->settings_without_effect();
  (void)ok(config::listeners_of(broker->values()));
  (void)ok(config::advertised_listeners_of(broker->values(), "here.example"));
  const auto topic = config::effective_topic_config({.file = &broker->values()});
  if (ok(topic)) (void)log::LogConfig::from(*topic);
}

}  // namespace barnabas::fuzz
