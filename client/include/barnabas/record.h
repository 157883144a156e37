#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "barnabas/export.h"

namespace barnabas {
inline namespace v0 {

/// Milliseconds since 1970 (UTC), Kafka's resolution.
using Timestamp = std::chrono::sys_time<std::chrono::milliseconds>;

/// Borrowed bytes or null: Kafka tells an empty key or value from none. Made from text, bytes, nullptr or std::nullopt.
/// It does not own: what it points to must live as long as the call it is given to.
class NullableBytes {
 public:
  constexpr NullableBytes() noexcept = default;             // null
  constexpr NullableBytes(std::nullptr_t) noexcept {}       // NOLINT(google-explicit-constructor)
  constexpr NullableBytes(std::nullopt_t) noexcept {}       // NOLINT(google-explicit-constructor)
  NullableBytes(std::span<const std::byte> bytes) noexcept  // NOLINT(google-explicit-constructor)
      : data_(bytes.data()), size_(bytes.size()), is_null_(false) {}
  NullableBytes(std::string_view text) noexcept  // NOLINT(google-explicit-constructor)
      : NullableBytes(std::as_bytes(std::span(text.data(), text.size()))) {}
  NullableBytes(const std::string& text) noexcept  // NOLINT(google-explicit-constructor)
      : NullableBytes(std::string_view(text)) {}
  NullableBytes(const char* text) noexcept  // NOLINT(google-explicit-constructor)
      : NullableBytes(std::string_view(text)) {}
  NullableBytes(const std::vector<std::byte>& bytes) noexcept  // NOLINT(google-explicit-constructor)
      : NullableBytes(std::span<const std::byte>(bytes)) {}
  template <typename T>
  requires std::constructible_from<NullableBytes, const T&> NullableBytes(const std::optional<T>& value)
  noexcept {  // NOLINT(google-explicit-constructor)
    if (value) *this = NullableBytes(*value);
  }

  bool is_null() const noexcept { return is_null_; }
  std::size_t size() const noexcept { return size_; }
  std::span<const std::byte> bytes() const noexcept { return {data_, size_}; }
  std::string_view text() const noexcept { return {reinterpret_cast<const char*>(data_), size_}; }

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  bool is_null_ = true;
};

/// A header to send: a name, and a value that may be null. Borrows both.
struct Header {
  std::string_view key;
  NullableBytes value;
};

/// A record to send. Borrows everything: `send` copies the bytes into the partition's batch before it returns.
/// `producer.send({.topic = "orders", .key = "42", .value = payload})`
struct Record {
  std::string_view topic;                   ///< 1-249 of [a-zA-Z0-9._-].
  std::optional<std::int32_t> partition{};  ///< Default: the partitioner chooses.
  NullableBytes key{};
  NullableBytes value{};
  std::span<const Header> headers{};
  std::optional<Timestamp> timestamp{};  ///< Default: now.
};

/// A header that was read. The views live as long as the Records they came from.
struct HeaderView {
  std::string_view key;
  std::optional<std::string_view> value;
};

/// The headers of a record that was read, decoded as they are walked over. A copyable view.
class BARNABAS_API HeadersView {
 public:
  class BARNABAS_API Iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = HeaderView;
    using difference_type = std::ptrdiff_t;
    using pointer = const HeaderView*;
    using reference = const HeaderView&;

    Iterator() = default;
    reference operator*() const noexcept { return current_; }
    pointer operator->() const noexcept { return &current_; }
    Iterator& operator++() {
      if (--left_ > 0) decode();
      return *this;
    }
    Iterator operator++(int) {
      Iterator before = *this;
      ++*this;
      return before;
    }
    friend bool operator==(const Iterator& a, const Iterator& b) noexcept { return a.left_ == b.left_; }

   private:
    friend class HeadersView;
    Iterator(const std::byte* at, std::int32_t count) : at_(at), left_(count) {
      if (left_ > 0) decode();
    }
    void decode();

    const std::byte* at_ = nullptr;
    std::int32_t left_ = 0;
    HeaderView current_;
  };

  HeadersView() = default;
  /// `encoded`: the headers of a checked v2 record, behind their count.
  HeadersView(const std::byte* encoded, std::int32_t count) noexcept : encoded_(encoded), count_(count) {}

  std::size_t size() const noexcept { return static_cast<std::size_t>(count_); }
  bool empty() const noexcept { return count_ == 0; }
  Iterator begin() const { return {encoded_, count_}; }
  Iterator end() const { return {}; }
  /// The last header of that name (the one Kafka's lastHeader gives); none where there is none.
  std::optional<HeaderView> find(std::string_view key) const;

 private:
  const std::byte* encoded_ = nullptr;
  std::int32_t count_ = 0;
};

/// What a record's time stamp means.
enum class TimestampType : std::int8_t {
  none = -1,            ///< The record has no time stamp (it was written by something very old).
  create_time = 0,      ///< Set by the producer.
  log_append_time = 1,  ///< Set by the broker.
};

class OwnedRecord;

/// A record that was read, in place: its views point into the fetched batch, and live exactly as long as the `Records`
/// that poll returned (or any copy of it). Take `OwnedRecord(view)` for longer. Threads: read-only, any.
class BARNABAS_API RecordView {
 public:
  const std::string& topic() const noexcept { return *topic_; }
  std::int32_t partition() const noexcept { return partition_; }
  std::int64_t offset() const noexcept { return offset_; }
  Timestamp timestamp() const noexcept { return Timestamp(std::chrono::milliseconds(timestamp_ms_)); }
  TimestampType timestamp_type() const noexcept { return timestamp_type_; }
  /// Of the leader that appended the batch; -1 where unknown.
  std::int32_t leader_epoch() const noexcept { return leader_epoch_; }
  std::optional<std::string_view> key() const noexcept { return text(key_, key_bytes_); }
  std::optional<std::string_view> value() const noexcept { return text(value_, value_bytes_); }
  std::optional<std::span<const std::byte>> key_bytes() const noexcept { return bytes(key_, key_bytes_); }
  std::optional<std::span<const std::byte>> value_bytes() const noexcept { return bytes(value_, value_bytes_); }
  HeadersView headers() const noexcept { return {headers_, header_count_}; }

