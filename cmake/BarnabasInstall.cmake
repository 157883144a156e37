# What `cmake --install` puts where: the client's headers and archive, and the broker for tests as a component of its own.
#   find_package(barnabas REQUIRED COMPONENTS client embedded)
#   target_link_libraries(app PRIVATE barnabas::client)
# The archives are static; what they need of the system (zstd, lz4, snappy, zlib, ISA-L, fmt, spdlog) the package finds again.
set(BARNABAS_COMMON_ROOMS bytes runtime protocol record net)
set(BARNABAS_CLIENT_ROOMS client_core producer consumer admin)
set(BARNABAS_BROKER_ROOMS broker_config metrics log metadata partition server api broker embedded)
foreach(room IN LISTS BARNABAS_COMMON_ROOMS BARNABAS_CLIENT_ROOMS BARNABAS_BROKER_ROOMS)
  if(NOT TARGET barnabas_${room})
    message(STATUS "nothing is installed: the room ${room} is not there yet")
    return()
  endif()
endforeach()

include(CMakePackageConfigHelpers)
include(GNUInstallDirs)
set(barnabas_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/barnabas)

# barnabas_archive(NAME ROOMS rooms... LINK targets...): barnabas::NAME, one archive of all these rooms.
function(barnabas_archive name)
  cmake_parse_arguments(ARCHIVE "" "" "ROOMS;LINK" ${ARGN})
  set(objects)
  foreach(room IN LISTS ARCHIVE_ROOMS)
    list(APPEND objects $<TARGET_OBJECTS:barnabas_${room}>)
  endforeach()
  set(target barnabas_installed_${name})
  add_library(${target} STATIC ${objects})
  set_target_properties(${target} PROPERTIES LINKER_LANGUAGE CXX OUTPUT_NAME barnabas_${name} EXPORT_NAME ${name})
  target_compile_features(${target} INTERFACE cxx_std_20)
  target_include_directories(${target} INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(${target} PUBLIC ${ARCHIVE_LINK})
  install(TARGETS ${target} EXPORT barnabas_${name} COMPONENT barnabas_${name}
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT barnabas_${name})
  install(EXPORT barnabas_${name} NAMESPACE barnabas:: FILE barnabas_${name}.cmake DESTINATION ${barnabas_package_dir}
    COMPONENT barnabas_${name})
endfunction()

barnabas_archive(common ROOMS ${BARNABAS_COMMON_ROOMS}
  LINK Threads::Threads fmt::fmt spdlog::spdlog ZLIB::ZLIB Snappy::snappy PkgConfig::zstd PkgConfig::lz4 PkgConfig::isal)
# Asio's code is in the archive: who includes its headers must know that.
target_compile_definitions(barnabas_installed_common INTERFACE ASIO_SEPARATE_COMPILATION)
barnabas_archive(client ROOMS ${BARNABAS_CLIENT_ROOMS} LINK barnabas_installed_common)
barnabas_archive(embedded ROOMS ${BARNABAS_BROKER_ROOMS} LINK barnabas_installed_common prometheus-cpp::core)

install(DIRECTORY client/include/barnabas DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT barnabas_client
  FILES_MATCHING PATTERN "*.h" PATTERN "errc.h" EXCLUDE)
install(FILES common/bytes/errc.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/barnabas COMPONENT barnabas_client)
install(DIRECTORY broker/embedded/include/barnabas DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT barnabas_embedded)

configure_package_config_file(cmake/barnabas-config.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/barnabas-config.cmake
  INSTALL_DESTINATION ${barnabas_package_dir})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/barnabas-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/barnabas-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/barnabas-config-version.cmake
  DESTINATION ${barnabas_package_dir} COMPONENT barnabas_common)
foreach(command IN ITEMS barnabas barnabas-broker)
  if(TARGET ${command})
    install(TARGETS ${command} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT barnabas_commands)
  endif()
endforeach()
