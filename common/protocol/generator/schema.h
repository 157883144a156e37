#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace barnabas::generator {

constexpr int kNoVersion = 32767;

/// "3-7", "4+", "2" or "none".
struct VersionRange {
  int first = kNoVersion;
  int last = -1;

  bool empty() const { return first > last; }
  bool contains(int version) const { return version >= first && version <= last; }
  bool covers(const VersionRange& other) const { return first <= other.first && last >= other.last; }
  VersionRange intersected(const VersionRange& other) const;
  static VersionRange parse(const std::string& text);
};

enum class Kind {
  boolean,
  int8,
  int16,
  uint16,
  int32,
  uint32,
  int64,
  float64,
  uuid,
  string,
  bytes,
  records,
  structure
};

struct Field {
  std::string json_name;  ///< camelCase, as Kafka writes it.
  std::string cpp_name;
  Kind kind = Kind::boolean;
  std::string struct_name;  ///< Of a structure.
  bool is_array = false;
  VersionRange versions;
  VersionRange nullable;
  VersionRange tagged;
  unsigned tag = 0;
  bool ignorable = false;
  bool never_flexible = false;  ///< The client id in a request header.
  bool default_null = false;
  std::string default_value;  ///< A C++ literal; empty for the type's own zero.

  /// Records always are: Kafka's default is null, even where null cannot be written.
  bool is_nullable() const { return !nullable.empty() || kind == Kind::records; }
};

struct Struct {
  std::string name;
  std::vector<Field> fields;
};

struct Message {
  std::string name;
  std::string kind;
  int key = -1;  ///< API key or record type.
  VersionRange versions;
  VersionRange flexible;
  std::vector<Field> fields;
  std::vector<Struct> structs;  ///< In an order in which each needs only those before it.

  const Struct& struct_named(const std::string& struct_name) const;
};

/// "KRaftVersionRecord" to "kraft_version_record".
std::string snake_case(const std::string& name);
/// The file of a message: its name without Request or Response.
std::string stem_of(const std::string& message_name);

/// Errors: throws std::runtime_error with the message's name; the build stops.
Message parse_message(const nlohmann::ordered_json& json);

}  // namespace barnabas::generator
