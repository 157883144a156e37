#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/net/byte_stream.h"

namespace barnabas::net {

/// Like tcp_network(), with names of its own: each has these numeric addresses, in this order; all others are resolved
/// as ever. For tests.
std::unique_ptr<Network> make_tcp_network(std::map<std::string, std::vector<std::string>> names);

}  // namespace barnabas::net
