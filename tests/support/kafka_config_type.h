#pragma once

#include <string>

#include "common/runtime/config_table.h"

namespace barnabas::testing {

/// What configs.json of the golden vectors calls a setting's type.
inline std::string kafka_name_of(runtime::ConfigType type) {
  switch (type) {
    case runtime::ConfigType::boolean:
      return "BOOLEAN";
    case runtime::ConfigType::short_integer:
      return "SHORT";
    case runtime::ConfigType::integer:
      return "INT";
    case runtime::ConfigType::long_integer:
      return "LONG";
    case runtime::ConfigType::floating:
      return "DOUBLE";
    case runtime::ConfigType::string:
      return "STRING";
    case runtime::ConfigType::list:
      return "LIST";
    case runtime::ConfigType::class_name:
      return "CLASS";
    case runtime::ConfigType::password:
      return "PASSWORD";
  }
  return "?";
}

}  // namespace barnabas::testing
