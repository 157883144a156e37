#include "common/protocol/message_registry.h"

#include <algorithm>

namespace barnabas::protocol {
namespace {

template <typename Predicate>
const MessageInfo* first(Predicate matches) noexcept {
  const std::span<const MessageInfo> all = all_messages();
  const auto found = std::find_if(all.begin(), all.end(), matches);
  return found == all.end() ? nullptr : &*found;
}

}  // namespace

const MessageInfo* find_message(std::string_view name) noexcept {
  return first([name](const MessageInfo& info) { return info.name == name; });
}

const MessageInfo* find_message(MessageKind kind, std::int16_t key) noexcept {
  return first([kind, key](const MessageInfo& info) { return info.kind == kind && info.key == key; });
}

}  // namespace barnabas::protocol
