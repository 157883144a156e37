#pragma once

#include <string>
#include <string_view>

#include "common/bytes/result.h"

namespace barnabas::metadata {

constexpr std::string_view kClusterMetadataTopic = "__cluster_metadata";
constexpr std::size_t kMaxTopicNameLength = 249;

/// Errors: protocol::ErrorCode::invalid_topic_exception with Kafka's message, which holds the name.
/// Source: Kafka's Topic.validate.
Result<void> check_topic_name(std::string_view name);
/// __consumer_offsets, __transaction_state and __share_group_state.
bool is_internal_topic(std::string_view name) noexcept;
/// Names that differ only in '.' and '_' would share a metric's name.
bool topic_names_collide(std::string_view a, std::string_view b) noexcept;
bool has_collision_characters(std::string_view name) noexcept;

}  // namespace barnabas::metadata
