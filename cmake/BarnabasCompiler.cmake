# The language level, the warnings of our own code and what makes builds quick.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

set(BARNABAS_SANITIZE "" CACHE STRING "Sanitizers to build with, as -fsanitize= takes them (address,undefined or thread)")

option(BARNABAS_SHARED "Shared libraries too: the same objects, as position-independent code" OFF)
option(BARNABAS_PORTABLE "Nothing but what every POSIX system has: no ISA-L, no sendfile, no epoll" OFF)

find_program(BARNABAS_CCACHE ccache)
if(BARNABAS_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${BARNABAS_CCACHE})
endif()
find_program(BARNABAS_MOLD mold)
if(BARNABAS_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

add_compile_options(-fno-omit-frame-pointer)
if(BARNABAS_SANITIZE)
  add_compile_options(-fsanitize=${BARNABAS_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${BARNABAS_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND BARNABAS_SANITIZE MATCHES "undefined")
    # Its check of function pointers writes a difference between sections for coroutines, which Clang 14 cannot assemble.
    add_compile_options(-fno-sanitize=function)
  endif()
endif()

# Warnings are errors, for our own code alone: dependencies come in as system headers.
add_library(barnabas_warnings INTERFACE)
target_compile_options(barnabas_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports these inside the standard library and in coroutine frames, where nothing is wrong.
  target_compile_options(barnabas_warnings INTERFACE -Wno-maybe-uninitialized -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread -Wno-restrict -Wno-mismatched-new-delete -Wno-missing-field-initializers)
else()
  target_compile_options(barnabas_warnings INTERFACE -Wno-missing-field-initializers -Wno-missing-designated-field-initializers -Wno-unknown-warning-option)
endif()
