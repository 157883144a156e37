#pragma once

#include "barnabas/error.h"

namespace barnabas::cli {

/// Says on standard error what went wrong with one of several things; returns whether something did.
bool report(const ItemError& error);

}  // namespace barnabas::cli
