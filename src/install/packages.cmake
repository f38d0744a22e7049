# Debian packages: cmake --preset deb && cpack --config build-deb/CPackConfig.cmake
#
#	flatfork         the command, the object to preload, their pages
#	libflatfork0     the library
#	libflatfork-dev  what programs need to be built with it
#
# With the prefix /usr they go to the multiarch folders, so that ld.so finds the
# object by its bare name, and by $LIB.
set(ff_packages flatfork libflatfork0 libflatfork-dev)
set(ff_components run lib dev)
foreach(package component IN ZIP_LISTS ff_packages ff_components)
	string(TOUPPER ${component} upper)
	set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${package})
	install(FILES ${PROJECT_SOURCE_DIR}/LICENSE RENAME copyright
		DESTINATION share/doc/${package}
		COMPONENT ${component} EXCLUDE_FROM_ALL)
endforeach()
set(CPACK_DEBIAN_RUN_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_LIB_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
# cpack puts the project's description above each.
set(CPACK_COMPONENT_RUN_DESCRIPTION
"A command, and an object that it preloads into programs that nobody changes:
fork and exec of a big process take as long as those of a small one.")
set(CPACK_COMPONENT_LIB_DESCRIPTION
"A library that starts a program from one description, without a copy of the
caller, and says which step of it failed.")
set(CPACK_COMPONENT_DEV_DESCRIPTION
"The header and the static library of a library that starts programs without a
copy of the caller, and how CMake and pkg-config find them.")
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS "libflatfork0 (= ${PROJECT_VERSION})")
configure_file(${CMAKE_CURRENT_LIST_DIR}/prerm.in
	${PROJECT_BINARY_DIR}/packages/prerm @ONLY)
set(CPACK_DEBIAN_RUN_PACKAGE_CONTROL_EXTRA ${PROJECT_BINARY_DIR}/packages/prerm)
set(CPACK_DEBIAN_RUN_PACKAGE_CONTROL_STRICT_PERMISSION TRUE)
# Function names in the log.
set(CPACK_DEBIAN_RUN_PACKAGE_RECOMMENDS libunwind8)

set(CPACK_GENERATOR DEB)
set(CPACK_COMPONENTS_ALL ${ff_components})
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR})
# What finds out which libc is needed, of dpkg-dev; cpack calls file for it.
find_program(FF_SHLIBDEPS dpkg-shlibdeps)
find_program(FF_FILE file)
mark_as_advanced(FF_SHLIBDEPS FF_FILE)
if(FF_SHLIBDEPS AND FF_FILE)
	set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
	set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
	set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR})
else()
	# The libc here is enough. Debian's revision of it says nothing. Of the
	# command's libraries every release has what it needs.
	execute_process(COMMAND dpkg-query -W -f "\${Version}\\n" libc6
		OUTPUT_VARIABLE ff_libc ERROR_QUIET)
	if(ff_libc MATCHES "^([0-9.]+)")
		set(CPACK_DEBIAN_RUN_PACKAGE_DEPENDS
			"libc6 (>= ${CMAKE_MATCH_1}), libjansson4, libsmartcols1")
		set(CPACK_DEBIAN_LIB_PACKAGE_DEPENDS
			"libc6 (>= ${CMAKE_MATCH_1})")
	endif()
endif()
set(CPACK_PACKAGE_CONTACT "flatfork maintainers <root@localhost>")
set(CPACK_PACKAGING_INSTALL_PREFIX ${CMAKE_INSTALL_PREFIX})
set(CPACK_STRIP_FILES TRUE)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
	OWNER_READ OWNER_WRITE OWNER_EXECUTE
	GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_VERBATIM_VARIABLES ON)
include(CPack)
