/* config/file_write.c -- a small user file: lock its folder, read it, replace it or write it in place. */
#include "config/file_write.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/unicode.h"

enum { FILE_MAX = 1 << 20, LOCK_TRIES = 1500, LOCK_PAUSE_MS = 20 };

/* What the path points to, so that a link stays one. The path itself if there is nothing yet. */
static char *target_of(Arena *arena, const char *path)
{
    char target[PATH_MAX];
    return arena_cstr(arena, str_from(realpath(path, target) ? target : path));
}

/* ---- the lock ---- */

static int open_folder(Arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 0;
    const char *folder = !slash ? "." : n == 0 ? "/" : arena_cstr(arena, (Str){ path, n });
    return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

bool file_lock(Arena *arena, const char *path, FileUse use, int *ret_lock, Error *error)
{
    int operation = (use == FILE_READ ? LOCK_SH : LOCK_EX) | LOCK_NB;
    char *target = target_of(arena, path);
    int fd = open_folder(arena, target);
    *ret_lock = fd;
    if (fd < 0)
        return true; /* writing the file will report what is wrong with its folder */
    for (unsigned i = 0; i < LOCK_TRIES; i++) {
        /* On a file system that has no locks the file is used without one. */
        if (flock(fd, operation) == 0 || (errno != EWOULDBLOCK && errno != EINTR))
            return true;
        clock_sleep(LOCK_PAUSE_MS * 1000);
    }
    close(fd);
    return fail(error, ERR_BUSY, "Another program has locked the folder of %s.", path);
}

static bool is_same_file(int a, int b)
{
    struct stat one, other;
    return fstat(a, &one) == 0 && fstat(b, &other) == 0 && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

bool file_lock_too(Arena *arena, const char *path, FileUse use, int held, int *ret_lock, Error *error)
{
    int folder = held >= 0 ? open_folder(arena, target_of(arena, path)) : -1;
    bool is_held = folder >= 0 && is_same_file(folder, held);
    if (folder >= 0)
        close(folder);
    *ret_lock = -1;
    return is_held || file_lock(arena, path, use, ret_lock, error);
}

/* ---- reading ---- */

/* Without waiting: a pipe without a writer would block. -1 with *error. */
static int open_to_read(const char *path, Error *error)
{
    struct stat found;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        fail(error, ERR_INVALID, "Cannot read %s: %s.", path, strerror(errno));
        return -1;
    }
    if (fstat(fd, &found) == 0 && (S_ISREG(found.st_mode) || S_ISCHR(found.st_mode))) /* /dev/null is an empty file */
        return fd;
    close(fd);
    fail(error, ERR_INVALID, "%s is not a regular file.", path);
    return -1;
}

bool file_read_bytes(int fd, char *out, size_t size, size_t *ret_n)
{
    size_t n = 0;
    while (n < size) {
        ssize_t got = read(fd, out + n, size - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return false;
        if (got == 0)
            break;
        n += (size_t)got;
    }
    *ret_n = n;
    return true;
}

bool file_read(Arena *arena, const char *path, Str *ret, Error *error)
{
    *ret = STR_NULL;
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return true;
    int fd = open_to_read(path, error);
    if (fd < 0)
        return false;
    char *bytes = arena_alloc(arena, FILE_MAX);
    size_t n = 0;
    bool ok = file_read_bytes(fd, bytes, FILE_MAX, &n);
    int cause = errno;
    close(fd);
    if (!ok)
        return fail(error, ERR_INVALID, "Cannot read %s: %s.", path, strerror(cause));
    if (n == FILE_MAX)
        return fail(error, ERR_INVALID, "%s is larger than 1 MB.", path);
    unsigned line = 1;
    const char *invalid = utf8_find_invalid((Str){ bytes, n });
    for (const char *p = bytes; invalid && p < invalid; p++)
        line += *p == '\n';
    *ret = (Str){ bytes, n };
    return !invalid || fail(error, ERR_INVALID, "%s is not UTF-8 (line %u).", path, line);
}

/* ---- writing ---- */

static bool write_at(int fd, Str text)
{
    off_t offset = 0;
    while (text.n > 0) {
        ssize_t n = pwrite(fd, text.p, text.n, offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        text.p += n;
        text.n -= (size_t)n;
        offset += n;
    }
    return true;
}

static bool read_whole(Arena *arena, int fd, Str *ret)
{
    struct stat found;
    if (fstat(fd, &found) != 0)
        return false;
    size_t n = (size_t)found.st_size;
    char *bytes = arena_alloc(arena, n + 1);
    *ret = (Str){ bytes, n };
    return pread(fd, bytes, n, 0) == (ssize_t)n;
}

/* Space for the new text is reserved before a byte of the old one is changed, so that a full disk is noticed in
 * time. If writing fails all the same, the old text is put back; if that fails too, the cause is EIO. */
static bool overwrite(int fd, Str old, Str text)
{
    int cause = text.n > old.n ? posix_fallocate(fd, 0, (off_t)text.n) : 0;
    if (cause == 0 && write_at(fd, text) && ftruncate(fd, (off_t)text.n) == 0 && fsync(fd) == 0)
        return true;
    cause = cause ? cause : errno;
    if (!write_at(fd, old) || ftruncate(fd, (off_t)old.n) != 0 || fsync(fd) != 0)
        cause = EIO;
    errno = cause;
    return false;
}

static bool write_in_place(Arena *arena, const char *path, Str text)
{
    Str old;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    bool ok = read_whole(arena, fd, &old) && overwrite(fd, old, text);
    int cause = errno;
    ok = close(fd) == 0 && ok;
    errno = cause;
    return ok;
}

/* Otherwise root would leave a file that the service or user cannot read. */
static bool give_to_owner_of_folder(Arena *arena, int fd, const char *path)
{
    struct stat folder;
    int folder_fd = geteuid() == 0 ? open_folder(arena, path) : -1;
    if (folder_fd < 0)
        return true;
    bool ok = fstat(folder_fd, &folder) == 0 && fchown(fd, folder.st_uid, folder.st_gid) == 0;
    close(folder_fd);
    return ok;
}

bool file_make_alike(Arena *arena, int fd, const char *path)
{
    struct stat old, new;
    if (stat(path, &old) != 0)
        return give_to_owner_of_folder(arena, fd, path) && fchmod(fd, 0600) == 0;
    bool owned = fstat(fd, &new) == 0 && new.st_uid == old.st_uid && new.st_gid == old.st_gid;
    if (old.st_nlink > 1) {
        errno = EPERM;
        return false;
    }
    return (owned || fchown(fd, old.st_uid, old.st_gid) == 0) && fchmod(fd, old.st_mode & 07777) == 0;
}

/* Whether the cause prevents only renaming, and writing in place may still work. */
static bool may_write_in_place(int cause)
{
    return cause == EBUSY || cause == EACCES || cause == EPERM || cause == EROFS || cause == EXDEV;
}

/* The temporary file is kept until writing in place is over: should that be interrupted, it has the whole text. */
static bool replace_or_write(Arena *arena, const char *path, Str text)
{
    char *temporary = arena_cstr(arena, arena_printf(arena, "%s.XXXXXX", path));
    int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return may_write_in_place(errno) && write_in_place(arena, path, text);
    /* The text is on the disk before the name refers to it. */
    bool whole = write_at(fd, text) && fsync(fd) == 0,
         replaced = whole && file_make_alike(arena, fd, path) && rename(temporary, path) == 0;
    bool ok = replaced || (whole && may_write_in_place(errno) && write_in_place(arena, path, text));
    int cause = errno;
    close(fd);
    if (!replaced)
        unlink(temporary);
    errno = cause;
    return ok;
}

bool file_write(Arena *arena, const char *path, Str text, Error *error)
{
    char *target = target_of(arena, path);
    struct stat link;
    bool there = faccessat(AT_FDCWD, target, W_OK, AT_EACCESS) == 0, ok = there || errno == ENOENT;
    bool dangling = ok && !there && lstat(target, &link) == 0; /* a link to nothing: its target is created */
    ok = ok && (dangling ? write_in_place(arena, target, text) : replace_or_write(arena, target, text));
    return ok || fail(error, ERR_INVALID, "Cannot write %s: %s.", path,
                      errno == ENOENT ? "its folder does not exist" : strerror(errno));
}
