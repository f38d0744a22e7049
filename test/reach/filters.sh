#!/bin/bash
# What is done under filters that others have put a process under.
#
#	filters.sh profile NAME
#	filters.sh without ACTION
#	filters.sh copes
#	filters.sh thread
#	filters.sh unanswered
#	filters.sh doctor
#	filters.sh made MODE
#	filters.sh no-proc | traps | stamps | slow | dies | no-core | first
#	filters.sh round-robin
#	filters.sh marked-alone | marked-threads | flags
#	filters.sh logged | asked-once | refused | copies
. "$(dirname "$0")/lib.sh"

figures=(FLATFORK_STATS="$work/stats" FLATFORK_LOG="$work/log")

# As every such place allows for: perl with 1 GiB starts its children
# lazily, vfork is guarded, spawns are ours, and nothing is told of a filter.
run_profile() {
	local name=$1

	under plain -- "$name" -- "$reach/starts" "$noop"
	with_us lazy "${figures[@]}" -- "$name" -- "$reach/starts" "$noop"
	same lazy "$name"
	expect_flat starts 3 "$name"
	expect vforks starts 3 "$name"
	expect spawns starts 3 "$name"
	grep seccomp "$work/log" && failed "$name: the log tells of seccomp"
	rm -f "$work/stats" "$work/log"
	command -v perl >/dev/null || return
	# shellcheck disable=SC2016 # perl's
	set -- perl -e 'my $x = ""; vec($x, (1 << 30) - 1, 8) = 1; for (1 .. 5) {
		my $pid = fork; exec $ARGV[0] unless $pid;
		waitpid $pid, 0; print "$?\n" }' "$noop"
	under plain -- "$name" -- "$@"
	under auto LD_PRELOAD="$object" "${figures[@]}" -- "$name" -- "$@"
	same auto "$name: perl"
	[ "$(flat perl)" -ge 4 ] || {
		failed "$name: perl: $(flat perl) forks were flat"
		cat "$work/log"
	}
}

# All calls that are asked for.
asks=("$here"/../../src/process/asks.def "$here"/../../src/arch/*/arch_asks.def)
calls() {
	sed -n 's/^X([a-z0-9_]*, "\([a-z0-9_]*\).*/\1/p' "${asks[@]}" | sort -u
}

# Each of them is not allowed: what plain libc can do there is done, and so it is
# where nothing but fork is called. Where libc's own posix_spawn needs clone3, and
# gives up, ours does without.
run_without() {
	local call option number=0

	for call in $(calls); do
		case $call in
		exit_group | clone3) continue ;;
		wait4) [ "$1" != nothing ] || continue ;;
		esac
		for option in -fvs -f; do
			under plain -- all "$call=$1" -- \
				"$reach/starts" "$option" "$noop"
			[ "$(status_of plain)" = 0 ] || continue
			with_us lazy -- all "$call=$1" -- \
				"$reach/starts" "$option" "$noop"
			same lazy "$call=$1 $option"
			number=$((number + 1))
		done
	done
	[ "$number" -gt 80 ] || failed "only $number were tried"
}

# Those to a lazy fork whose error is said to be no matter, as a name or another
# way is there: so it is for children that need most.
run_copes() {
	local calls call program number=0

	base+=(T_REPORT="$FF_BUILD/test/prog/report")
	calls=$(cat "${asks[@]}" | tr -d '\n' |
		sed 's/X(/\n&/g' |
		sed -nE 's/^X\([a-z0-9_]+, *"([a-z0-9_]+)[^"]*", *[A-Z|]*L[A-Z|]*, *(ANY|CHOICE),.*/\1/p')
	for call in $(sort -u <<<"$calls"); do
		case $call in prctl | ioctl) continue ;; esac
		for program in 'handed-over alarmed' 'guard-pages around' \
			'handed-over execs'; do
			# shellcheck disable=SC2086 # a case's name is a word
			set -- "$FF_BUILD"/test/prog/$program
			under plain -- all "$call=EPERM" -- "$@"
			[ "$(status_of plain)" = 0 ] || continue
			with_us lazy FLATFORK_BUDGET_MS=500 FLATFORK_LEND=off \
				-- all "$call=EPERM" -- "$@"
			same lazy "$call=EPERM, $program"
			number=$((number + 1))
		done
	done
	[ "$number" -gt 15 ] || failed "only $number were tried"
}

