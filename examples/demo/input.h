#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace demo {

/// A record to load. Section and architecture become headers; both are empty for the lines of a file.
struct Item {
  std::string key;
  std::string value;
  std::string section;
  std::string architecture;
};

/// Debian's package index as `apt-cache dumpavail` prints it: key = package name, value = the stanza.
std::vector<Item> read_package_index();
/// A record a line, without a key.
std::vector<Item> read_lines(const std::string& path);

}  // namespace demo
