#include "client/producer/record_input.h"

namespace barnabas::client {

std::span<const record::HeaderView> headers_of(const Record& record) {
  thread_local std::vector<record::HeaderView> room;
  room.clear();
  for (const Header& header : record.headers) room.push_back({header.key, field_of(header.value)});
  return room;
}

}  // namespace barnabas::client
