#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "barnabas/admin.h"
#include "client/cli/client_options.h"
#include "client/cli/command_line.h"

namespace barnabas::cli {
namespace {

struct ApiVersionsOptions {
  ClientOptions client;
  bool json = false;
};

int show(const ApiVersionsOptions& options) {
  Admin admin(options.client.admin_config());
  for (const BrokerApiVersions& broker : admin.api_versions()) {
    if (!options.json) std::cout << fmt::format("broker {}\n", broker.broker_id);
    for (const ApiVersionRange& api : broker.apis) {
      if (options.json) {
        const nlohmann::ordered_json line{{"broker", broker.broker_id},
                                          {"key", api.key},
                                          {"name", api.name},
                                          {"min_version", api.min_version},
                                          {"max_version", api.max_version}};
        std::cout << line.dump() << '\n';
      } else {
        std::cout << fmt::format("  {:>3}  {:<32} {} to {}\n", api.key, api.name, api.min_version, api.max_version);
      }
    }
  }
  return kSuccess;
}

}  // namespace

void add_api_versions(CLI::App& app, Run& run) {
  const auto options = std::make_shared<ApiVersionsOptions>();
  CLI::App* verb = app.add_subcommand("api-versions", "Shows which APIs, in which versions, each broker serves");
  options->client.add_to(*verb);
  verb->add_flag("--json", options->json, "one object a line");
  verb->callback([options, &run] { run = [options] { return show(*options); }; });
}

}  // namespace barnabas::cli
