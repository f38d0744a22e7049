/* A library between us and libc that counts what is forked and spawned, as
 * tools that follow programs do: it is called as without us. Its vfork is
 * a fork. */
#include "behind.h"

#include <dlfcn.h>
#include <unistd.h>

int behind_count[BEHIND_KINDS];

typedef int (*spawn_function)(pid_t *, const char *,
			      const posix_spawn_file_actions_t *,
			      const posix_spawnattr_t *, char *const[],
			      char *const[]);

pid_t fork(void)
{
	behind_count[BEHIND_FORK]++;
	return ((pid_t(*)(void))dlsym(RTLD_NEXT, "fork"))();
}

pid_t vfork(void)
{
	behind_count[BEHIND_VFORK]++;
	return fork();
}

int close(int fd)
{
	behind_count[BEHIND_CLOSE]++;
	return ((int (*)(int))dlsym(RTLD_NEXT, "close"))(fd);
}

static spawn_function next_spawn(const char *name)
{
	behind_count[BEHIND_SPAWN]++;
	return (spawn_function)dlsym(RTLD_NEXT, name);
}

int posix_spawn(pid_t *pid, const char *path,
		const posix_spawn_file_actions_t *actions,
		const posix_spawnattr_t *attr, char *const argv[],
		char *const envp[])
{
	return next_spawn("posix_spawn")(pid, path, actions, attr, argv, envp);
}

int posix_spawnp(pid_t *pid, const char *file,
		 const posix_spawn_file_actions_t *actions,
		 const posix_spawnattr_t *attr, char *const argv[],
		 char *const envp[])
{
	return next_spawn("posix_spawnp")(pid, file, actions, attr, argv, envp);
}
