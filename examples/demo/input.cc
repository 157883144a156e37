#include "examples/demo/input.h"

#include <cstdio>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "examples/demo/interrupt.h"

namespace demo {
namespace {

std::string output_of(const char* command) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(popen(command, "r"), pclose);
  if (!pipe) throw std::runtime_error(std::string("cannot run ") + command);
  std::string text;
  std::vector<char> chunk(1 << 16);
  for (std::size_t got = 0; (got = std::fread(chunk.data(), 1, chunk.size(), pipe.get())) > 0;)
    text.append(chunk.data(), got);
  return text;
}

/// The value of "Name: value" in a stanza; empty where there is no such line.
std::string field(std::string_view stanza, std::string_view name) {
  for (std::size_t at = 0; at < stanza.size();) {
    const std::size_t end = std::min(stanza.find('\n', at), stanza.size());
    const std::string_view line = stanza.substr(at, end - at);
    if (line.starts_with(name) && line.substr(name.size()).starts_with(": "))
      return std::string(line.substr(name.size() + 2));
    at = end + 1;
  }
  return {};
}

}  // namespace

std::vector<Item> read_package_index() {
  const std::string text = output_of("apt-cache dumpavail");
  throw_if_interrupted();
  std::vector<Item> items;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find("\n\n", at), text.size());
    std::string stanza = text.substr(at, end - at);
    at = end + 2;
    Item item{field(stanza, "Package"), {}, field(stanza, "Section"), field(stanza, "Architecture")};
    item.value = std::move(stanza);
    if (!item.key.empty()) items.push_back(std::move(item));
  }
  if (items.empty())
    throw std::runtime_error("apt-cache dumpavail printed no package: run apt-get update first, or give --input FILE");
  return items;
}

std::vector<Item> read_lines(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw std::runtime_error("cannot read " + path);
  std::vector<Item> items;
  for (std::string line; std::getline(in, line);) items.push_back({{}, std::move(line), {}, {}});
  if (items.empty()) throw std::runtime_error(path + " has no line");
  return items;
}

}  // namespace demo
