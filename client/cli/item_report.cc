#include "client/cli/item_report.h"

#include <fmt/format.h>

#include <iostream>
#include <string>

namespace barnabas::cli {

bool report(const ItemError& error) {
  if (!error) return false;
  const std::string code = error.code.message();  // "TOPIC_ALREADY_EXISTS: ..."; the context has the words already
  std::cerr << fmt::format("barnabas: {} ({})\n", error.context, code.substr(0, code.find(':')));
  return true;
}

}  // namespace barnabas::cli