# What the modes of an environment are: $with.
mode_env() {
	with=(LD_PRELOAD="$object" FLATFORK_BUDGET_MS=9999 FLATFORK_FORK=lazy)
	case $1 in
	bare) ;;
	config)
		with=(LD_PRELOAD="$object" FLATFORK_BUDGET_MS=9999
			HOME="$work/home")
		mkdir -p "$work/home/.config"
		echo 'fork = lazy' >"$work/home/.config/flatfork.conf"
		;;
	mistake)
		with+=(HOME="$work/home")
		mkdir -p "$work/home/.config"
		echo 'fork = what' >"$work/home/.config/flatfork.conf"
		;;
	log) with+=(FLATFORK_LOG="$work/log") ;;
	log-stderr) with+=(FLATFORK_LOG=stderr) ;;
	stats) with+=(FLATFORK_STATS="$work/stats") ;;
	stats-stderr) with+=(FLATFORK_STATS=stderr) ;;
	warn) with+=(FLATFORK_WARN_RSS=1M FLATFORK_FORK=real) ;;
	*)
		echo "there is no such mode: $1"
		exit 2
		;;
	esac
}

# All calls that are made there are seen. Those that the program does not make
# have a row in the table; and each that may be missing without harm to plain
# libc may be missing with us, whatever is started first.
run_made() {
	local mode=$1 call option number=0

	mode_env "$mode"
	for option in -fvs -v -s; do
		base=(PATH="$PATH" UNDER_NOTES="$work/plain-made")
		under plain -- all all=note -- \
			"$reach/starts" "$option" "$noop"
		base=(PATH="$PATH" UNDER_NOTES="$work/ours-made")
		under made "${with[@]}" -- all all=note -- \
			"$reach/starts" "$option" "$noop"
		[ "$(status_of made)" = 0 ] || failed "$mode $option: fails"
	done
	base=(PATH="$PATH")
	while read -r call; do
		number=$((number + 1))
		calls | grep -qx "$call" || grep -qx "$call" "$work/plain-made" ||
			failed "$mode: $call is made, and is not asked for"
		# what makes who asks
		[ "$call" != clone ] || continue
		for option in -fvs -v -s; do
			under plain -- all "$call=kill" -- \
				"$reach/starts" "$option" "$noop"
			[ "$(status_of plain)" = 0 ] || continue
			under "$mode" "${with[@]}" -- all "$call=kill" -- \
				"$reach/starts" "$option" "$noop"
			echo "# $option $call"
			same_as_plain "$mode" out status
		done
	done < <(sort -u "$work/ours-made")
	[ "$number" -gt 50 ] || failed "only $number calls were seen"
}

# same_where_it_runs OPTION CALL=ANSWER...: what plain can do there, we can.
same_where_it_runs() {
	under plain -- all "${@:2}" -- "$reach/starts" "$1" "$noop"
	[ "$(status_of plain)" = 0 ] || return 0
	with_us lazy -- all "${@:2}" -- "$reach/starts" "$1" "$noop"
	same lazy "$1 $2"
}

# kill_each OPTION...: for each call that is made where the filter is known.
kill_each() {
	local call option

	for option; do
		for call in $(calls); do
			[ "$call" != exit_group ] || continue
			same_where_it_runs "$option" "$call=kill"
		done
	done
}

# Where /proc does not tell of a filter none of our calls is made.
run_no_proc() {
	outer=("$FF_BUILD/test/ground/without" proc)
	run probe "${outer[@]}" true
	[ "$(status_of probe)" != 77 ] || skip "$(<"$work/probe/out")"
	kill_each -fvs -v -s -fw
}

