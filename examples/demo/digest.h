#pragma once

#include <openssl/evp.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace demo {

/// SHA-256 over (offset, key, value, headers, timestamp) of a partition's records, in order. Every part carries its
/// length, so that no two different sequences look alike.
class PartitionDigest {
 public:
  PartitionDigest();
  void add_number(std::int64_t number);
  void add_bytes(std::optional<std::string_view> bytes);
  void count_record() { ++records_; }
  std::uint64_t records() const { return records_; }
  /// Hexadecimal. Call once, at the end.
  std::string finish();

 private:
  std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context_;
  std::uint64_t records_ = 0;
};

}  // namespace demo
