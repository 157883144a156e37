#include "client/producer/plain_answer.h"

#include "common/protocol/messages/produce.h"

namespace barnabas::client {
namespace {

using protocol::ProduceResponse;

constexpr std::int16_t kFirstVersionWithIds = 13;
constexpr std::int16_t kFirstVersionWithMessages = 8;
constexpr std::int16_t kFirstVersionWithStartOffset = 5;

}  // namespace

PlainAnswer::PlainAnswer(BytesView body, std::int16_t version)
    : version_(version),
      is_flexible_(version >= ProduceResponse::kFirstFlexibleVersion),
      in_(body),
      topics_left_(count()) {}

bool PlainAnswer::is_plain(BytesView body, std::int16_t version) {
  if (version < ProduceResponse::kMinVersion || version > ProduceResponse::kMaxVersion) return false;
  PlainAnswer answer(body, version);
  StoredBatch stored;
  while (answer.next(stored)) continue;
  return answer.ended_;
}

bool PlainAnswer::next(StoredBatch& stored) {
  while (partitions_left_ == 0) {
    if (!next_topic(stored)) return false;
  }
  stored.partition = in_.int32();
  const std::int16_t error = in_.int16();
  stored.base_offset = in_.int64();
  stored.log_append_time_ms = in_.int64();
  if (version_ >= kFirstVersionWithStartOffset) in_.skip(sizeof(std::int64_t));
  const bool is_silent = version_ < kFirstVersionWithMessages || (count() == 0 && has_no_text());
  if (error != 0 || !is_silent || !has_no_tags() || in_.failed()) return false;
  if (--partitions_left_ == 0) return has_no_tags();
  return true;
}

/// False at the end of the answer too.
bool PlainAnswer::next_topic(StoredBatch& stored) {
  if (topics_left_ == 0) {
    const std::int32_t throttle_ms = in_.int32();
    ended_ = throttle_ms == 0 && has_no_tags() && !in_.failed() && in_.remaining() == 0;
    return false;
  }
  --topics_left_;
  if (version_ >= kFirstVersionWithIds) {
    stored.topic_id = in_.uuid();
  } else {
    const auto length = is_flexible_ ? in_.nullable_compact_length() : in_.nullable_length16();
    stored.topic = in_.text(in_.not_null(length));
  }
  partitions_left_ = count();
  return partitions_left_ > 0 && !in_.failed();  // a topic without partitions is odd
}

std::size_t PlainAnswer::count() {
  return in_.not_null(is_flexible_ ? in_.nullable_compact_length() : in_.nullable_length32());
}

bool PlainAnswer::has_no_text() {
  return !(is_flexible_ ? in_.nullable_compact_length() : in_.nullable_length16());
}

bool PlainAnswer::has_no_tags() {
  return !is_flexible_ || in_.unsigned_varint() == 0;
}

}  // namespace barnabas::client
