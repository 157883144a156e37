#include "common/protocol/generator/cpp_writer.h"

#include <algorithm>
#include <set>

#include "common/protocol/generator/cpp_types.h"

namespace barnabas::generator {
namespace {

const std::string kNotice = "// Generated from common/protocol/schemas; not kept in the repository.\n";

std::string number(int value) {
  return std::to_string(value);
}
std::string quoted(const std::string& text) {
  return "\"" + text + "\"";
}

/// `body` under a condition, in one line or block; nothing where it never holds.
std::string when(const std::string& condition, const std::string& body) {
  if (condition == "true") return body;
  if (condition == "false" || body.empty()) return "";
  return "  if (" + condition + ") {\n" + body + "  }\n";
}

std::string members(const std::vector<Field>& fields, const std::string& indent) {
  std::string out;
  for (const Field& f : fields) out += indent + member_type(f) + " " + f.cpp_name + initializer(f) + ";\n";
  return out + indent + "TaggedFields unknown_tagged_fields;\n";
}

std::string declaration(const Message& m) {
  const std::string kind = m.kind;
  std::string out =
      "/// " + m.name + ", versions " + number(m.versions.first) + " to " + number(m.versions.last) + ".\n";
  out += "struct " + m.name + " {\n";
  if (kind == "request" || kind == "response") {
    out += "  static constexpr ApiKey kApiKey = static_cast<ApiKey>(" + number(m.key) + ");\n";
  } else if (m.key >= 0) {
    out += "  static constexpr std::int16_t kRecordType = " + number(m.key) + ";\n";
  }
  out += "  static constexpr const char* kName = " + quoted(m.name) + ";\n";
  out += "  static constexpr std::int16_t kMinVersion = " + number(m.versions.first) + ";\n";
  out += "  static constexpr std::int16_t kMaxVersion = " + number(m.versions.last) + ";\n";
  out += "  static constexpr std::int16_t kFirstFlexibleVersion = " + number(m.flexible.first) + ";\n\n";
  for (const Struct& s : m.structs) {
    out += "  struct " + s.name + " {\n" + members(s.fields, "    ");
    out += "\n    bool operator==(const " + s.name + "&) const = default;\n  };\n\n";
  }
  out += members(m.fields, "  ") + "\n";
  out += "  bool operator==(const " + m.name + "&) const = default;\n";
  out += "  Result<void> encode(Writer& out, std::int16_t message_version) const;\n";
  out += "  static Result<" + m.name + "> decode(Reader& in, std::int16_t message_version);\n";
  out += "  nlohmann::json to_json(std::int16_t message_version) const;\n};\n\n";
  return out;
}

// Reading.

std::string read_item(const Message& m, const Field& f, const std::string& d, const std::string& to) {
  switch (f.kind) {
    case Kind::boolean:
      return to + " = " + d + ".in.boolean();\n";
    case Kind::int8:
      return to + " = " + d + ".in.int8();\n";
    case Kind::int16:
      return to + " = " + d + ".in.int16();\n";
    case Kind::uint16:
      return to + " = " + d + ".in.uint16();\n";
    case Kind::int32:
      return to + " = " + d + ".in.int32();\n";
    case Kind::uint32:
      return to + " = " + d + ".in.uint32();\n";
    case Kind::int64:
      return to + " = " + d + ".in.int64();\n";
    case Kind::float64:
      return to + " = " + d + ".in.float64();\n";
    case Kind::uuid:
      return to + " = " + d + ".in.uuid();\n";
    case Kind::string:
    case Kind::bytes: {
      const std::string call = f.kind == Kind::string ? "text" : "bytes";
      const std::string from = f.never_flexible ? "Decoder(" + d + ".in, version, false)" : d;
      return from + "." + call + "(" + to + (f.is_nullable() ? ", " + condition(m, f.nullable) : "") + ");\n";
    }
    case Kind::records:
      return d + ".records(" + to + ", " + condition(m, f.nullable) + ");\n";
    case Kind::structure:
      return "read(" + d + ", " + to + ");\n";
  }
  return "";
}

std::string read_struct_array(const Message& m, const Field& f, const std::string& d) {
  const std::string v = "v." + f.cpp_name;
  const std::string room = "room(n, " + std::to_string(least_item_bytes(m, f)) + ")";
  if (!f.is_nullable()) {
    return "    {\n      std::size_t n = " + d + ".array_size();\n      " + v + ".reserve(" + d + "." + room + ");\n" +
           "      while (" + d + ".more(n)) read(" + d + ", " + v + ".emplace_back());\n    }\n";
  }
  return "    if (std::size_t n = 0; " + d + ".array_size(n, " + condition(m, f.nullable) +
         ")) {\n      auto& items = " + v + ".emplace();\n      items.reserve(" + d + "." + room + ");\n      while (" +
         d + ".more(n)) read(" + d + ", items.emplace_back());\n    } else {\n      " + v + ".reset();\n    }\n";
}

std::string read_field(const Message& m, const Field& f, const std::string& d) {
  const std::string v = "v." + f.cpp_name;
  if (f.is_array && f.kind == Kind::structure) return read_struct_array(m, f, d);
  if (f.is_array) return "    " + d + ".array(" + v + (f.is_nullable() ? ", " + condition(m, f.nullable) : "") + ");\n";
  if (f.kind == Kind::structure && f.is_nullable()) {
    const std::string present = d == "d" ? ".present(" : ".present_in_tag(";
    return "    if (" + d + present + condition(m, f.nullable) + ")) {\n      read(" + d + ", " + v + ".emplace(" +
           m.name + "::" + f.struct_name + "{}));\n    } else {\n      " + v + ".reset();\n    }\n";
  }
  return "    " + read_item(m, f, d, v);
}

std::string read_tags(const Message& m, const std::vector<Field>& fields) {
  std::string cases;
  for (const Field& f : fields) {
    const std::string holds = condition(m, f.tagged);
    if (f.tagged.empty() || holds == "false") continue;
    cases += std::string(cases.empty() ? "    " : "    else ") + "if (tag.tag() == " + std::to_string(f.tag) +
             (holds == "true" ? "" : " && " + holds) + ") {\n" + read_field(m, f, "tag.value()") + "    }\n";
  }
  if (cases.empty()) return "  d.tags(v.unknown_tagged_fields);\n";
  return "  if (!d.flexible) return;\n  for (TagReader tag(d); tag.next();) {\n" + cases +
         "    else tag.keep(v.unknown_tagged_fields);\n  }\n";
}

std::string reader(const Message& m, const std::string& type, const std::vector<Field>& fields) {
  std::string out = "static void read(Decoder& d, [[maybe_unused]] " + type + "& v) {\n";
  out += "  [[maybe_unused]] const std::int16_t version = d.version;\n";
  for (const Field& f : fields) {
    VersionRange plain = f.versions;
    // A tagged field is plain in the versions before it was tagged.
    if (!f.tagged.empty()) plain.last = std::min(plain.last, f.tagged.first - 1);
    out += when(condition(m, plain), read_field(m, f, "d"));
  }
  return out + read_tags(m, fields) + "}\n\n";
}

// Writing.

std::string write_item(const Message& m, const Field& f, const std::string& e, const std::string& from) {
  const std::string name = quoted(f.json_name);
  switch (f.kind) {
    case Kind::boolean:
      return e + ".out.boolean(" + from + ");\n";
    case Kind::int8:
      return e + ".out.int8(" + from + ");\n";
    case Kind::int16:
      return e + ".out.int16(" + from + ");\n";
    case Kind::uint16:
      return e + ".out.uint16(" + from + ");\n";
    case Kind::int32:
      return e + ".out.int32(" + from + ");\n";
    case Kind::uint32:
      return e + ".out.uint32(" + from + ");\n";
    case Kind::int64:
      return e + ".out.int64(" + from + ");\n";
    case Kind::float64:
      return e + ".out.float64(" + from + ");\n";
    case Kind::uuid:
      return e + ".out.uuid(" + from + ");\n";
    case Kind::string: {
      const std::string to = f.never_flexible ? "Encoder(" + e + ".out, version, false, " + e + ".problem)" : e;
      return to + ".text(" + from + (f.is_nullable() ? ", " + condition(m, f.nullable) : "") + ", " + name + ");\n";
    }
    case Kind::bytes:
      return e + ".bytes(" + from + (f.is_nullable() ? ", " + condition(m, f.nullable) + ", " + name : "") + ");\n";
    case Kind::records:
      return e + ".records(" + from + ", " + condition(m, f.nullable) + ", " + name + ");\n";
    case Kind::structure:
      return "write(" + e + ", " + from + ");\n";
  }
  return "";
}

std::string write_field(const Message& m, const Field& f, const std::string& e) {
  const std::string v = "v." + f.cpp_name;
  const std::string null_arguments = condition(m, f.nullable) + ", " + quoted(f.json_name);
  if (f.is_array && f.kind == Kind::structure) {
    const std::string items = f.is_nullable() ? "*" + v : v;
    const std::string size = f.is_nullable() ? v + "->size()" : v + ".size()";
    const std::string loop =
        "    " + e + ".array_size(" + size + ");\n    for (const auto& item : " + items + ") write(" + e + ", item);\n";
    if (!f.is_nullable()) return loop;
    return "    if (" + v + ") {\n" + loop + "    } else {\n    " + e + ".null_array(" + null_arguments + ");\n    }\n";
  }
  if (f.is_array) return "    " + e + ".array(" + v + (f.is_nullable() ? ", " + null_arguments : "") + ");\n";
  if (f.kind == Kind::structure && f.is_nullable()) {
    const std::string present = e == "e" ? ".present(" : ".present_in_tag(";
    return "    " + e + present + v + ".has_value(), " + null_arguments + ");\n    if (" + v + ") write(" + e + ", *" +
           v + ");\n";
  }
  return "    " + write_item(m, f, e, v);
}

std::string write_tags(const Message& m, const std::vector<Field>& fields) {
  std::vector<const Field*> tagged;
  for (const Field& f : fields) {
    if (!f.tagged.intersected(m.versions).empty()) tagged.push_back(&f);
  }
  if (tagged.empty()) return "  e.tags(v.unknown_tagged_fields);\n";
  std::sort(tagged.begin(), tagged.end(), [](const Field* a, const Field* b) { return a->tag < b->tag; });
  std::string out = "  TagWriter tags(e, v.unknown_tagged_fields);\n";
  for (const Field* f : tagged) {
    const std::string holds = condition(m, f->tagged);
    out += "  if (" + (holds == "true" ? "" : holds + " && ") + "!(" + is_default(m, *f) +
           ")) {\n    Encoder& t = tags.begin(" + std::to_string(f->tag) + ");\n" + write_field(m, *f, "t") +
           "    tags.end();\n  }\n";
  }
  return out + "  tags.finish();\n";
}

/// A field that a version lacks must have its default there, or be one that may be left out.
std::string refuse_field(const Message& m, const Field& f) {
  const std::string known = condition(m, f.versions);
  if (known == "true" || f.ignorable) return "";
  const std::string lacks = known == "false" ? "" : "!(" + known + ") && ";
  return "  if (" + lacks + "!(" + is_default(m, f) + ")) e.refuse(" + quoted(f.json_name) + ");\n";
}

std::string writer(const Message& m, const std::string& type, const std::vector<Field>& fields) {
  std::string out = "static void write(Encoder& e, [[maybe_unused]] const " + type + "& v) {\n";
  out += "  [[maybe_unused]] const std::int16_t version = e.version;\n";
  for (const Field& f : fields) {
    VersionRange plain = f.versions;
    if (!f.tagged.empty()) plain.last = std::min(plain.last, f.tagged.first - 1);
    out += when(condition(m, plain), write_field(m, f, "e")) + refuse_field(m, f);
  }
  return out + write_tags(m, fields) + "}\n\n";
}

// JSON.

std::string json_item(const Field& f, const std::string& name, const std::string& from) {
  switch (f.kind) {
    case Kind::boolean:
      return "j.boolean(" + name + ", " + from + ");\n";
    case Kind::float64:
      return "j.number(" + name + ", " + from + ");\n";
    case Kind::uuid:
      return "j.uuid(" + name + ", " + from + ");\n";
    case Kind::string:
      return "j.text(" + name + ", " + from + ");\n";
    case Kind::bytes:
      return "j.bytes(" + name + ", " + from + ");\n";
    case Kind::records:
      return "j.records(" + name + ", " + from + ");\n";
    case Kind::structure:
      return "j.begin_object(" + name + ");\n    show(j, " + from + ");\n    j.end();\n";
    default:
      return "j.integer(" + name + ", " + from + ");\n";
  }
}

std::string json_field(const Field& f) {
  const std::string v = "v." + f.cpp_name;
  const std::string name = quoted(f.json_name);
  if (f.kind != Kind::structure)
    return "    " + (f.is_array ? "j.array(" + name + ", " + v + ");\n" : json_item(f, name, v));
  const std::string value = f.is_nullable() ? "*" + v : v;
  std::string body = "    " + json_item(f, name, value);
  if (f.is_array) {
    body = "    j.begin_array(" + name + ");\n    for (const auto& item : " + value +
           ") {\n    j.begin_object(nullptr);\n    show(j, item);\n    j.end();\n    }\n    j.end();\n";
  }
  if (!f.is_nullable()) return body;
  return "    if (" + v + ") {\n" + body + "    } else {\n    j.null(" + name + ");\n    }\n";
}

std::string shower(const Message& m, const std::string& type, const std::vector<Field>& fields) {
  std::string out = "static void show([[maybe_unused]] JsonWriter& j, [[maybe_unused]] const " + type + "& v) {\n";
  out += "  [[maybe_unused]] const std::int16_t version = j.version;\n";
  for (const Field& f : fields) {
    VersionRange plain = f.versions;
    if (!f.tagged.empty()) plain.last = std::min(plain.last, f.tagged.first - 1);
    out += when(condition(m, plain), json_field(f));
    const std::string tagged = condition(m, f.tagged);
    if (f.tagged.empty() || tagged == "false") continue;
    out += when((tagged == "true" ? "" : tagged + " && ") + "!(" + is_default(m, f) + ")", json_field(f));
  }
  return out + "}\n\n";
}

std::string entry_points(const Message& m) {
  const std::string name = m.name;
  std::string out;
  out += "Result<void> " + name + "::encode(Writer& out, std::int16_t message_version) const {\n";
  out += "  if (auto known = check_version(kName, message_version, kMinVersion, kMaxVersion); !known) return known;\n";
  out += "  EncodeProblem problem;\n";
  out += "  Encoder e(out, message_version, message_version >= kFirstFlexibleVersion, problem);\n  write(e, *this);\n";
  out += "  return encoded(problem, kName, message_version);\n}\n\n";
  out += "Result<" + name + "> " + name + "::decode(Reader& in, std::int16_t message_version) {\n";
  out +=
      "  if (auto known = check_version(kName, message_version, kMinVersion, kMaxVersion); !known) return "
      "failure(known.error());\n";
  out += "  Result<" + name + "> message{};\n";
  out += "  Decoder d(in, message_version, message_version >= kFirstFlexibleVersion);\n  read(d, *message);\n";
  out += "  if (in.failed()) return malformed(kName, message_version);\n  return message;\n}\n\n";
  out += "void put_json(JsonWriter& j, const " + name + "& v) { show(j, v); }\n\n";
  return out;
}

}  // namespace

std::string header_of(const std::vector<Message>& messages) {
  std::string out = kNotice + "#pragma once\n\n";
  out +=
      "#include <cstdint>\n#include <nlohmann/json_fwd.hpp>\n#include <optional>\n#include <string>\n#include "
      "<vector>\n\n";
  for (const std::string file : {"bytes/bytes", "bytes/reader", "bytes/result", "bytes/uuid", "bytes/writer",
                                 "protocol/api_keys", "protocol/records_ref", "protocol/tagged_fields"}) {
    out += "#include \"common/" + file + ".h\"\n";
  }
  out += "\nnamespace barnabas::protocol {\n\n";
  for (const Message& m : messages) out += declaration(m);
  return out + "}  // namespace barnabas::protocol\n";
}

std::string source_of(const std::string& stem, const std::vector<Message>& messages) {
  std::string out = kNotice + "#include \"common/protocol/messages/" + stem + ".h\"\n\n";
  out += "#include \"common/protocol/codec.h\"\n#include \"common/protocol/json_writer.h\"\n\n";
  out += "namespace barnabas::protocol {\n\n";
  for (const Message& m : messages) {
    for (const auto function : {reader, writer, shower}) {
      for (const Struct& s : m.structs) out += function(m, m.name + "::" + s.name, s.fields);
      out += function(m, m.name, m.fields);
    }
    out += entry_points(m);
  }
  return out + "}  // namespace barnabas::protocol\n";
}

std::string registry_of(const std::vector<Message>& messages) {
  std::set<std::string> stems;
  for (const Message& m : messages) stems.insert(stem_of(m.name));
  std::string out = kNotice + "#include <nlohmann/json.hpp>\n\n";
  out += "#include \"common/protocol/json_writer.h\"\n#include \"common/protocol/message_registry.h\"\n";
  for (const std::string& stem : stems) out += "#include \"common/protocol/messages/" + stem + ".h\"\n";
  out += "\nnamespace barnabas::protocol {\n\n";
  for (const Message& m : messages) {
    out += "void put_json(JsonWriter& j, const " + m.name + "& v);\n";
    out += "nlohmann::json " + m.name +
           "::to_json(std::int16_t message_version) const {\n  JsonWriter j(message_version);\n";
    out += "  put_json(j, *this);\n  return j.take();\n}\n\n";
  }
  out += "template <typename T>\n";
  out += "static Result<void> recode(Reader& in, std::int16_t version, Writer* out, nlohmann::json* json) {\n";
  out += "  const Result<T> message = T::decode(in, version);\n  if (!message) return failure(message.error());\n";
  out += "  if (json != nullptr) *json = message->to_json(version);\n";
  out += "  return out == nullptr ? Result<void>{} : message->encode(*out, version);\n}\n\n";
  out += "std::span<const MessageInfo> all_messages() noexcept {\n  static constexpr MessageInfo kAll[] = {\n";
  for (const Message& m : messages) {
    std::string kind = m.kind;
    std::replace(kind.begin(), kind.end(), '-', '_');
    out += "      MessageInfo{" + quoted(m.name) + ", MessageKind::" + kind + ", " + number(m.key) + ", " +
           number(m.versions.first) + ", " + number(m.versions.last) + ", " + number(m.flexible.first) + ", &recode<" +
           m.name + ">},\n";
  }
  return out + "  };\n  return kAll;\n}\n\n}  // namespace barnabas::protocol\n";
}

}  // namespace barnabas::generator
