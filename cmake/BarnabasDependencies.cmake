# Debian 12's packages, and nothing else; `./dev setup` installs them.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(tl-expected REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(prometheus-cpp REQUIRED)
pkg_check_modules(zstd REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(lz4 REQUIRED IMPORTED_TARGET liblz4)
if(NOT BARNABAS_PORTABLE)
  pkg_check_modules(isal REQUIRED IMPORTED_TARGET libisal)
endif()
find_package(Snappy REQUIRED)
if(BUILD_TESTING)
  find_package(GTest REQUIRED)
endif()

find_path(BARNABAS_ASIO_INCLUDE asio.hpp REQUIRED)
# Asio is compiled once (common/runtime/platform/asio.cc), not in every file that includes it.
add_library(barnabas_asio INTERFACE)
target_include_directories(barnabas_asio SYSTEM INTERFACE ${BARNABAS_ASIO_INCLUDE})
target_compile_definitions(barnabas_asio INTERFACE ASIO_SEPARATE_COMPILATION ASIO_NO_DEPRECATED)
target_link_libraries(barnabas_asio INTERFACE Threads::Threads)
# Asio 1.22 chooses its allocator by what was included before it, so one file's std::aligned_alloc meets another's operator
# delete. glibc does not mind, the address sanitizer and GCC's warnings do.
target_compile_definitions(barnabas_asio INTERFACE ASIO_DISABLE_STD_ALIGNED_ALLOC)
if(BARNABAS_PORTABLE)
  # Asio 1.22 has no reactor on poll: without epoll it uses select, and poll where it waits for one socket.
  target_compile_definitions(barnabas_asio INTERFACE ASIO_DISABLE_EPOLL ASIO_DISABLE_EVENTFD)
endif()
if(BARNABAS_SANITIZE MATCHES "thread")
  # The thread sanitizer does not know fences and says so as a warning; the locks around handlers order them as well.
  target_compile_definitions(barnabas_asio INTERFACE ASIO_DISABLE_FENCED_BLOCK)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 15)
  # Clang 14 has C++20's coroutines and does not yet say so, neither to Asio nor to the standard library.
  target_compile_definitions(barnabas_asio INTERFACE ASIO_HAS_CO_AWAIT ASIO_HAS_STD_COROUTINE __cpp_impl_coroutine=201902L)
  target_compile_options(barnabas_asio INTERFACE -Wno-builtin-macro-redefined)
endif()
