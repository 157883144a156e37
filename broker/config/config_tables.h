#pragma once

#include <string>
#include <string_view>

#include "broker/config/setting_rows.h"
#include "common/runtime/config_table.h"

namespace barnabas::config {

/// Every broker setting of Kafka 4.3, and our own metrics.port.
const runtime::ConfigTable& broker_table();
/// Every topic setting of Kafka 4.3.
const runtime::ConfigTable& topic_table();
/// nullptr when there is none.
const SettingRow* find_broker_row(std::string_view name);
const SettingRow* find_topic_row(std::string_view name);

/// docs/reference/broker_settings.md and topic_settings.md, whole.
std::string broker_settings_page();
std::string topic_settings_page();

}  // namespace barnabas::config
