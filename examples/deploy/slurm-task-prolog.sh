#!/bin/sh
# Slurm's TaskProlog: what it prints as "export NAME=VALUE" is in the
# environment of each task (slurm.conf: TaskProlog=/etc/slurm/task-prolog.sh).
# A job has flatfork if it asks for it, and the node has the package:
#
#	sbatch --export=ALL,WITH_FLATFORK=yes job.sh
#
# Back: no WITH_FLATFORK, or FLATFORK=off in the job.
[ "${WITH_FLATFORK-}" = yes ] || exit 0
object=${FLATFORK_OBJECT-}
# ld.so puts its own folder in the place of $LIB.
[ -n "$object" ] || object='/usr/$LIB/libflatfork-preload.so'
# Of a batch job whose own steps are tasks: it is there already.
case :${LD_PRELOAD-}: in
*:"$object":*) exit 0 ;;
esac
# A node without it: a task would get a line of ld.so's for each program.
LD_PRELOAD=$object /bin/true 2>&1 | grep -q . && exit 0
echo "export LD_PRELOAD=$object${LD_PRELOAD:+:$LD_PRELOAD}"
echo "export FLATFORK_MIN_RSS=64M"
