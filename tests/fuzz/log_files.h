#pragma once

#include <array>
#include <string_view>

namespace barnabas::fuzz {

inline constexpr std::string_view kDataDirectory = "/data";

/// The files that the log_files target knows, by kind; of one partition, or of the data directory.
inline constexpr std::array<std::string_view, 17> kLogFiles = {
    "orders-0/00000000000000000000.log",
    "orders-0/00000000000000000000.index",
    "orders-0/00000000000000000000.timeindex",
    "orders-0/00000000000000000000.txnindex",
    "orders-0/00000000000000000000.snapshot",
    "orders-0/00000000000000000005.log",
    "orders-0/00000000000000000005.index",
    "orders-0/00000000000000000005.timeindex",
    "orders-0/00000000000000000005.txnindex",
    "orders-0/00000000000000000005.snapshot",
    "orders-0/00000000000000000023.snapshot",
    "orders-0/leader-epoch-checkpoint",
    "orders-0/partition.metadata",
    "recovery-point-offset-checkpoint",
    "replication-offset-checkpoint",
    "log-start-offset-checkpoint",
    "meta.properties",
};

}  // namespace barnabas::fuzz
