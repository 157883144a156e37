#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/bytes/reader.h"
#include "common/bytes/result.h"
#include "common/bytes/writer.h"
#include "common/protocol/records_ref.h"
#include "common/protocol/tagged_fields.h"

/// What the generated messages are made of: they call these for whatever is more than a number.
namespace barnabas::protocol {

/// Reads one message of one version. A malformed one makes the reader fail for good.
class Decoder {
 public:
  Decoder(Reader& reader, std::int16_t message_version, bool is_flexible) noexcept
      : in(reader), version(message_version), flexible(is_flexible) {}

  Reader& in;
  const std::int16_t version;
  const bool flexible;

  void text(std::string& to);
  void text(std::optional<std::string>& to, bool nullable);
  void bytes(Bytes& to);
  void bytes(std::optional<Bytes>& to, bool nullable);
  void records(std::optional<RecordsRef>& to, bool nullable);

  /// The byte before a nullable struct: negative where it is null.
  bool present(bool nullable) noexcept;
  /// The same where the struct is a tagged field: Kafka writes 0 for null there.
  bool present_in_tag(bool nullable) noexcept;
  /// How many items come: never more than there are bytes left.
  std::size_t array_size() noexcept;
  /// False where the array is null.
  bool array_size(std::size_t& count, bool nullable) noexcept;
  /// How many items to make room for at once: an item takes at least `item_bytes` of what is left.
  std::size_t room(std::size_t count, std::size_t item_bytes) const noexcept;
  bool more(std::size_t& count) const noexcept { return count > 0 && !in.failed() && count-- > 0; }

  template <typename Item>
  void array(std::vector<Item>& to) {
    items(to, array_size());
  }
  template <typename Item>
  void array(std::optional<std::vector<Item>>& to, bool nullable) {
    std::size_t count = 0;
    if (array_size(count, nullable)) {
      items(to.emplace(), count);
    } else {
      to.reset();
    }
  }
  /// Reads over the tagged fields of a struct that knows none.
  void tags(TaggedFields& unknown);

 private:
  std::optional<std::size_t> checked_length(bool nullable, bool short_length) noexcept;
  void items(std::vector<std::int8_t>& to, std::size_t count);
  void items(std::vector<std::int16_t>& to, std::size_t count);
  void items(std::vector<std::int32_t>& to, std::size_t count);
  void items(std::vector<std::int64_t>& to, std::size_t count);
  void items(std::vector<std::string>& to, std::size_t count);
  void items(std::vector<Uuid>& to, std::size_t count);
};

/// Walks over the tagged fields of one struct. Each is read from exactly the bytes that its size names.
class TagReader {
 public:
  explicit TagReader(Decoder& decoder) noexcept;

  /// False after the last.
  bool next() noexcept;
  std::uint32_t tag() const noexcept { return tag_; }
  Decoder& value() noexcept { return value_; }
  void keep(TaggedFields& unknown);

 private:
  void close() noexcept;

  Decoder& outer_;
  std::uint32_t left_;
  std::uint32_t tag_ = 0;
  bool open_ = false;
  Reader bytes_{{}};
  Decoder value_;
};

/// Why a message cannot be written; the first reason stays.
struct EncodeProblem {
  Errc code = Errc::ok;
  const char* field = "";
};

/// Writes one message of one version.
class Encoder {
 public:
  Encoder(Writer& writer, std::int16_t message_version, bool is_flexible, EncodeProblem& why) noexcept
      : out(writer), version(message_version), flexible(is_flexible), problem(why) {}

  Writer& out;
  const std::int16_t version;
  const bool flexible;
  EncodeProblem& problem;

  /// The field has a value that this version cannot carry, and whose loss the peer would not notice.
  void refuse(const char* field, Errc code = Errc::unsupported_version) noexcept;

  void text(std::string_view value, const char* field);
  void text(const std::optional<std::string>& value, bool nullable, const char* field);
  void bytes(BytesView value);
  void bytes(const std::optional<Bytes>& value, bool nullable, const char* field);
  void records(const std::optional<RecordsRef>& value, bool nullable, const char* field);
  void present(bool is_present, bool nullable, const char* field);
  void present_in_tag(bool is_present, bool nullable, const char* field);
  void array_size(std::size_t count);
  void null_array(bool nullable, const char* field);

  template <typename Item>
  void array(const std::vector<Item>& value) {
    items(value);
  }
  template <typename Item>
  void array(const std::optional<std::vector<Item>>& value, bool nullable, const char* field) {
    value ? items(*value) : null_array(nullable, field);
  }
  /// For a struct that knows no tagged fields.
  void tags(const TaggedFields& unknown);

 private:
  void items(const std::vector<std::int8_t>& value);
  void items(const std::vector<std::int16_t>& value);
  void items(const std::vector<std::int32_t>& value);
  void items(const std::vector<std::int64_t>& value);
  void items(const std::vector<std::string>& value);
  void items(const std::vector<Uuid>& value);
};

/// Collects the tagged fields of one struct in the order of their tags, unknown ones in between, and writes them at the
/// end.
class TagWriter {
 public:
  TagWriter(Encoder& encoder, const TaggedFields& unknown);

  /// Write the field's value to what this returns, then call end().
  Encoder& begin(std::uint32_t tag);
  void end();
  void finish();

 private:
  void add(std::uint32_t tag, BytesView data);
  void add_unknown_below(std::uint64_t tag);

  Encoder& outer_;
  std::vector<const TaggedField*> unknown_;
  std::size_t next_unknown_ = 0;
  std::uint32_t count_ = 0;
  std::uint32_t tag_ = 0;
  Writer fields_;
  Writer value_bytes_;
  Encoder value_;
};

/// Errc::unsupported_version, with the message's name, where the version is not between the two.
Result<void> check_version(const char* message, std::int16_t version, std::int16_t min, std::int16_t max);
Result<void> encoded(const EncodeProblem& problem, const char* message, std::int16_t version);
tl::unexpected<Failure> malformed(const char* message, std::int16_t version);

}  // namespace barnabas::protocol