# Who keeps the processor asks nothing, and nothing of ours is called for that
# may not be.
run_round_robin() {
	needs chrt
	outer=(chrt -r 1)
	run probe "${outer[@]}" true
	[ "$(status_of probe)" = 0 ] || skip "chrt: $(<"$work/probe/err")"
	kill_each -fvs -fw -v
}

# Who handles SIGSYS may have trapped anything: it is not asked. One that only
# returns is, if the call that asks comes back.
run_traps() {
	local option call

	for option in -hfvs -hv -hs -evs; do
		for call in clone clone3 rt_sigprocmask futex waitid kill \
			prctl getpid sigaltstack; do
			same_where_it_runs "$option" "$call=trap"
		done
	done
	with_us lazy "${figures[@]}" -- docker -- "$reach/starts" -h "$noop"
	expect_flat starts 0 "-h"
	with_us lazy "${figures[@]}" -- docker -- "$reach/starts" -e "$noop"
	expect_flat starts 3 "-e"
}

# A program that forbids itself the time stamp counter is asked for, too.
run_stamps() {
	under plain -- docker -- "$reach/starts" -t "$noop"
	with_us lazy "${figures[@]}" -- docker -- "$reach/starts" -t "$noop"
	same lazy stamps
	expect_flat starts 3 stamps
}

# Of all calls that only we make, each answered late: it is given up after a
# few, and all is libc's.
run_slow() {
	local call changes=()

	base=(PATH="$PATH" UNDER_NOTES="$work/plain-made")
	under plain -- all all=note -- "$reach/starts" "$noop"
	for call in $(calls); do
		grep -qx "$call" "$work/plain-made" || changes+=("$call=slow")
	done
	base=(PATH="$PATH" UNDER_COUNT="$work/count")
	under plain -- all "${changes[@]}" -- "$reach/starts" "$noop"
	with_us lazy -- all "${changes[@]}" -- "$reach/starts" "$noop"
	same lazy slow
	[ "$(<"$work/count")" -le 40 ] ||
		failed "$(<"$work/count") answers were waited for"
}

# whole_or_none WHAT: the children of a program were as with plain libc, or were
# not made, for want of memory; $none counts these.
whole_or_none() {
	none=$((none + $(grep -c 'error 12$' "$work/lazy/out")))
	sed -i 's/error 12$/status 0/' "$work/lazy/out"
	same lazy "$1"
}

# The supervisor ends, after the question or later: the call is refused from
# then on.
run_dies() {
	local call life none=0

	for call in madvise kill prctl sigaltstack mremap getpid gettid \
		poll rt_tgsigqueueinfo process_vm_readv pidfd_open; do
		for life in 0 1 2 3 5 9 14; do
			base=(PATH="$PATH" UNDER_LIFE=$life)
			under plain -- all "$call=dies" -- \
				"$reach/starts" "$noop"
			[ "$(status_of plain)" = 0 ] || continue
			with_us lazy -- all "$call=dies" -- \
				"$reach/starts" "$noop"
			if [ "$call" = madvise ]; then
				whole_or_none "$call=dies after $life"
			else
				same lazy "$call=dies after $life"
			fi
		done
	done
}

# Whoever is asked about marks is no more, or refuses for a while, wherever in a
# fork: a child has all its memory, or none is made.
marked() {
	local life none=0 last

	base=(PATH="$PATH" UNDER_COUNT="$work/count")
	under plain -- all madvise=count -- "$reach/marked" "$@" "$noop"
	with_us lazy "${figures[@]}" -- all madvise=count -- \
		"$reach/marked" "$@" "$noop"
	same lazy marked
	[ "$(counter forks_lazy marked)" -gt 0 ] ||
		failed "nothing is lazy there"
	last=$(<"$work/count")
	for ((life = 0; life < last && life < 50; life++)); do
		base=(PATH="$PATH" UNDER_LIFE=$life)
		with_us lazy -- all madvise=dies -- "$reach/marked" "$@" "$noop"
		whole_or_none "dies after $life"
		base=(PATH="$PATH" UNDER_LIFE=$life UNDER_ERRORS=3)
		with_us lazy -- all madvise=errs -- "$reach/marked" "$@" "$noop"
		whole_or_none "errs after $life"
	done
	[ "$none" -gt 0 ] || failed "no mark was left"
}

