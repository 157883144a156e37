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

struct ClusterOptions {
  ClientOptions client;
  bool json = false;
};

int show(const ClusterOptions& options) {
  Admin admin(options.client.admin_config());
  const ClusterDescription cluster = admin.describe_cluster();
  if (options.json) {
    nlohmann::ordered_json brokers = nlohmann::ordered_json::array();
    for (const Node& node : cluster.brokers) {
      brokers.push_back({{"id", node.id}, {"host", node.host}, {"port", node.port}});
      if (node.rack) brokers.back()["rack"] = *node.rack;
    }
    const nlohmann::ordered_json line{
        {"cluster_id", cluster.cluster_id}, {"controller_id", cluster.controller_id}, {"brokers", brokers}};
    std::cout << line.dump() << '\n';
    return kSuccess;
  }
  std::cout << fmt::format("cluster {}  controller {}\n", cluster.cluster_id, cluster.controller_id);
  for (const Node& node : cluster.brokers) {
    std::cout << fmt::format("  broker {}  {}:{}{}\n", node.id, node.host, node.port,
                             node.rack ? "  rack " + *node.rack : std::string());
  }
  return kSuccess;
}

}  // namespace

void add_cluster(CLI::App& app, Run& run) {
  const auto options = std::make_shared<ClusterOptions>();
  CLI::App* verb = app.add_subcommand("cluster", "Shows the cluster's id, controller and brokers");
  options->client.add_to(*verb);
  verb->add_flag("--json", options->json, "one object");
  verb->callback([options, &run] { run = [options] { return show(*options); }; });
}

}  // namespace barnabas::cli
