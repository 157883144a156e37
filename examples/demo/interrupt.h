#pragma once

namespace demo {

/// From here on the first Ctrl-C or SIGTERM is only noted; a second one ends the process at once.
void catch_interrupts();
bool is_interrupted();
/// Throws when one came: so that the broker ends and its directory goes away.
void throw_if_interrupted();

}  // namespace demo
