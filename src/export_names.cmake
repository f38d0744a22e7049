# ff_version_script(DEF MAP): the linker's version script MAP exports the
# names of the table DEF, lines of the form FF_NAME(fork, "reason"), and
# hides every other symbol.
function(ff_version_script def map)
	set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${def})
	set(global "")
	if(EXISTS ${def})
		file(STRINGS ${def} lines REGEX "^[ \t]*FF_NAME\\(")
		foreach(line IN LISTS lines)
			string(REGEX REPLACE
				"^[ \t]*FF_NAME\\([ \t]*([A-Za-z0-9_]+).*"
				"\\1" name "${line}")
			string(APPEND global "\t${name};\n")
		endforeach()
	endif()
	if(global)
		string(PREPEND global "global:\n")
	endif()
	file(CONFIGURE OUTPUT ${map}
		CONTENT "{\n${global}local:\n\t*;\n};\n" @ONLY)
endfunction()
