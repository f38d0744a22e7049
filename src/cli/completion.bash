# Words for bash after "flatfork ": the command itself knows them.
_flatfork()
{
	local cur=${COMP_WORDS[COMP_CWORD]} words
	words=$("${COMP_WORDS[0]}" complete \
		"${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null) || return
	case $words in
	command*)
		# what is run: its name, and then its own words
		if declare -F _command_offset >/dev/null; then
			_command_offset "${words#command }"
			return
		fi
		compopt -o default
		;;
	files)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		;;
	*)
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
		;;
	esac
}
complete -F _flatfork flatfork
