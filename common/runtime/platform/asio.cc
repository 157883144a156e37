// Asio's one compilation unit: every other file sees declarations alone (ASIO_SEPARATE_COMPILATION).
#include <asio/impl/src.hpp>
