#include "examples/demo/digest.h"

#include <fmt/format.h>

#include <array>

namespace demo {

PartitionDigest::PartitionDigest() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
  EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr);
}

void PartitionDigest::add_number(std::int64_t number) {
  EVP_DigestUpdate(context_.get(), &number, sizeof number);
}

void PartitionDigest::add_bytes(std::optional<std::string_view> bytes) {
  add_number(bytes ? static_cast<std::int64_t>(bytes->size()) : -1);
  if (bytes) EVP_DigestUpdate(context_.get(), bytes->data(), bytes->size());
}

std::string PartitionDigest::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> raw{};
  unsigned size = 0;
  EVP_DigestFinal_ex(context_.get(), raw.data(), &size);
  std::string text;
  for (unsigned i = 0; i < size; ++i) text += fmt::format("{:02x}", raw[i]);
  return text;
}

}  // namespace demo
