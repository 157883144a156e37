#pragma once

#include <string>
#include <vector>

#include "common/protocol/messages/fetch.h"
#include "tests/differential/row.h"

namespace barnabas::differential {

inline const std::string kFetched = "fetched";
inline const std::string kOtherFetched = "fetched-too";

/// The two topics above, each with two partitions of a batch of three records and one of five.
void make_fetched(Peer& peer);

struct Wanted {
  std::string topic;
  std::int32_t partition;
  std::int64_t offset;
};

/// Without a session; one that waits at most a millisecond.
protocol::FetchRequest fetch_of(const Scene& scene, std::int16_t version, const std::vector<Wanted>& wanted);

}  // namespace barnabas::differential
