#include "examples/demo/digest.h"

#include <fmt/format.h>

namespace demo {

Digest::Digest() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
  EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr);
}

void Digest::add_number(std::int64_t number) {
  EVP_DigestUpdate(context_.get(), &number, sizeof number);
}

void Digest::add_bytes(std::optional<std::string_view> bytes) {
  add_number(bytes ? static_cast<std::int64_t>(bytes->size()) : -1);
  if (bytes) EVP_DigestUpdate(context_.get(), bytes->data(), bytes->size());
}

Sha256 Digest::finish() {
  Sha256 raw{};
  EVP_DigestFinal_ex(context_.get(), raw.data(), nullptr);
  EVP_DigestInit_ex(context_.get(), nullptr, nullptr);
  return raw;
}

Sha256 digest_of(const barnabas::RecordView& record, Digest& digest) {
  digest.add_number(record.offset());
  digest.add_bytes(record.key());
  digest.add_bytes(record.value());
  digest.add_number(static_cast<std::int64_t>(record.headers().size()));
  for (const auto& header : record.headers()) {
    digest.add_bytes(header.key);
    digest.add_bytes(header.value);
  }
  digest.add_number(record.timestamp().time_since_epoch().count());
  return digest.finish();
}

void PartitionDigest::add(const Sha256& record) {
  digest_.add_bytes(std::string_view(reinterpret_cast<const char*>(record.data()), record.size()));
  ++records_;
}

std::string PartitionDigest::finish() {
  std::string text;
  for (const unsigned char byte : digest_.finish()) text += fmt::format("{:02x}", byte);
  return text;
}

}  // namespace demo
