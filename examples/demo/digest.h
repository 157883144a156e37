#pragma once

#include <barnabas/record.h>
#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace demo {

using Sha256 = std::array<unsigned char, 32>;

/// SHA-256 over parts that each carry their length, so that no two different sequences look alike.
class Digest {
 public:
  Digest();
  void add_number(std::int64_t number);
  void add_bytes(std::optional<std::string_view> bytes);
  /// Of what was added since the last finish.
  Sha256 finish();

 private:
  std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context_;
};

/// Over (offset, key, value, headers, timestamp).
Sha256 digest_of(const barnabas::RecordView& record, Digest& digest);

/// The sum of a partition: over its records' digests, in order.
class PartitionDigest {
 public:
  void add(const Sha256& record);
  std::uint64_t records() const { return records_; }
  /// Hexadecimal. Call once, at the end.
  std::string finish();

 private:
  Digest digest_;
  std::uint64_t records_ = 0;
};

}  // namespace demo
