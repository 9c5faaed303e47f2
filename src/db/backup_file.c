/* db/backup_file.c -- a large file that has its name only once it is whole and on the disk; gzip. */
#include "db/backup_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <zlib.h>

enum {
    CHUNK = 256 * 1024,
    FLUSH_BYTES = 8 * 1024 * 1024,
    TRIES = 10
};

static bool fail_system(Error *error, const char *verb, const char *path)
{
    return fail(error, ERR_BUSY, "Cannot %s %s: %s", verb, path, strerror(errno));
}

/* ---- new files ---- */

/* Whether the name still means the file: another process may have removed it, between our open and our lock, say. */
static bool is_named(int fd, const char *path)
{
    struct stat held, named;
    return fstat(fd, &held) == 0 && lstat(path, &named) == 0 && held.st_dev == named.st_dev
           && held.st_ino == named.st_ino;
}

/* Where others may write, too, one of them may have made it, to read what we write. */
static bool is_ours(NewFile *file, Error *error)
{
    struct stat found;
    if (fstat(file->fd, &found) == 0 && S_ISREG(found.st_mode) && found.st_uid == geteuid() && found.st_nlink == 1)
        return true;
    close(file->fd);
    file->fd = -1;
    return fail(error, ERR_CONFLICT, "%s is there already, and belongs to another user.", file->partial);
}

