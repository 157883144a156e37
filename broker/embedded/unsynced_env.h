#pragma once

#include <memory>

#include "common/runtime/env.h"

namespace barnabas::broker {

/// The system's Env, but nothing waits for the disk: for data in a temporary directory, which no power failure has to
/// spare. Everything else, other processes' view included, is as ever.
runtime::Env& unsynced_env();

}  // namespace barnabas::broker
