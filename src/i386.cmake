# The object that programs of 32 bits get, where this compiler makes such: the
# library directories are those that $LIB stands for in their dynamic linkers.
include(CheckCSourceCompiles)
set(CMAKE_REQUIRED_FLAGS "-m32 -nostdlib -shared")
check_c_source_compiles("" FF_HAVE_I386)
unset(CMAKE_REQUIRED_FLAGS)

set(ff_i386_libdirs)
if(CMAKE_INSTALL_LIBDIR STREQUAL "lib/x86_64-linux-gnu")
	set(ff_i386_libdirs lib/i386-linux-gnu lib32)
elseif(CMAKE_INSTALL_LIBDIR STREQUAL "lib64")
	set(ff_i386_libdirs lib)
endif()

if(FF_HAVE_I386)
	add_library(flatfork-preload-i386 SHARED preload/i386/nothing.S)
	set_target_properties(flatfork-preload-i386 PROPERTIES
		LINKER_LANGUAGE C
		OUTPUT_NAME flatfork-preload
		LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/i386)
	target_compile_options(flatfork-preload-i386 PRIVATE -m32)
	target_link_options(flatfork-preload-i386 PRIVATE
		-m32 -nostdlib -Wl,--hash-style=both)
	foreach(libdir IN LISTS ff_i386_libdirs)
		install(TARGETS flatfork-preload-i386
			LIBRARY DESTINATION ${libdir} COMPONENT run)
	endforeach()
endif()