static bool open_locked(NewFile *file, Error *error)
{
    for (unsigned i = 0; i < TRIES; i++) {
        file->fd = open(file->partial, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (file->fd < 0)
            return fail_system(error, "write", file->partial);
        if (flock(file->fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
            close(file->fd);
            file->fd = -1;
            return fail(error, ERR_CONFLICT, "Another process is writing %s.", file->partial);
        }
        if (is_named(file->fd, file->partial))
            return is_ours(file, error);
        close(file->fd);
    }
    file->fd = -1;
    return fail(error, ERR_CONFLICT, "Other processes are writing %s.", file->partial);
}

bool file_begin(Arena *arena, const char *path, const char *suffix, NewFile *ret, Error *error)
{
    NewFile file = { .path = path, .partial = arena_printf(arena, "%s.partial%s", path, suffix).p, .fd = -1 };
    if (!open_locked(&file, error))
        return false;
    *ret = file;
    return (ftruncate(file.fd, 0) == 0 && fchmod(file.fd, 0600) == 0) || fail_system(error, "write", file.partial);
}

void file_flush(NewFile *file, int64_t written)
{
    if (written - file->flushed < FLUSH_BYTES)
        return;
    file->flushed = written;
    fdatasync(file->fd); /* what fails is found at the end */
}

bool file_sync(NewFile *file, Error *error)
{
    return fsync(file->fd) == 0 || fail_system(error, "write", file->partial);
}

static bool sync_folder(const char *path, Error *error)
{
    char copy[PATH_MAX];
    snprintf(copy, sizeof copy, "%s", path);
    const char *folder = dirname(copy);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL); /* which some file systems answer for a folder */
    if (!ok)
        fail_system(error, "sync the folder", folder);
    if (fd >= 0)
        close(fd);
    return ok;
}

/* Not every file system can refuse to replace a file. */
static bool rename_to_nothing(const char *from, const char *to)
{
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return true;
    if (errno != EINVAL && errno != ENOSYS)
        return false;
    if (access(to, F_OK) == 0) {
        errno = EEXIST;
        return false;
    }
    return rename(from, to) == 0;
}

bool file_rename(const char *from, const char *to, bool replaces, Error *error)
{
    bool ok = replaces ? rename(from, to) == 0 : rename_to_nothing(from, to);
    return (ok || fail_system(error, "make", to)) && sync_folder(to, error);
}

void file_end(NewFile *file)
{
    if (file->fd < 0 || !file->partial)
        return;
    if (is_named(file->fd, file->partial))
        unlink(file->partial);
    close(file->fd);
    file->fd = -1;
}

static dev_t disk_of(const char *path)
{
    char copy[PATH_MAX];
    struct stat found;
    snprintf(copy, sizeof copy, "%s", path);
    return stat(dirname(copy), &found) == 0 ? found.st_dev : 0;
}

bool file_are_on_one_disk(const char *path, const char *other)
{
    return disk_of(path) == disk_of(other);
}

bool file_has_room(const char *path, int64_t bytes, Error *error)
{
    char copy[PATH_MAX];
    struct statvfs found;
    snprintf(copy, sizeof copy, "%s", path);
    const char *folder = dirname(copy);
    if (statvfs(folder, &found) != 0)
        return true; /* whoever writes there will say what is wrong */
    int64_t free = (int64_t)found.f_bavail * (int64_t)found.f_frsize;
    return free >= bytes
           || fail(error, ERR_BUSY, "There is too little room in %s: %.1f MB are needed, %.1f MB are free.", folder,
                   (double)bytes / 1e6, (double)free / 1e6);
}

/* ---- files that are there ---- */

static FileKind kind_of(const unsigned char *head, size_t n)
{
    static const char sqlite[] = "SQLite format 3"; /* with the zero that ends it */
    if (n >= sizeof sqlite && memcmp(head, sqlite, sizeof sqlite) == 0)
        return FILE_SQLITE;
    return n >= 2 && head[0] == 0x1f && head[1] == 0x8b ? FILE_GZIP : FILE_OTHER;
}

int file_open(const char *path, FileKind *ret_kind, int64_t *ret_size, Error *error)
{
    struct stat found;
    unsigned char head[16];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe without a writer would block */
    if (fd < 0) {
        fail_system(error, "read", path);
        return -1;
    }
    ssize_t n = -1;
    if (fstat(fd, &found) != 0 || !S_ISREG(found.st_mode))
        fail(error, ERR_INVALID, "%s is not a regular file.", path);
    else if ((n = pread(fd, head, sizeof head, 0)) < 0)
        fail_system(error, "read", path);
    if (n < 0) {
        close(fd);
        return -1;
    }
    *ret_kind = kind_of(head, (size_t)n);
    *ret_size = found.st_size;
    return fd;
}

/* ---- copying ---- */

static bool write_all(NewFile *to, const char *bytes, size_t n, int64_t at, Error *error)
{
    for (size_t done = 0; done < n;) {
        ssize_t written = pwrite(to->fd, bytes + done, n - done, at + (int64_t)done);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return fail_system(error, "write", to->partial);
        done += (size_t)written;
    }
    file_flush(to, at + (int64_t)n);
    return true;
}

/* A stream of zlib on a descriptor of its own, at the file's beginning. NULL: *error. */
static gzFile gzip_open(int fd, const char *mode, Error *error)
{
    int own = dup(fd);
    gzFile gzip = own >= 0 && lseek(own, 0, SEEK_SET) == 0 ? gzdopen(own, mode) : NULL;
    if (!gzip) {
        fail(error, ERR_INTERNAL, "Cannot begin to pack or unpack: %s", strerror(errno));
        if (own >= 0)
            close(own);
        return NULL;
    }
    gzbuffer(gzip, CHUNK);
    return gzip;
}

static bool fail_gzip(gzFile gzip, Error *error)
{
    int code;
    const char *why = gzerror(gzip, &code), *text = strstr(why, ": "); /* after what zlib calls the file */
    return fail(error, ERR_INVALID, "It is damaged: %s", code == Z_ERRNO ? strerror(errno) : text ? text + 2 : why);
}

static bool unpack(gzFile gzip, char *chunk, int64_t size, NewFile *to, const Onlooker *onlooker, Error *error)
{
    Progress at = { .doing = "Unpacking", .of = size };
    int64_t written = 0;
    int n;
    while ((n = gzread(gzip, chunk, CHUNK)) > 0) {
        at.done = gzoffset(gzip) < size ? gzoffset(gzip) : size - 1;
        if (!write_all(to, chunk, (size_t)n, written, error) || !onlooker_goes_on(onlooker, &at, error))
            return false;
        written += n;
    }
    int code;
    gzerror(gzip, &code);
    if (n < 0 || code == Z_BUF_ERROR) /* the latter: it ends too early */
        return fail_gzip(gzip, error);
    at.done = size;
    return onlooker_goes_on(onlooker, &at, error);
}

static bool copy_plain(int from, char *chunk, int64_t size, NewFile *to, const Onlooker *onlooker, Error *error)
{
    Progress at = { .doing = "Copying", .of = size };
    while (at.done < size) {
        ssize_t n = pread(from, chunk, CHUNK, at.done);
        if (n < 0)
            return fail_system(error, "read", "it");
        if (n == 0)
            return fail(error, ERR_CONFLICT, "It has become shorter while it was read.");
        if (!write_all(to, chunk, (size_t)n, at.done, error))
            return false;
        at.done += n;
        if (!onlooker_goes_on(onlooker, &at, error))
            return false;
    }
    return true;
}

bool file_copy(int from, FileKind kind, int64_t size, NewFile *to, const Onlooker *onlooker, Error *error)
{
    char *chunk = xmalloc(CHUNK);
    gzFile gzip = kind == FILE_GZIP ? gzip_open(from, "rb", error) : NULL;
    bool ok = kind == FILE_GZIP ? gzip && unpack(gzip, chunk, size, to, onlooker, error)
                                : copy_plain(from, chunk, size, to, onlooker, error);
    if (gzip)
        gzclose(gzip);
    free(chunk);
    return ok;
}

/* ---- packing ---- */

static bool pack(int from, int64_t size, gzFile gzip, char *chunk, NewFile *to, const Onlooker *onlooker,
                 unsigned long *sum, Error *error)
{
    Progress at = { .doing = "Packing", .of = size };
    while (at.done < size) {
        ssize_t n = pread(from, chunk, CHUNK, at.done);
        if (n <= 0)
            return fail_system(error, "read", to->path);
        *sum = crc32(*sum, (const Bytef *)chunk, (uInt)n);
        if (gzwrite(gzip, chunk, (unsigned)n) != n)
            return fail_system(error, "write", to->partial);
        file_flush(to, gzoffset(gzip));
        at.done += n;
        if (!onlooker_goes_on(onlooker, &at, error))
            return false;
    }
    return true;
}

static bool compare(gzFile gzip, int64_t size, char *chunk, NewFile *to, const Onlooker *onlooker, unsigned long sum,
                    Error *error)
{
    Progress at = { .doing = "Rereading", .of = size };
    unsigned long found = crc32(0, Z_NULL, 0);
    int n;
    while ((n = gzread(gzip, chunk, CHUNK)) > 0) {
        found = crc32(found, (const Bytef *)chunk, (uInt)n);
        at.done += n;
        if (!onlooker_goes_on(onlooker, &at, error))
            return false;
    }
    return (n == 0 && at.done == size && found == sum)
           || fail(error, ERR_BUSY, "%s does not hold what was written to it: the disk fails.", to->partial);
}

bool file_pack(int from, int64_t size, NewFile *to, const Onlooker *onlooker, Error *error)
{
    char *chunk = xmalloc(CHUNK);
    unsigned long sum = crc32(0, Z_NULL, 0);
    gzFile gzip = gzip_open(to->fd, "wb1", error); /* more would take several times as long, for a sixth less */
    bool ok = gzip && pack(from, size, gzip, chunk, to, onlooker, &sum, error);
    if (gzip && gzclose(gzip) != Z_OK)
        ok = ok && fail_system(error, "write", to->partial);
    ok = ok && file_sync(to, error);
    gzip = ok ? gzip_open(to->fd, "rb", error) : NULL;
    ok = gzip && compare(gzip, size, chunk, to, onlooker, sum, error);
    if (gzip)
        gzclose(gzip);
    free(chunk);
    return ok;
}
