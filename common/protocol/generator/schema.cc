#include "common/protocol/generator/schema.h"

#include <algorithm>
#include <cctype>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>

namespace barnabas::generator {
namespace {

using Json = nlohmann::ordered_json;

const std::map<std::string, Kind> kKinds = {
    {"bool", Kind::boolean}, {"int8", Kind::int8},     {"int16", Kind::int16}, {"uint16", Kind::uint16},
    {"int32", Kind::int32},  {"uint32", Kind::uint32}, {"int64", Kind::int64}, {"float64", Kind::float64},
    {"uuid", Kind::uuid},    {"string", Kind::string}, {"bytes", Kind::bytes}, {"records", Kind::records},
};

const std::set<std::string> kKeywords = {"class",    "default", "delete", "export",   "long",  "namespace", "new",
                                         "operator", "private", "public", "register", "short", "template",  "union"};

std::string literal(const Json& value) {
  if (value.is_boolean()) return value.get<bool>() ? "true" : "";
  if (value.is_string()) return value.get<std::string>().empty() ? "" : value.dump();
  if (value.is_number_float()) return value.get<double>() == 0 ? "" : value.dump();
  const auto number = value.get<std::int64_t>();
  if (number == 0) return "";
  if (number == std::numeric_limits<std::int32_t>::min()) return "-2147483647 - 1";
  return std::to_string(number);
}

Field parse_field(const Json& json) {
  Field field;
  field.json_name = json.at("name");
  field.cpp_name = snake_case(field.json_name);
  if (kKeywords.contains(field.cpp_name)) field.cpp_name += '_';
  std::string type = json.at("type");
  field.is_array = type.starts_with("[]");
  if (field.is_array) type = type.substr(2);
  const auto known = kKinds.find(type);
  field.kind = known == kKinds.end() ? Kind::structure : known->second;
  if (field.kind == Kind::structure) field.struct_name = type;
  field.versions = VersionRange::parse(json.at("versions"));
  field.nullable = VersionRange::parse(json.value("nullable", "none"));
  field.tagged = VersionRange::parse(json.value("tagged", "none"));
  field.tag = json.value("tag", 0U);
  field.ignorable = json.value("ignorable", false);
  field.never_flexible = json.value("flexible", "") == "none";
  if (json.contains("default")) {
    field.default_null = json["default"].is_null();
    if (!field.default_null) field.default_value = literal(json["default"]);
  }
  if (field.kind == Kind::records) field.default_null = true;
  if (field.default_null && !field.is_nullable()) throw std::runtime_error(field.json_name + " may not be null");
  return field;
}

std::vector<Field> parse_fields(const Json& json) {
  std::vector<Field> fields;
  for (const Json& field : json) fields.push_back(parse_field(field));
  return fields;
}

/// Puts the structs that a field needs before the one it is in.
void place(const Message& message, const std::vector<Field>& fields, std::vector<Struct>& ordered) {
  for (const Field& field : fields) {
    if (field.kind != Kind::structure) continue;
    const auto same = [&](const Struct& s) { return s.name == field.struct_name; };
    if (std::any_of(ordered.begin(), ordered.end(), same)) continue;
    const Struct& needed = message.struct_named(field.struct_name);
    place(message, needed.fields, ordered);
    ordered.push_back(needed);
  }
}

Message parse(const Json& json) {
  Message message;
  message.name = json.at("message");
  message.kind = json.at("kind");
  message.key = json.value("api_key", json.value("record_type", -1));
  message.versions = VersionRange::parse(json.at("versions"));
  message.flexible = VersionRange::parse(json.at("flexible"));
  message.fields = parse_fields(json.at("fields"));
  if (json.contains("structs")) {
    for (const auto& [name, fields] : json["structs"].items()) message.structs.push_back({name, parse_fields(fields)});
  }
  std::vector<Struct> ordered;
  place(message, message.fields, ordered);
  if (ordered.size() != message.structs.size()) throw std::runtime_error("a struct that nothing uses");
  message.structs = std::move(ordered);
  return message;
}

}  // namespace

VersionRange VersionRange::intersected(const VersionRange& other) const {
  return {std::max(first, other.first), std::min(last, other.last)};
}

VersionRange VersionRange::parse(const std::string& text) {
  if (text == "none") return {};
  const std::size_t dash = text.find('-');
  if (dash != std::string::npos) return {std::stoi(text.substr(0, dash)), std::stoi(text.substr(dash + 1))};
  const int first = std::stoi(text);
  return {first, text.ends_with('+') ? kNoVersion - 1 : first};
}

const Struct& Message::struct_named(const std::string& struct_name) const {
  for (const Struct& s : structs) {
    if (s.name == struct_name) return s;
  }
  throw std::runtime_error("no struct " + struct_name);
}

std::string snake_case(const std::string& name) {
  const auto upper = [&](std::size_t i) {
    return i < name.size() && std::isupper(static_cast<unsigned char>(name[i]));
  };
  const auto lower = [&](std::size_t i) {
    return i < name.size() && std::islower(static_cast<unsigned char>(name[i]));
  };
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    // The R of KRaft starts no word.
    const bool in_kraft = i > 0 && name.compare(i - 1, 5, "KRaft") == 0;
    const bool starts_word = upper(i) && i > 0 && (!upper(i - 1) || lower(i + 1)) && !in_kraft;
    if (starts_word) out.push_back('_');
    out.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(name[i]))));
  }
  return out;
}

std::string stem_of(const std::string& message_name) {
  std::string name = message_name;
  for (const std::string suffix : {"Request", "Response"}) {
    if (name.ends_with(suffix)) name.resize(name.size() - suffix.size());
  }
  return snake_case(name);
}

Message parse_message(const Json& json) {
  try {
    return parse(json);
  } catch (const std::exception& error) {
    throw std::runtime_error(json.value("message", "a schema without a message") + ": " + error.what());
  }
}

}  // namespace barnabas::generator
