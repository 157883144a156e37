#pragma once

#include <string>

#include "common/protocol/generator/schema.h"

/// How schema types and version ranges look in C++.
namespace barnabas::generator {

/// The type of one item, without vector and optional.
std::string item_type(const Field& field);
std::string member_type(const Field& field);
/// " = 5", or nothing where the type's own zero is the default.
std::string initializer(const Field& field);
/// An expression over `v` that says whether the field has its default.
std::string is_default(const Message& message, const Field& field);

/// A condition on `version` that holds exactly in `range`, given that the message's own versions hold; "true" and
/// "false" where nothing needs to be asked.
std::string condition(const Message& message, const VersionRange& range);
/// The least bytes that the struct takes in any version.
std::size_t least_bytes(const Message& message, const std::vector<Field>& fields);
std::size_t least_item_bytes(const Message& message, const Field& field);

}  // namespace barnabas::generator
