#include "client/cli/client_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string_view>

namespace barnabas::cli {
namespace {

/// How names of settings begin that every kind of client has, and needs to connect.
constexpr std::string_view kConnectionSettings[] = {
    "bootstrap.servers", "client.id",          "client.dns.lookup",     "security.", "sasl.", "ssl.", "socket.",
    "reconnect.",        "request.timeout.ms", "default.api.timeout.ms"};

constexpr const char* kPatienceMs = "10000";

}  // namespace

void ClientOptions::add_to(CLI::App& verb) {
  verb.add_option("-b,--bootstrap-server", bootstrap_server, "host:port of a broker, or several with commas between")
      ->capture_default_str();
  verb.add_option("-X,--property", properties, "a client setting, name=value; may be given again")
      ->allow_extra_args(false);
}

Config ClientOptions::config(const Config& defaults) const {
  Config config{{"bootstrap.servers", bootstrap_server}, {"client.id", "barnabas-cli"}};
  for (const auto& [name, value] : defaults.properties()) config.set(name, value);
  for (const std::string& property : properties) {
    auto [name, value] = split_pair(property, "--property");
    config.set(std::move(name), std::move(value));
  }
  return config;
}

Config ClientOptions::admin_config() const {
  return config({{"default.api.timeout.ms", kPatienceMs}});
}

Config ClientOptions::connection_config() const {
  Config known;
  const Config all = admin_config();
  for (const auto& [name, value] : all.properties()) {
    const auto is_prefix = [&name = name](std::string_view prefix) { return name.rfind(prefix, 0) == 0; };
    if (std::any_of(std::begin(kConnectionSettings), std::end(kConnectionSettings), is_prefix)) known.set(name, value);
  }
  return known;
}

std::string not_negative(const std::string& text) {
  return text.rfind('-', 0) == 0 ? text + " is negative" : std::string();
}

std::pair<std::string, std::string> split_pair(const std::string& text, const std::string& option) {
  const auto at = text.find('=');
  if (at == 0 || at == std::string::npos) throw UsageError(fmt::format("{} '{}' is not name=value", option, text));
  return {text.substr(0, at), text.substr(at + 1)};
}

}  // namespace barnabas::cli
