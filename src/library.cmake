# libflatfork: shared and static, its header, and how other builds find it.
include(CMakePackageConfigHelpers)

add_library(ff_api OBJECT ${FF_API_SOURCES})
set_target_properties(ff_api PROPERTIES POSITION_INDEPENDENT_CODE ON)
target_link_libraries(ff_api PRIVATE ff_product_flags)

add_library(flatfork-shared SHARED
	$<TARGET_OBJECTS:ff_api> $<TARGET_OBJECTS:ff_spawn>)
set_target_properties(flatfork-shared PROPERTIES
	VERSION ${PROJECT_VERSION} SOVERSION 0
	LINK_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/api/flatfork.map)
target_link_options(flatfork-shared PRIVATE -Wl,-z,now -Wl,-z,defs
	-Wl,--version-script=${CMAKE_CURRENT_SOURCE_DIR}/api/flatfork.map)
add_library(flatfork-static STATIC
	$<TARGET_OBJECTS:ff_api> $<TARGET_OBJECTS:ff_spawn>)

foreach(kind shared static)
	set_target_properties(flatfork-${kind} PROPERTIES
		LINKER_LANGUAGE C
		OUTPUT_NAME flatfork
		EXPORT_NAME ${kind}
		LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}
		ARCHIVE_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
	target_include_directories(flatfork-${kind} INTERFACE
		$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
		$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
	add_library(flatfork::${kind} ALIAS flatfork-${kind})
endforeach()
# As the installed package has it, for who adds this folder to a build.
add_library(flatfork::flatfork ALIAS flatfork-shared)

install(TARGETS flatfork-shared flatfork-static EXPORT flatfork-targets
	LIBRARY COMPONENT lib NAMELINK_COMPONENT dev
	ARCHIVE COMPONENT dev)
install(FILES ${PROJECT_SOURCE_DIR}/include/flatfork/flatfork.h COMPONENT dev
	DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/flatfork)

set(ff_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/flatfork)
install(EXPORT flatfork-targets NAMESPACE flatfork:: COMPONENT dev
	DESTINATION ${ff_package_dir})
configure_package_config_file(api/flatforkConfig.cmake.in
	${CMAKE_CURRENT_BINARY_DIR}/flatforkConfig.cmake
	INSTALL_DESTINATION ${ff_package_dir})
write_basic_package_version_file(
	${CMAKE_CURRENT_BINARY_DIR}/flatforkConfigVersion.cmake
	COMPATIBILITY SameMinorVersion)
install(FILES
	${CMAKE_CURRENT_BINARY_DIR}/flatforkConfig.cmake
	${CMAKE_CURRENT_BINARY_DIR}/flatforkConfigVersion.cmake
	COMPONENT dev DESTINATION ${ff_package_dir})

# Below the prefix where they are, so that it can be moved.
set(ff_pc_libdir \${prefix})
cmake_path(APPEND ff_pc_libdir ${CMAKE_INSTALL_LIBDIR})
set(ff_pc_includedir \${prefix})
cmake_path(APPEND ff_pc_includedir ${CMAKE_INSTALL_INCLUDEDIR})
configure_file(api/flatfork.pc.in
	${CMAKE_CURRENT_BINARY_DIR}/flatfork.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/flatfork.pc COMPONENT dev
	DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
