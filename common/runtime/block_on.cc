#include "common/runtime/block_on.h"

namespace barnabas::runtime {

Failure failure_of_exception(std::exception_ptr thrown) {
  try {
    std::rethrow_exception(std::move(thrown));
  } catch (const std::system_error& error) {
    if (error.code() == asio::error::operation_aborted) return {make_error_code(Errc::cancelled), {}};
    return {error.code(), error.what()};
  } catch (const std::exception& error) {
    return {make_error_code(Errc::io_error), error.what()};
  } catch (...) {
    return {make_error_code(Errc::io_error), "an exception of an unknown type"};
  }
}

}  // namespace barnabas::runtime
