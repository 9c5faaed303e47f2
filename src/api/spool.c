/* api/spool.c -- temporary files for long answers. They are never synced, and gone with the process. */
#include "api/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"
#include "base/unicode.h"

typedef struct SpoolFile {
    HttpFile base;
    SpoolSpace *space;
} SpoolFile;

static void file_close(HttpFile *file)
{
    SpoolSpace *space = ((SpoolFile *)file)->space;
    close(file->descriptor);
    atomic_fetch_sub(&space->used, file->size);
    free(file);
}

static bool fail_errno(Error *error, const char *folder)
{
    int code = errno;
    log_error("orion.api", "A long answer needs a temporary file in %s: %s", folder, strerror(code));
    return fail(error, ERR_BUSY, "The answer is long, and its temporary file cannot be written: %s", strerror(code));
}

/* Where others put large files for a while: /tmp is often in memory. */
static const char *folder_of_files(void)
{
    const char *wanted = getenv("TMPDIR");
    if (wanted && wanted[0])
        return wanted;
    return access("/var/tmp", W_OK) == 0 ? "/var/tmp" : "/tmp";
}

/* Not every file system can make files without a name. -1: errno. */
static int open_nameless(const char *folder)
{
    int descriptor = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (descriptor >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
        return descriptor;
    char path[4096];
    if (snprintf(path, sizeof path, "%s/orion-answer-XXXXXX", folder) >= (int)sizeof path)
        return -1;
    descriptor = mkostemp(path, O_CLOEXEC);
    if (descriptor >= 0)
        unlink(path);
    return descriptor;
}

static bool file_open(Spool *spool)
{
    int descriptor = open_nameless(folder_of_files());
    if (descriptor < 0)
        return fail_errno(spool->error, folder_of_files());
    SpoolFile *file = xcalloc(1, sizeof *file);
    file->base = (HttpFile){ .descriptor = descriptor, .close = file_close };
    file->space = spool->space;
    spool->file = &file->base;
    return true;
}

static bool take_space(Spool *spool, size_t bytes)
{
    SpoolSpace *space = spool->space;
    int64_t more = (int64_t)bytes, before = atomic_fetch_add(&space->used, more);
    spool->file->size += more; /* given back with the file */
    if (before + more <= space->size)
        return true;
    if (spool->file->size > space->size)
        return fail(spool->error, ERR_ANSWER_TOO_LARGE,
                    "The answer is longer than the %lld bytes of ORION_SERVER_SPOOL: ask for less at once",
                    (long long)space->size);
    return fail(spool->error, ERR_OVERLOADED,
                "Other long answers take all %lld bytes of ORION_SERVER_SPOOL: try again later",
                (long long)space->size);
}

static bool write_all(Spool *spool, Str bytes)
{
    while (bytes.n) {
        ssize_t n = write(spool->file->descriptor, bytes.p, bytes.n);
        if (n < 0 && errno != EINTR)
            return fail_errno(spool->error, folder_of_files());
        if (n > 0)
            bytes = (Str){ bytes.p + n, bytes.n - (size_t)n };
    }
    return true;
}

/* After a failure nothing more is stored. Another program may have put anything into a database: what is sent is
 * UTF-8. */
static bool store(Spool *spool, Str bytes)
{
    if (spool->error->code != ERR_NONE || (!spool->file && !file_open(spool)))
        return false;
    Arena *arena = arena_new_small(64);
    Str text = utf8_repaired(arena, bytes);
    bool ok = take_space(spool, text.n) && write_all(spool, text);
    arena_free(arena);
    return ok;
}

static void sink_take(BufSink *sink, Str bytes)
{
    (void)!store((Spool *)sink, bytes);
}

void spool_begin(Spool *spool, SpoolSpace *space, size_t from, Buf *out, Error *error)
{
    spool_discard(spool);
    *spool = (Spool){ .sink = { from, sink_take }, .space = space, .error = error };
    out->sink = &spool->sink;
}

bool spool_finish(Spool *spool, Buf *out)
{
    if (!spool->file)
        return true;
    bool ok = store(spool, buf_view(out));
    out->n = 0;
    return ok;
}

void spool_discard(Spool *spool)
{
    if (spool->file)
        spool->file->close(spool->file);
    spool->file = NULL;
}
