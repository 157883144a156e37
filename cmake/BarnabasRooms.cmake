# One library a room, one test program a room: every .cc of the folder belongs to it, so a new file needs no edit here.

# For a library whose objects may become part of a shared one as well (BARNABAS_SHARED).
function(barnabas_for_shared target)
  if(BARNABAS_SHARED)
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
    # Nobody replaces our functions at load time: the compiler may inline them as it does in a program.
    target_compile_options(${target} PRIVATE -fno-semantic-interposition)
  endif()
endfunction()

# barnabas_room(NAME DEPENDS targets...): the library barnabas_NAME from the .cc files of this folder and those below.
function(barnabas_room name)
  cmake_parse_arguments(ROOM "" "" "DEPENDS;EXCLUDE" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc ${CMAKE_CURRENT_SOURCE_DIR}/*.h)
  foreach(pattern IN LISTS ROOM_EXCLUDE)
    list(FILTER sources EXCLUDE REGEX "${CMAKE_CURRENT_SOURCE_DIR}/${pattern}")
  endforeach()
  if(NOT sources MATCHES "\\.cc")
    return()
  endif()
  add_library(barnabas_${name} STATIC ${sources})
  target_include_directories(barnabas_${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>)
  target_link_libraries(barnabas_${name} PUBLIC ${ROOM_DEPENDS} PRIVATE $<BUILD_INTERFACE:barnabas_warnings>)
  barnabas_for_shared(barnabas_${name})
endfunction()

# barnabas_tests(NAME DEPENDS targets... [LABELS ...] [ENVIRONMENT ...]): NAME_tests from the *_test.cc of this folder and its
# helpers; each test case is a ctest case of its own. They run in parallel, so a test takes free ports and own folders.
function(barnabas_tests name)
  cmake_parse_arguments(TEST "" "TIMEOUT" "DEPENDS;LABELS;ENVIRONMENT" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  if(NOT sources)
    return()
  endif()
  if(NOT TEST_TIMEOUT)
    set(TEST_TIMEOUT 120)
  endif()
  add_executable(${name}_tests ${sources})
  target_link_libraries(${name}_tests PRIVATE ${TEST_DEPENDS} barnabas_warnings GTest::gmock GTest::gtest_main)
  target_compile_definitions(${name}_tests PRIVATE
    BARNABAS_SOURCE_DIR="${PROJECT_SOURCE_DIR}" BARNABAS_BINARY_DIR="${PROJECT_BINARY_DIR}")
  set(properties TIMEOUT ${TEST_TIMEOUT})
  foreach(property LABELS ENVIRONMENT)
    if(TEST_${property})
      list(APPEND properties ${property} "${TEST_${property}}")
    endif()
  endforeach()
  add_dependencies(all_tests ${name}_tests)
  gtest_discover_tests(${name}_tests DISCOVERY_MODE PRE_TEST PROPERTIES ${properties})
endfunction()
include(GoogleTest)
add_custom_target(all_tests)  # each test program that this build has
