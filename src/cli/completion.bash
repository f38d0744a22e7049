# Words for bash after "flatfork ": the command itself knows them.
_flatfork()
{
	local cur=${COMP_WORDS[COMP_CWORD]} word words line=() cut=0
	# of --fork=lazy bash has made three
	for word in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
		if [[ $word == = && ${line[*]: -1} == --* ]]; then
			((cut++))
		else
			line+=("$word")
		fi
	done
	if [[ $cur == = ]]; then
		cur=
		line+=('')
	fi
	words=$("${COMP_WORDS[0]}" complete "${line[@]}" 2>/dev/null) || return
	case $words in
	command*)
		# what is run: its name, and then its own words
		if declare -F _command_offset >/dev/null; then
			_command_offset $((${words#command } + cut))
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
