#include "common/protocol/generator/cpp_types.h"

#include <algorithm>
#include <limits>

namespace barnabas::generator {
namespace {

std::size_t least_bytes(const Message& message, const std::vector<Field>& fields, int version);

std::size_t length_bytes(const Message& message, const Field& field, int version) {
  if (message.flexible.contains(version) && !field.never_flexible) return 1;
  return field.kind == Kind::string && !field.is_array ? 2 : 4;
}

std::size_t item_bytes(const Message& message, const Field& field, int version) {
  switch (field.kind) {
    case Kind::boolean:
    case Kind::int8:
      return 1;
    case Kind::int16:
    case Kind::uint16:
      return 2;
    case Kind::int32:
    case Kind::uint32:
      return 4;
    case Kind::int64:
    case Kind::float64:
      return 8;
    case Kind::uuid:
      return 16;
    case Kind::string:
      return message.flexible.contains(version) && !field.never_flexible ? 1 : 2;
    case Kind::bytes:
    case Kind::records:
      return length_bytes(message, field, version);
    case Kind::structure:
      return least_bytes(message, message.struct_named(field.struct_name).fields, version);
  }
  return 0;
}

std::size_t least_bytes(const Message& message, const std::vector<Field>& fields, int version) {
  std::size_t total = message.flexible.contains(version) ? 1 : 0;
  for (const Field& field : fields) {
    if (field.tagged.contains(version) || !field.versions.contains(version)) continue;
    if (field.is_array) {
      total += length_bytes(message, field, version);
    } else if (field.kind == Kind::structure && field.nullable.contains(version)) {
      total += 1;
    } else {
      total += item_bytes(message, field, version);
    }
  }
  return total;
}

template <typename Measure>
std::size_t least(const VersionRange& versions, Measure measure) {
  std::size_t result = std::numeric_limits<std::size_t>::max();
  for (int version = versions.first; version <= versions.last; ++version) result = std::min(result, measure(version));
  return versions.empty() ? 1 : std::max<std::size_t>(result, 1);
}

}  // namespace

std::string item_type(const Field& field) {
  switch (field.kind) {
    case Kind::boolean:
      return "bool";
    case Kind::int8:
      return "std::int8_t";
    case Kind::int16:
      return "std::int16_t";
    case Kind::uint16:
      return "std::uint16_t";
    case Kind::int32:
      return "std::int32_t";
    case Kind::uint32:
      return "std::uint32_t";
    case Kind::int64:
      return "std::int64_t";
    case Kind::float64:
      return "double";
    case Kind::uuid:
      return "Uuid";
    case Kind::string:
      return "std::string";
    case Kind::bytes:
      return "Bytes";
    case Kind::records:
      return "RecordsRef";
    case Kind::structure:
      return field.struct_name;
  }
  return "";
}

std::string member_type(const Field& field) {
  std::string type = item_type(field);
  if (field.is_array) type = "std::vector<" + type + ">";
  return field.is_nullable() ? "std::optional<" + type + ">" : type;
}

std::string initializer(const Field& field) {
  if (field.is_nullable()) {
    if (field.default_null) return "";
    const std::string inner = member_type(field).substr(std::string("std::optional<").size());
    return " = " + inner.substr(0, inner.size() - 1) + "{" + field.default_value + "}";
  }
  if (!field.default_value.empty()) return " = " + field.default_value;
  const bool is_number = !field.is_array && (field.kind < Kind::uuid);
  if (field.kind == Kind::boolean && !field.is_array) return " = false";
  return is_number ? " = 0" : "";
}

std::string is_default(const Message& message, const Field& field) {
  const std::string v = "v." + field.cpp_name;
  if (field.is_nullable()) {
    if (field.default_null) return "!" + v;
    if (field.kind == Kind::structure && !field.is_array) {
      return "(" + v + " && *" + v + " == " + message.name + "::" + field.struct_name + "{})";
    }
    return "(" + v + " && " + v + "->empty())";
  }
  if (field.is_array || field.kind == Kind::bytes) return v + ".empty()";
  if (field.kind == Kind::boolean) return field.default_value.empty() ? "!" + v : v;
  if (field.kind == Kind::uuid) return v + ".is_zero()";
  if (field.kind == Kind::structure) return v + " == " + message.name + "::" + field.struct_name + "{}";
  if (field.kind == Kind::string && field.default_value.empty()) return v + ".empty()";
  return v + " == " + (field.default_value.empty() ? "0" : field.default_value);
}

std::string condition(const Message& message, const VersionRange& range) {
  const VersionRange both = range.intersected(message.versions);
  if (both.empty()) return "false";
  const std::string from = "version >= " + std::to_string(both.first);
  const std::string to = "version <= " + std::to_string(both.last);
  const bool needs_from = both.first > message.versions.first;
  const bool needs_to = both.last < message.versions.last;
  if (needs_from && needs_to && both.first == both.last) return "version == " + std::to_string(both.first);
  if (needs_from && needs_to) return from + " && " + to;
  if (needs_from) return from;
  return needs_to ? to : "true";
}

std::size_t least_bytes(const Message& message, const std::vector<Field>& fields) {
  return least(message.versions, [&](int version) { return least_bytes(message, fields, version); });
}

std::size_t least_item_bytes(const Message& message, const Field& field) {
  return least(field.versions.intersected(message.versions),
               [&](int version) { return item_bytes(message, field, version); });
}

}  // namespace barnabas::generator
