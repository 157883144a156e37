#include <exception>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/protocol/generator/cpp_writer.h"

namespace {

using barnabas::generator::Message;

Message read_schema(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw std::runtime_error("cannot open " + path);
  return barnabas::generator::parse_message(nlohmann::ordered_json::parse(in));
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  if (!out.flush()) throw std::runtime_error("cannot write " + path);
}

void generate(const std::string& folder, const std::vector<std::string>& schemas) {
  std::vector<Message> messages;
  std::map<std::string, std::vector<Message>> by_stem;
  for (const std::string& schema : schemas) {
    messages.push_back(read_schema(schema));
    by_stem[barnabas::generator::stem_of(messages.back().name)].push_back(messages.back());
  }
  for (const auto& [stem, group] : by_stem) {
    write_file(folder + "/" + stem + ".h", barnabas::generator::header_of(group));
    write_file(folder + "/" + stem + ".cc", barnabas::generator::source_of(stem, group));
  }
  write_file(folder + "/registry.cc", barnabas::generator::registry_of(messages));
}

}  // namespace

/// generator FOLDER SCHEMA...: writes the messages' C++ into the folder.
int main(int argc, char** argv) {
  try {
    if (argc < 3) throw std::runtime_error("usage: generator FOLDER SCHEMA...");
    generate(argv[1], std::vector<std::string>(argv + 2, argv + argc));
  } catch (const std::exception& error) {
    std::cerr << "message generator: " << error.what() << "\n";
    return 1;
  }
  return 0;
}
