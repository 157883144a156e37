#pragma once

#include <span>

#include "common/runtime/config_table.h"

namespace barnabas::config {

/// Why a setting acts or does not: decides its status and the "differs from Kafka" column of those without words of
/// their own.
enum class Why {
  acts,
  java,          ///< Belongs to the Java runtime or its metrics.
  tiered,        ///< Tiered storage.
  single,        ///< One broker is all there is.
  inside,        ///< Tunes Kafka's own insides, which are built otherwise here.
  cleaner,       ///< Tunes log compaction, which comes later.
  groups,        ///< Tunes groups of the consumer, share and streams protocols, which come later.
  transactions,  ///< Tunes transactions, which come later.
  security,      ///< Would protect something; refused until it does.
  plugin,        ///< Names Java classes.
  refused,       ///< A limit or promise that is not kept yet.
};

/// Who may see and change a setting in Kafka.
enum class Access {
  dynamic,   ///< May change while the broker runs.
  fixed,     ///< Read at the start only.
  internal,  ///< Fixed, and not shown.
};

/// One setting as the tables of this folder write it down. The range is in Kafka's own notation.
struct SettingRow {
  const char* name;
  runtime::ConfigType type;
  const char* default_text;  ///< nullptr is null.
  const char* range;
  runtime::ConfigImportance importance;
  Access access;
  Why why;
  const char* doc = "";
  const char* differs = "";
  const char* broker_default = "";  ///< Of a topic setting: the broker setting that stands in when the topic has none.
};

/// Those with words of their own; the other ones are explained by their Why.
std::span<const SettingRow> acting_broker_rows();
std::span<const SettingRow> other_broker_rows();
std::span<const SettingRow> topic_rows();

}  // namespace barnabas::config
