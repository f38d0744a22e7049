/* How lazy children end that do not exec. */
#ifndef FF_SITE_REASON_H
#define FF_SITE_REASON_H

/*
 * Why a lazy child went away or on without exec. The second column is what
 * the log says; the third, whether a child born committed at this site could
 * have gone on without its parent noticing.
 */
#define FF_REASONS(X)                                               \
	X(NONE, "", false)                                          \
	X(CALL, "calls what can't be undone", false)                \
	X(OUTPUT, "writes before exec", true)                       \
	X(EXIT, "ends without exec", false)                         \
	X(CRASH, "faults", false)                                   \
	X(SIGNAL, "has a signal to deliver", false)                 \
	X(SHARED, "writes shared memory", true)                     \
	X(MEMORY, "can't get its memory", false)                    \
	X(WRITABLE, "has shared memory that stays writable", false) \
	X(UNARMED, "can't be mediated", false)                      \
	X(DESCRIPTOR, "needs the pager's descriptor number", false) \
	X(BUDGET, "time budget is used up", false)                  \
	X(LOST, "is lost in libc's fork", false)                     \
	X(DIED, "was killed before exec", false)

enum ff_reason {
#define X(id, text, commits) FF_REASON_##id,
	FF_REASONS(X)
#undef X
	FF_REASON_COUNT
};

#endif
