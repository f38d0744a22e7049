# shellcheck shell=sh
# For a shell in the guest: commands on one path each, again and again.
i=0
while [ $i -lt 8 ]; do
	/usr/bin/true
	/usr/bin/env NUMBER=$i sh -c 'echo "$NUMBER $0"' word
	ls /nonexistent
	nothing-of-this-name
	i=$((i + 1))
done
for word in a b c d; do
	echo $word | cat
	word=$(cat /etc/nothing; echo "$word")
	echo "$word"
	(cd / && ls test) >/tmp/list && wc -l </tmp/list
	cat <<-END
		here: $word
	END
	sh -c 'exit 3'
	echo $?
	sh -c 'kill -TERM $$'
	echo $?
done
exec 2>/dev/null # where bash tells of pids
sleep 1 &
kill -9 $!
wait $!
echo $?
