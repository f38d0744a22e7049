/* The files of a run, see scene.h. */
#include "scene.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

char scene_dir[64];
volatile struct witness *scene_report;
int scene_dir_fd;
int scene_log = 2;

static int target_fd;
static int busy_fd;

_Noreturn void scene_die(const char *what)
{
	dprintf(scene_log, "fuzz: %s: %s\n", what, strerror(errno));
	_exit(1);
}

void *scene_libc(void)
{
	void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);

	if (!libc) {
		puts("skip: libc is not libc.so.6 here");
		exit(77);
	}
	return libc;
}

int scene_out_of_the_way(int fd)
{
	int high = fcntl(fd, F_DUPFD_CLOEXEC, 700);

	MUST(high >= 0);
	close(fd);
	return high;
}

static void make_file(const char *name, mode_t mode, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	MUST(fd >= 0);
	MUST(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	MUST(!fchmod(fd, mode));
	close(fd);
}

static void copy_program(const char *from, const char *to, mode_t mode)
{
	static char buf[1 << 20];
	int fd = open(from, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	MUST(fd >= 0);
	n = read(fd, buf, sizeof(buf));
	MUST(n > 0 && n < (ssize_t)sizeof(buf));
	close(fd);
	fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	MUST(fd >= 0);
	MUST(write(fd, buf, n) == n);
	close(fd);
}

static void make_report(void)
{
	static const char *const dirs[] = { "bin", "bin2", "private", "slow" };
	char path[32];
	int fd = open("report", O_RDWR | O_CREAT | O_CLOEXEC, 0666);

	MUST(fd >= 0 && !fchmod(fd, 0666));
	MUST(!ftruncate(fd, sizeof(struct witness)));
	scene_report = mmap(NULL, sizeof(struct witness),
			    PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	MUST(scene_report != MAP_FAILED);
	close(fd);
	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		MUST(!mkdir(dirs[i], i == 2 ? 0700 : 0755));
		snprintf(path, sizeof(path), "%s/report", dirs[i]);
		MUST(!link("report", path));
		snprintf(path, sizeof(path), "%s/tool", dirs[i]);
		if (i % 2 == 0)
			MUST(!link("witness", path));
	}
}

void scene_make(const char *witness)
{
	const char *tmp = getenv("TMPDIR");
	char script[128], absolute[4096];

	scene_log = scene_out_of_the_way(dup(2));
	MUST(realpath(witness, absolute));
	snprintf(scene_dir, sizeof(scene_dir), "%s/spawn-fuzz.XXXXXX",
		 tmp && strlen(tmp) < 40 ? tmp : "/tmp");
	umask(022);
	MUST(mkdtemp(scene_dir) && !chmod(scene_dir, 0755) &&
	     !chdir(scene_dir));
	copy_program(absolute, "witness", 0755);
	copy_program(absolute, "busy", 0755);
	copy_program(absolute, "setuid", 0755);
	if (geteuid() == 0)
		MUST(!chown("setuid", 65534, 65534) && !chmod("setuid", 06755));
	make_report();
	copy_program(absolute, "slow/witness", 0755);
	make_file("empty", 0755, "");
	make_file("text", 0755, "this is no program\n");
	make_file("bin2/tool", 0644, "nor this, and not executable\n");
	make_file("file", 0666, "0123456789abcdefghijklmnopqrstuvwxyz");
	make_file("target", 0666, "5byte");
	snprintf(script, sizeof(script), "#!%s/witness one two\n", scene_dir);
	make_file("ff-script", 0755, script);
	make_file("orphan", 0755, "#!/nonexistent/interpreter\n");
	MUST(!symlink("loop", "loop") && !symlink("witness", "symlink"));
	MUST(!mkdir("sub", 0755) && !mkdir("sub/deep", 0755));
	MUST(!link("witness", "sub/witness") && !link("report", "sub/report"));
	MUST(!mkfifo("fifo", 0666) && !mkdir("open", 0777) &&
	     !chmod("open", 0777));
	scene_dir_fd = scene_out_of_the_way(open(".", O_RDONLY | O_DIRECTORY));
	busy_fd = scene_out_of_the_way(open("busy", O_RDWR));
	target_fd = scene_out_of_the_way(open("target", O_RDWR));
}

void scene_remove(void)
{
	char command[128];

	/* the machinery under test has no say in this */
	snprintf(command, sizeof(command), "rm -rf '%s'", scene_dir);
	if (fork() == 0) {
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	close(busy_fd);
	close(target_fd);
}

void scene_restore(void)
{
	unlinkat(scene_dir_fd, "open/made", 0);
	MUST(!ftruncate(target_fd, 5));
}

void scene_effect(struct scene_effect *ret)
{
	struct stat st;

	memset(ret, 0, sizeof(*ret));
	if (!fstatat(scene_dir_fd, "open/made", &st, AT_SYMLINK_NOFOLLOW)) {
		ret->made_ino = st.st_ino;
		ret->made_dev = st.st_dev;
		ret->made_mode = (int)st.st_mode;
	}
	MUST(!fstat(target_fd, &st));
	ret->target_bytes = st.st_size;
}
