# What `cmake --install` puts where: the libraries, static and shared, their headers, what find_package and pkg-config need
# of them, and the commands (packaging/). The manual of it: docs/install.md.
#   find_package(barnabas REQUIRED COMPONENTS client embedded)
#   target_link_libraries(app PRIVATE barnabas::client)
# The static archives of a component and its shared library are made of the same objects; these are compiled as
# position-independent code where BARNABAS_SHARED is on.
set(BARNABAS_COMMON_ROOMS bytes runtime protocol record net)
set(BARNABAS_CLIENT_ROOMS client_core producer consumer parallel admin)
set(BARNABAS_BROKER_ROOMS broker_config metrics log metadata partition coordinator group server api broker embedded)
foreach(room IN LISTS BARNABAS_COMMON_ROOMS BARNABAS_CLIENT_ROOMS BARNABAS_BROKER_ROOMS)
  if(NOT TARGET barnabas_${room})
    message(STATUS "nothing is installed: the room ${room} is not there yet")
    return()
  endif()
endforeach()

include(CMakePackageConfigHelpers)
include(GNUInstallDirs)
set(barnabas_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/barnabas)

function(barnabas_objects_of variable)
  set(objects)
  foreach(room IN LISTS ARGN)
    list(APPEND objects $<TARGET_OBJECTS:barnabas_${room}>)
  endforeach()
  set(${variable} ${objects} PARENT_SCOPE)
endfunction()

function(barnabas_install_library target name component)
  target_compile_features(${target} INTERFACE cxx_std_20)
  target_include_directories(${target} INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  install(TARGETS ${target} EXPORT barnabas_${name}
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT ${component}
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT barnabas_shared
      NAMELINK_COMPONENT barnabas_shared_development)
  install(EXPORT barnabas_${name} NAMESPACE barnabas:: FILE barnabas_${name}.cmake DESTINATION ${barnabas_package_dir}
    COMPONENT ${component})
endfunction()

# barnabas_archive(NAME ROOMS rooms... LINK targets...): one static archive of all these rooms; who links it links LINK too.
function(barnabas_archive name)
  cmake_parse_arguments(ARCHIVE "" "" "ROOMS;LINK" ${ARGN})
  barnabas_objects_of(objects ${ARCHIVE_ROOMS})
  set(target barnabas_installed_${name})
  add_library(${target} STATIC ${objects})
  set_target_properties(${target} PROPERTIES LINKER_LANGUAGE CXX OUTPUT_NAME barnabas_${name} EXPORT_NAME ${name}_static)
  target_link_libraries(${target} PUBLIC ${ARCHIVE_LINK})
  barnabas_install_library(${target} ${name}_static barnabas_${name})
endfunction()

# barnabas_shared(NAME ROOMS rooms... LINK targets... [WITHOUT pattern]): one shared library of all these rooms that shows
# its API alone. WITHOUT: objects that another of our libraries has, whose symbol must be one in the process.
function(barnabas_shared name)
  cmake_parse_arguments(SHARED "" "WITHOUT" "ROOMS;LINK" ${ARGN})
  barnabas_objects_of(objects ${SHARED_ROOMS})
  if(SHARED_WITHOUT)
    set(filtered)
    foreach(object IN LISTS objects)
      list(APPEND filtered $<FILTER:${object},EXCLUDE,${SHARED_WITHOUT}>)
    endforeach()
    set(objects ${filtered})
  endif()
  set(target barnabas_shared_${name})
  add_library(${target} SHARED ${objects})
  set_target_properties(${target} PROPERTIES LINKER_LANGUAGE CXX OUTPUT_NAME barnabas_${name} EXPORT_NAME ${name}_shared
    INSTALL_RPATH "$ORIGIN"  # one of ours may need another
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
    LINK_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/exported.map)
  target_link_options(${target} PRIVATE
    LINKER:--version-script=${PROJECT_SOURCE_DIR}/cmake/exported.map LINKER:--no-undefined)
  target_link_libraries(${target} PRIVATE ${SHARED_LINK})
  barnabas_install_library(${target} ${name}_shared barnabas_shared_development)
endfunction()

set(system_libraries Threads::Threads fmt::fmt spdlog::spdlog ZLIB::ZLIB Snappy::snappy PkgConfig::zstd PkgConfig::lz4)
if(NOT BARNABAS_PORTABLE)
  list(APPEND system_libraries PkgConfig::isal)
endif()

barnabas_archive(common ROOMS ${BARNABAS_COMMON_ROOMS} LINK ${system_libraries})
# Asio's code is in the archive: who includes its headers must see them as we did.
get_target_property(asio_definitions barnabas_asio INTERFACE_COMPILE_DEFINITIONS)
target_compile_definitions(barnabas_installed_common INTERFACE ${asio_definitions})
barnabas_archive(client ROOMS ${BARNABAS_CLIENT_ROOMS} LINK barnabas_installed_common)
barnabas_archive(embedded ROOMS ${BARNABAS_BROKER_ROOMS} LINK barnabas_installed_common prometheus-cpp::core)

if(BARNABAS_SHARED)
  # A shared library keeps its Asio to itself; its user's Asio is header-only (cmake/exported.map says what that excludes).
  barnabas_shared(client ROOMS ${BARNABAS_COMMON_ROOMS} ${BARNABAS_CLIENT_ROOMS} LINK ${system_libraries})
  # Errc's category is compared by its address: both libraries use the client's.
  barnabas_shared(embedded ROOMS ${BARNABAS_COMMON_ROOMS} ${BARNABAS_BROKER_ROOMS} WITHOUT "/errc\\.cc"
    LINK ${system_libraries} prometheus-cpp::core barnabas_shared_client)
endif()

install(DIRECTORY client/include/barnabas DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT barnabas_client
  FILES_MATCHING PATTERN "*.h" PATTERN "errc.h" EXCLUDE)
install(DIRECTORY broker/embedded/include/barnabas DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT barnabas_embedded)
# Errc is declared in common/bytes, which knows no public headers; installed, its functions are marked as all of the API.
file(READ common/bytes/errc.h errc_header)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS common/bytes/errc.h)
string(REPLACE "#include <system_error>\n" "#include <system_error>\n\n#include \"barnabas/export.h\"\n" errc_header
  "${errc_header}")
foreach(declared "const std::error_category& barnabas_category" "std::error_code make_error_code")
  string(REPLACE "\n${declared}" "\nBARNABAS_API ${declared}" marked "${errc_header}")
  if(marked STREQUAL errc_header)
    message(FATAL_ERROR "common/bytes/errc.h does not declare '${declared}' at a line's beginning any more")
  endif()
  set(errc_header "${marked}")
endforeach()
file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/installed/barnabas/errc.h CONTENT "${errc_header}" @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/installed/barnabas/errc.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/barnabas
  COMPONENT barnabas_client)

configure_package_config_file(cmake/barnabas-config.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/barnabas-config.cmake
  INSTALL_DESTINATION ${barnabas_package_dir})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/barnabas-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/barnabas-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/barnabas-config-version.cmake
  DESTINATION ${barnabas_package_dir} COMPONENT barnabas_common)

include(${CMAKE_CURRENT_LIST_DIR}/BarnabasPackage.cmake)
