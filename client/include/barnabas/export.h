#pragma once

/// Marks what a user of the library may call; all else has hidden visibility.
#if defined(__GNUC__)
#define BARNABAS_API __attribute__((visibility("default")))
#else
#define BARNABAS_API
#endif