  /// The fields of a view; made by the library.
  struct Parts {
    const std::string* topic = nullptr;
    std::int32_t partition = 0;
    std::int32_t leader_epoch = -1;
    std::int64_t offset = 0;
    std::int64_t timestamp_ms = -1;
    const std::byte* key = nullptr;
    std::int32_t key_bytes = -1;  ///< -1: null.
    const std::byte* value = nullptr;
    std::int32_t value_bytes = -1;  ///< -1: null.
    const std::byte* headers = nullptr;
    std::int32_t header_count = 0;
    TimestampType timestamp_type = TimestampType::create_time;
  };
  RecordView() = default;
  explicit RecordView(const Parts& p) noexcept
      : topic_(p.topic),
        offset_(p.offset),
        timestamp_ms_(p.timestamp_ms),
        key_(p.key),
        value_(p.value),
        headers_(p.headers),
        partition_(p.partition),
        leader_epoch_(p.leader_epoch),
        key_bytes_(p.key_bytes),
        value_bytes_(p.value_bytes),
        header_count_(p.header_count),
        timestamp_type_(p.timestamp_type) {}

 private:
  static std::optional<std::string_view> text(const std::byte* at, std::int32_t size) noexcept {
    if (size < 0) return std::nullopt;
    return std::string_view(reinterpret_cast<const char*>(at), static_cast<std::size_t>(size));
  }
  static std::optional<std::span<const std::byte>> bytes(const std::byte* at, std::int32_t size) noexcept {
    if (size < 0) return std::nullopt;
    return std::span<const std::byte>(at, static_cast<std::size_t>(size));
  }

  const std::string* topic_ = nullptr;
  std::int64_t offset_ = 0;
  std::int64_t timestamp_ms_ = -1;
  const std::byte* key_ = nullptr;
  const std::byte* value_ = nullptr;
  const std::byte* headers_ = nullptr;
  std::int32_t partition_ = 0;
  std::int32_t leader_epoch_ = -1;
  std::int32_t key_bytes_ = -1;
  std::int32_t value_bytes_ = -1;
  std::int32_t header_count_ = 0;
  TimestampType timestamp_type_ = TimestampType::create_time;
};

/// A record with bytes of its own, for keeping.
class BARNABAS_API OwnedRecord {
 public:
  struct OwnedHeader {
    std::string key;
    std::optional<std::string> value;
    friend bool operator==(const OwnedHeader&, const OwnedHeader&) = default;
  };

  OwnedRecord() = default;
  explicit OwnedRecord(const RecordView& view);

  std::string topic;
  std::int32_t partition = 0;
  std::int64_t offset = -1;
  Timestamp timestamp{};
  TimestampType timestamp_type = TimestampType::create_time;
  std::int32_t leader_epoch = -1;
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<OwnedHeader> headers;
};

}  // namespace v0
}  // namespace barnabas
