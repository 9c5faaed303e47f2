/* tests/server/disk_shim.c -- for LD_PRELOAD: a disk that fails when the test says so. The test and the process share a
 * small file, named by ORION_TEST_DISK, which holds what is to fail. Only SQLite's files are concerned, told apart by
 * the ends of their names. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

enum { FILE_DATABASE = 1, FILE_LOG = 2 };

/* tests/server/disk.py writes the same. */
static volatile struct Plan {
    int read_error, read_files;     /* an errno, 0: none; and the files on which calls fail, a sum of the above */
    int write_error, write_files;
    int sync_error, sync_files;
    int syncs_left;                 /* that still work */
    int failed;                     /* how many calls did */
    int delete_database;            /* at the next write to its log */
} *plan;

__attribute__((constructor)) static void attach(void)
{
    const char *path = getenv("ORION_TEST_DISK");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *memory = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *plan, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
        abort();
    plan = memory;
    close(fd);
}

static int ends(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);
    return n >= m && strcmp(name + n - m, end) == 0;
}

static void name_of(int fd, char name[PATH_MAX])
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, name, PATH_MAX - 1);
    name[n < 0 ? 0 : n] = '\0';
}

static int kind(int fd)
{
    char name[PATH_MAX];
    name_of(fd, name);
    return ends(name, "orion.db") ? FILE_DATABASE : ends(name, "orion.db-wal") ? FILE_LOG : 0;
}

static int fails(int fd, int error, int files)
{
    if (!error || !(kind(fd) & files))
        return 0;
    __atomic_add_fetch(&plan->failed, 1, __ATOMIC_SEQ_CST);
    errno = error;
    return 1;
}

static int sync_fails(int fd)
{
    if (!plan->sync_error || !(kind(fd) & plan->sync_files) ||
        __atomic_fetch_sub(&plan->syncs_left, 1, __ATOMIC_SEQ_CST) > 0)
        return 0;
    return fails(fd, plan->sync_error, plan->sync_files);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t pread(int fd, void *to, size_t n, off_t at)
{
    return fails(fd, plan->read_error, plan->read_files) ? -1 : REAL(pread)(fd, to, n, at);
}

ssize_t pread64(int fd, void *to, size_t n, off64_t at)
{
    return fails(fd, plan->read_error, plan->read_files) ? -1 : REAL(pread64)(fd, to, n, at);
}

static int write_fails(int fd)
{
    char name[PATH_MAX];
    if (plan->delete_database && kind(fd) == FILE_LOG) {
        plan->delete_database = 0;
        name_of(fd, name);
        name[strlen(name) - strlen("-wal")] = '\0';
        unlink(name);
    }
    return fails(fd, plan->write_error, plan->write_files);
}

ssize_t pwrite(int fd, const void *from, size_t n, off_t at)
{
    return write_fails(fd) ? -1 : REAL(pwrite)(fd, from, n, at);
}

ssize_t pwrite64(int fd, const void *from, size_t n, off64_t at)
{
    return write_fails(fd) ? -1 : REAL(pwrite64)(fd, from, n, at);
}

int ftruncate(int fd, off_t size)
{
    return write_fails(fd) ? -1 : REAL(ftruncate)(fd, size);
}

int ftruncate64(int fd, off64_t size)
{
    return write_fails(fd) ? -1 : REAL(ftruncate64)(fd, size);
}

int fsync(int fd)
{
    return sync_fails(fd) ? -1 : REAL(fsync)(fd);
}

int fdatasync(int fd)
{
    return sync_fails(fd) ? -1 : REAL(fdatasync)(fd);
}
