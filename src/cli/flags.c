/*
 * The flags of a verb, by its row in main.c: "--json --size=SIZE". One parser,
 * so that they are written, and refused, in one way everywhere. Those of run
 * are the table of options (run.c).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

#define FLAGS_MAX 8

static struct {
	const char *name, *value;
	size_t bytes; /* of the name */
} said[FLAGS_MAX];

/* The next flag of @spec at or behind *at, which moves on; NULL: no more. */
static const char *next_flag(const char **at, size_t *ret_name,
			     size_t *ret_bytes)
{
	const char *flag = *at + strspn(*at, " ");

	*ret_bytes = strcspn(flag, " ");
	*ret_name = strcspn(flag, " =");
	*at = flag + *ret_bytes;
	return *ret_bytes ? flag : NULL;
}

void cli_flags_print(const char *spec)
{
	const char *flag;
	size_t name, bytes;

	while ((flag = next_flag(&spec, &name, &bytes)))
		printf("%.*s\n", (int)name, flag);
}

static void no_such_flag(const char *where, const char *spec, char *word)
{
	char names[FLAGS_MAX][24];
	const char *meant = NULL, *flag;
	size_t n = 0, name, bytes;

	word[strcspn(word, "=")] = '\0';
	while (n < FLAGS_MAX && (flag = next_flag(&spec, &name, &bytes))) {
		snprintf(names[n], sizeof(names[n]), "%.*s", (int)name, flag);
		cli_nearer(word, names[n++], &meant);
	}
	if (meant)
		cli_complain(where, "'%s': no such option; %s is meant?", word,
			     meant);
	else
		cli_complain(where,
			     "'%s': no such option; see flatfork help %s", word,
			     where);
}

static bool is_help(const char *word)
{
	return !strcmp(word, "--help") || !strcmp(word, "-h");
}

static bool note(const char *where, const char *flag, size_t name,
		 const char *value)
{
	size_t i = 0;

	while (said[i].name && said[i].name != flag)
		i++;
	if (i + 1 >= FLAGS_MAX) {
		cli_complain(where, "too many options");
		return false;
	}
	said[i].name = flag;
	said[i].bytes = name;
	said[i].value = value;
	return true;
}

/* *argv is a flag; it moves to its last word. */
static bool take_flag(const char *where, const char *spec, char ***argv)
{
	const size_t n = strcspn(**argv, "=");
	const char *flag, *value = (**argv)[n] ? **argv + n + 1 : NULL;
	size_t name, bytes;
	const char *at = spec;

	while ((flag = next_flag(&at, &name, &bytes)))
		if (name == n && !strncmp(flag, **argv, n))
			break;
	if (!flag) {
		no_such_flag(where, spec, **argv);
		return false;
	}
	if (name == bytes && value) {
		cli_complain(where, "%.*s takes no value", (int)name, flag);
		return false;
	}
	if (name < bytes && !value)
		value = *++*argv;
	if (name < bytes && (!value || !*value)) {
		cli_complain(where, "%.*s wants a value: %.*s", (int)name, flag,
			     (int)(bytes - name - 1), flag + name + 1);
		return false;
	}
	return note(where, flag, name, value ? value : "");
}

bool cli_flags_take(const char *where, const char *spec, char **argv,
		    bool ends_at_word, bool *ret_help)
{
	char **to = argv;

	*ret_help = false;
	for (; *argv; argv++) {
		if (!strcmp(*argv, "--")) {
			argv++;
			break;
		}
		if (**argv != '-' || !(*argv)[1]) {
			if (ends_at_word)
				break;
			*to++ = *argv;
			continue;
		}
		*ret_help = is_help(*argv);
		if (*ret_help)
			return true;
		if (!take_flag(where, spec, &argv))
			return false;
	}
	while (*argv)
		*to++ = *argv++;
	*to = NULL;
	return true;
}

const char *cli_flag(const char *name)
{
	for (size_t i = 0; i < FLAGS_MAX && said[i].name; i++)
		if (strlen(name) == said[i].bytes &&
		    !strncmp(name, said[i].name, said[i].bytes))
			return said[i].value;
	return NULL;
}

long cli_pid(const char *where, const char *text)
{
	char path[64], *end;
	long pid;

	errno = 0;
	pid = strtol(text, &end, 10);
	if (*text < '1' || *text > '9' || *end || errno) {
		cli_complain(where, "'%s' is not a process: 1234", text);
		return 0;
	}
	snprintf(path, sizeof(path), "/proc/%ld", pid);
	if (access(path, F_OK)) {
		cli_complain(where, "process %ld: %s", pid,
			     errno == ENOENT || errno == ESRCH ?
				     "there is none" :
				     strerror(errno));
		return 0;
	}
	return pid;
}
