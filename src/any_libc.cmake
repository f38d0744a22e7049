# The interposer is loaded into programs of any libc. So it is linked against
# a libc that has the names of the table DEF, lines of the form
# FF_NEEDS(strlen) or FF_NEEDS_DATA(stdout), and no versions: what is not in it is an error here, and
# not in somebody's program. It answers to the name that all libcs answer to.
function(ff_any_libc def)
	set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${def})
	set(source ${CMAKE_CURRENT_BINARY_DIR}/any_libc.S)
	set(text "")
	file(STRINGS ${def} lines REGEX "^FF_NEEDS")
	foreach(line IN LISTS lines)
		string(REGEX REPLACE "^FF_NEEDS(_DATA)?\\(([A-Za-z0-9_]+)\\).*"
			"\\2" name "${line}")
		string(APPEND text "\t.globl\t${name}\n")
		if(line MATCHES "^FF_NEEDS_DATA")
			string(APPEND text "\t.type\t${name}, @object\n"
				"\t.size\t${name}, 8\n")
		endif()
		string(APPEND text "${name}:\n")
	endforeach()
	string(APPEND text "\t.quad\t0\n")
	string(APPEND text "\t.section .note.GNU-stack, \"\", @progbits\n")
	file(CONFIGURE OUTPUT ${source} CONTENT "${text}" @ONLY)

	add_library(ff_any_libc_so SHARED ${source})
	set_target_properties(ff_any_libc_so PROPERTIES
		LINKER_LANGUAGE C NO_SONAME ON OUTPUT_NAME any_libc
		LIBRARY_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
	target_link_options(ff_any_libc_so PRIVATE
		-nostdlib -Wl,-soname,libc.so.6)

	# By its path, so that nothing is said of where it lies.
	add_library(ff_any_libc INTERFACE)
	add_dependencies(ff_any_libc ff_any_libc_so)
	target_link_libraries(ff_any_libc INTERFACE
		$<TARGET_FILE:ff_any_libc_so>)
	target_link_options(ff_any_libc INTERFACE -nolibc)
	# Packed relocations need a glibc that asks for them by a version.
	include(CheckLinkerFlag)
	check_linker_flag(C -Wl,-z,nopack-relative-relocs FF_HAVE_NOPACK)
	if(FF_HAVE_NOPACK)
		target_link_options(ff_any_libc INTERFACE
			-Wl,-z,nopack-relative-relocs)
	endif()
	# Checks by name of libc's (__memcpy_chk) are glibc's.
	target_compile_options(ff_any_libc INTERFACE
		$<$<COMPILE_LANGUAGE:C>:-U_FORTIFY_SOURCE>)
endfunction()