run_marked_alone() {
	marked
}

run_marked_threads() {
	marked -t
}

# A filter that looks at what a clone is to share: what plain can do there is
# done, whichever flag is refused, or asked for. Of those that kill only such as
# let somebody be made who asks (H-Y2).
run_flags() {
	local action flag rule clone3 option asks=0x200100 rules=(
		0xffffffff=0x1200011 # fork's
		0xffffffff=0x3d0f00  # a thread's
		0xffffffff=0x4111    # vfork's
		0xff=0x11
		0xff=0
	)

	# VM FS FILES SIGHAND PIDFD VFORK PARENT THREAD PARENT_SETTID
	# CHILD_CLEARTID DETACHED CHILD_SETTID
	for flag in 0x100 0x200 0x400 0x800 0x1000 0x4000 0x8000 0x10000 \
		0x100000 0x200000 0x400000 0x1000000; do
		rules+=("$flag=0" "$flag=$flag")
	done
	for clone3 in allow ENOSYS; do
		for rule in "${rules[@]}"; do
			for action in EPERM ENOSYS; do
				same_where_it_runs -fvs "clone=$action@$rule" \
					"clone3=$clone3"
			done
			(((asks & ${rule%=*}) == ${rule#*=})) || continue
			for option in -f -v -s; do
				same_where_it_runs $option "clone=kill@$rule" \
					"clone3=$clone3"
			done
		done
	done
}

# The first start in an awkward moment; who asks is held up for a while where
# somebody disturbs it.
run_first() {
	local case profile

	for case in handler threads full; do
		for profile in docker system-service; do
			under plain -- "$profile" -- "$reach/first" "$case" "$noop"
			with_us lazy -- "$profile" -- "$reach/first" "$case" "$noop"
			same lazy "$profile: $case"
		done
	done
	for case in kill stop trace pause; do
		rm -f "$work/stats" "$work/log"
		under plain -- all pidfd_open=slow -- \
			"$reach/first" "$case" "$noop"
		with_us lazy "${figures[@]}" -- all pidfd_open=slow -- \
			"$reach/first" "$case" "$noop"
		same lazy "$case"
	done
	# who was not there did not wait
	expect_flat first 4 pause
}

# with_cores COMMAND...: $cored is the command, where it may leave a core
with_cores() {
	cored=(bash -c 'ulimit -c unlimited && exec "$@"' -- "$@")
}

# A question that ends who asks leaves no core, of all that its parent has.
run_no_core() {
	local call cored

	with_cores "$reach/starts" "$noop"
	# who is ended for what it does itself leaves one
	under plain -- all exit_group=kill -- "${cored[@]}"
	[ -n "$(ls "$work/plain/work")" ] || skip "no cores are left here"
	for call in $(calls); do
		case $call in
		exit_group | clone3) continue ;;
		esac
		under plain -- all "$call=kill" -- "${cored[@]}"
		[ "$(status_of plain)" = 0 ] || continue
		with_us lazy -- all "$call=kill" -- "${cored[@]}"
		same lazy "$call=kill"
		[ -z "$(ls "$work/lazy/work")" ] ||
			failed "$call=kill: $(ls "$work/lazy/work") is left"
	done
}

# A filter that only writes down what is called is in nobody's way.
run_logged() {
	with_us lazy "${figures[@]}" -- all memfd_create=log execveat=log -- \
		"$reach/starts" "$noop"
	expect_flat starts 3 logged
}

# What is asked is asked once: a call that nothing else makes here is made
# once by a process, whatever it starts.
run_asked_once() {
	base+=(UNDER_COUNT="$work/count")
	under plain -- all memfd_create=count -- "$reach/starts" "$noop"
	[ ! -e "$work/count" ] || failed "plain: memfd_create is called"
	with_us lazy -- all memfd_create=count -- "$reach/starts" "$noop"
	same lazy asked-once
	[ "$(<"$work/count")" = 1 ] ||
		failed "it was asked $(<"$work/count") times"
}

# A supervisor that never answers is waited for once, and then all that needs
# the call is libc's.
run_unanswered() {
	local call

	for call in madvise kill rt_sigtimedwait sigaltstack pidfd_open \
		prctl getpid futex waitid; do
		under plain -- all "$call=notify" -- "$reach/starts" "$noop"
		with_us lazy -- all "$call=notify" -- "$reach/starts" "$noop"
		same lazy "$call=notify"
	done
}

# Doctor is not ended, and says what is not allowed.
run_doctor() {
	local name call doctor=("$FF_BUILD/flatfork" doctor)

	for name in docker podman system-service redis; do
		under doctor -- "$name" -- "${doctor[@]}"
		[ "$(status_of doctor)" = 0 ] &&
			grep -q '^seccomp  *in force: .* calls that we make' \
				"$work/doctor/out" &&
			grep -q '^lazy fork  *works' "$work/doctor/out" ||
			failed "$name: $(cat "$work/doctor/out")"
	done
	under doctor -- docker -- "${doctor[@]}"
	grep -q '^  clone3  *refused (vfork' "$work/doctor/out" ||
		failed "docker: $(cat "$work/doctor/out")"
	under doctor -- system-service -- "${doctor[@]}"
	grep -q '^  pkey_alloc  *kills (lent forks)' "$work/doctor/out" ||
		failed "system-service: $(cat "$work/doctor/out")"
	for call in $(calls); do
		under plain -- all "$call=kill" -- "$reach/starts" "$noop"
		[ "$(status_of plain)" = 0 ] || continue
		# what its own output and its files take
		case $call in
		fstat | newfstatat | lseek | fcntl | rt_sigaction) continue ;;
		esac
		under doctor -- all "$call=kill" -- "${doctor[@]}"
		[ "$(status_of doctor)" -le 1 ] &&
			grep -q " kills" "$work/doctor/out" ||
			failed "$call: $(status_of doctor):" \
				"$(cat "$work/doctor/out")"
	done
}

# A thread has a filter of its own, installed without our seeing it: what the
# others do is as before, and what it does is asked anew.
run_thread() {
	local number profile

	under plain -- all -- "$reach/own-filter" "$noop"
	with_us lazy "${figures[@]}" -- all -- "$reach/own-filter" "$noop"
	same lazy thread
	expect_flat own-filter 6 thread
	expect forks_real own-filter 2 thread
	grep -q 'real: seccomp kills for' "$work/log" ||
		failed "thread: the log does not say it: $(cat "$work/log")"
	# many with as many filters, and not the same
	for number in 2 16; do
		for profile in all docker; do
			rm -f "$work/stats" "$work/log"
			under plain -- "$profile" -- \
				"$reach/own-filter" -n "$number" "$noop"
			with_us lazy "${figures[@]}" -- "$profile" -- \
				"$reach/own-filter" -n "$number" "$noop"
			same lazy "$number threads, $profile"
			expect_flat own-filter $((3 * number - 2)) \
				"$number threads, $profile"
		done
	done
}

# Where the user says so nobody asks.
run_refused() {
	with_us lazy "${figures[@]}" FLATFORK_SECCOMP=refuse -- all \
		memfd_create=log -- "$reach/starts" "$noop"
	expect_flat starts 0 refused
	expect forks_real starts 3 refused
	expect vforks starts 0 refused
	grep -q 'real: seccomp is in force' "$work/log" ||
		failed "refused: the log does not say it"
}

# Where a core dump would end all who share memory, a copy asks.
run_copies() {
	under plain -- docker fcntl=kill -- "$reach/starts" "$noop"
	with_us lazy "${figures[@]}" FLATFORK_FAULT=core-kills -- docker -- \
		"$reach/starts" "$noop"
	expect_flat starts 3 copies
	expect vforks starts 3 copies
	with_us lazy FLATFORK_FAULT=core-kills -- docker fcntl=kill -- \
		"$reach/starts" "$noop"
	same lazy copies
}

what=${1:?a case}
shift
"run_${what//-/_}" "$@"
verdict
