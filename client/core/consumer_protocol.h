#pragma once

#include <cstdint>
#include <string_view>

#include "barnabas/assignor.h"
#include "common/bytes/bytes.h"
#include "common/bytes/result.h"

namespace barnabas::client {

/// The protocol type that members of a consumer group join with.
inline constexpr std::string_view kConsumerProtocolType = "consumer";
/// The versions of subscriptions and assignments that we write and read. 1 added the owned partitions (KIP-429), 2 the
/// generation (KIP-792), 3 the rack (KIP-881).
inline constexpr std::int16_t kLowestConsumerProtocolVersion = 0;
inline constexpr std::int16_t kHighestConsumerProtocolVersion = 3;

/// What a member's subscription and assignment look like on the wire: an int16 version, then
/// ConsumerProtocolSubscription or ConsumerProtocolAssignment. Topics and owned partitions are sorted on writing,
/// assigned ones keep their order within each topic, and the topics that of their first partition. Bytes of a version
/// above ours are read as our highest: Kafka promises that later ones only append. Errors: Errc::invalid_argument for
/// what does not fit the format (a name of 32 KiB) and for a version that is none; Errc::corrupt_data for bytes that do
/// not parse. Source: Kafka's ConsumerProtocol.
Result<Bytes> encode_subscription(const MemberSubscription& subscription,
                                  std::int16_t version = kHighestConsumerProtocolVersion);
Result<MemberSubscription> decode_subscription(BytesView bytes);
Result<Bytes> encode_assignment(const MemberAssignment& assignment,
                                std::int16_t version = kHighestConsumerProtocolVersion);
Result<MemberAssignment> decode_assignment(BytesView bytes);

}  // namespace barnabas::client
