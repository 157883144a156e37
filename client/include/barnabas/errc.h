#pragma once

// In the source tree the local error codes live with the shared code; an installation puts that very file here instead.
#include "common/bytes/errc.h"
