#include <cstdint>
#include <cstdlib>

#include "common/bytes/reader.h"
#include "common/bytes/writer.h"
#include "common/protocol/headers.h"
#include "common/protocol/message_registry.h"

/// A request as it comes off a connection, without its size: header, then the body that the header names.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace barnabas;
  Reader in(BytesView(reinterpret_cast<const std::byte*>(data), size));
  const auto header = protocol::decode_request_header(in);
  if (!header) return 0;
  const auto* api = protocol::find_api(header->request_api_key);
  if (api == nullptr) std::abort();
  const auto* info = protocol::find_message(protocol::MessageKind::request, header->request_api_key);
  if (info == nullptr) return 0;
  Writer out;
  const auto done = info->recode(in, header->request_api_version, &out, nullptr);
  if (done && !api->supports(header->request_api_version)) std::abort();
  if (in.position() > size) std::abort();
  return 0;
}
