#include "broker/server/request_context.h"

#include <utility>

namespace barnabas::broker {

bool RequestContext::authorize(AclOperation, ResourceType, std::string_view) const noexcept {
  return true;
}

MutableBytesView RequestContext::mutable_bytes(BytesView in_frame) noexcept {
  const auto start = static_cast<std::size_t>(in_frame.data() - frame_.data());
  return MutableBytesView(frame_).subspan(start, in_frame.size());
}

void RequestContext::cancel() {
  cancelled_ = true;
  if (on_cancel_) on_cancel_();
}

}  // namespace barnabas::broker
