/*
 * What a started program found: written by the witness (after exec, in the
 * file "report" beside its own executable), read by the fuzzer, who has that
 * file mapped. Both are of one build, so the struct travels as it is.
 */
#ifndef FUZZ_WITNESS_H
#define FUZZ_WITNESS_H

#include <stdint.h>

enum {
	WITNESS_FDS = 160,
	WITNESS_CWD = 256,
	WITNESS_LIMITS = 16,
	WITNESS_GROUPS = 16,
	WITNESS_SAID = 2048,
};

struct witness_fd {
	int32_t fd;
	int32_t flags;	/* F_GETFD */
	int32_t status; /* F_GETFL */
	int32_t mode;
	int64_t offset; /* or -errno */
	uint64_t dev;
	uint64_t ino;
};

struct witness {
	int32_t complete; /* the last thing written */
	int32_t pid, parent, group, session;
	uint32_t ids[6]; /* uid, gid: real, effective, saved */
	int32_t nr_groups;
	uint32_t groups[WITNESS_GROUPS];
	uint64_t blocked, ignored, caught, pending;
	int32_t policy, priority, nice, umask;
	int32_t pdeathsig, dumpable, no_new_privs, thp_disable, keepcaps;
	int32_t securebits, slack, subreaper, personality, altstack;
	uint64_t affinity;
	uint64_t limits[WITNESS_LIMITS][2];
	int32_t argc, envc;
	uint64_t args, env;    /* hashes of all bytes and ends */
	int32_t cwd_bytes;     /* or -errno */
	char cwd[WITNESS_CWD]; /* its end, where it is longer */
	int32_t nr_fds;	       /* or -errno */
	struct witness_fd fds[WITNESS_FDS];
	char said[WITNESS_SAID]; /* the first argument, its beginning */
};

#endif
