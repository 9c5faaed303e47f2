/* web/static_files.c -- the dashboard's files: those inside the program, or those of a folder. */
#include "web/static_files.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/text.h"
#include "config/file_write.h"

enum { FILE_MAX = 32 << 20 }; /* of a folder's files, which are read whole */

const StaticFile *static_file_find(Str path)
{
    for (const StaticFile *file = static_files; file->path; file++)
        if (str_is(path, file->path))
            return file;
    return NULL;
}

Str static_file_inflate(Arena *arena, const StaticFile *file)
{
    if (!file->gzipped)
        return (Str){ file->data, file->size };
    char *plain = arena_alloc(arena, file->plain_size);
    z_stream stream = {
        .next_in = (z_const Bytef *)(uintptr_t)file->data, .avail_in = (uInt)file->size,
        .next_out = (Bytef *)plain, .avail_out = (uInt)file->plain_size,
    };
    if (inflateInit2(&stream, 16 + MAX_WBITS) == Z_OK) /* 16: expects gzip's header */
        (void)inflate(&stream, Z_FINISH);
    (void)inflateEnd(&stream);
    return (Str){ plain, stream.total_out };
}

/* ---- root path ---- */

/* The text to insert at a place. */
static Str insertion(Arena *arena, const StaticPlace *place, Str root)
{
    return place->quoted ? arena_printf(arena, "\"%.*s\"+", STR_ARG(root)) : root;
}

static void add_number(Buf *out, uint32_t number, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        buf_char(out, (char)(number >> 8 * i & 0xff));
}

/* An uncompressed deflate block. */
static void add_stored_block(Buf *out, Str text)
{
    buf_char(out, 0);
    add_number(out, (uint32_t)text.n, 2);
    add_number(out, ~(uint32_t)text.n, 2);
    buf_str(out, text);
}

enum { GZIP_END = 8 }; /* CRC and size of the uncompressed text */

static Str insert_plain(Arena *arena, const StaticFile *file, Str root)
{
    Str plain = static_file_inflate(arena, file);
    Buf out;
    size_t from = 0;
    buf_init(&out, arena, plain.n + file->place_count * (root.n + 3) + 1);
    for (const StaticPlace *place = file->places; place < file->places + file->place_count; place++) {
        buf_str(&out, str_cut(plain, from, place->plain));
        buf_str(&out, insertion(arena, place, root));
        from = place->plain;
    }
    buf_str(&out, str_cut(plain, from, plain.n));
    return buf_view(&out);
}

/* Copies the compressed blocks, with the insertions as blocks between them; the checksum is combined from those of the
 * parts. */
static Str insert_packed(Arena *arena, const StaticFile *file, Str root)
{
    Str packed = { file->data, file->size };
    Buf out;
    size_t from = 0, plain_from = 0, size = file->plain_size;
    uLong crc = crc32(0, NULL, 0);
    buf_init(&out, arena, packed.n + file->place_count * (root.n + 8));
    for (const StaticPlace *place = file->places; place < file->places + file->place_count; place++) {
        Str text = insertion(arena, place, root);
        buf_str(&out, str_cut(packed, from, place->packed));
        add_stored_block(&out, text);
        crc = crc32_combine(crc, place->crc, (z_off_t)(place->plain - plain_from));
        crc = crc32(crc, (const Bytef *)text.p, (uInt)text.n);
        size += text.n;
        from = place->packed;
        plain_from = place->plain;
    }
    crc = crc32_combine(crc, file->last_crc, (z_off_t)(file->plain_size - plain_from));
    buf_str(&out, str_cut(packed, from, packed.n - GZIP_END));
    add_number(&out, (uint32_t)crc, 4);
    add_number(&out, (uint32_t)size, 4);
    return buf_view(&out);
}

Str static_file_rooted(Arena *arena, const StaticFile *file, Str root, bool packed)
{
    return packed && file->gzipped ? insert_packed(arena, file, root) : insert_plain(arena, file, root);
}

/* ---- files from a folder ---- */

static bool read_open_file(Arena *arena, int fd, Str path, Str *ret_data, Str *ret_tag, bool *ret_found, Error *error)
{
    struct stat status;
    if (fstat(fd, &status) < 0)
        return fail(error, ERR_INTERNAL, "%.*s: %m", STR_ARG(path));
    *ret_found = S_ISREG(status.st_mode);
    if (!*ret_found)
        return true;
    if (status.st_size > FILE_MAX)
        return fail(error, ERR_INTERNAL, "%.*s: files of more than %d MB are not served", STR_ARG(path),
                    FILE_MAX >> 20);
    char *data = arena_alloc(arena, (size_t)status.st_size + 1);
    size_t n;
    if (!file_read_bytes(fd, data, (size_t)status.st_size, &n))
        return fail(error, ERR_INTERNAL, "%.*s: %m", STR_ARG(path));
    *ret_data = (Str){ data, n };
    *ret_tag = arena_printf(arena, "%llx.%lx-%zx", (unsigned long long)status.st_mtim.tv_sec,
                            (unsigned long)status.st_mtim.tv_nsec, n);
    return true;
}

bool static_file_read(Arena *arena, const char *folder, Str path, Str *ret_data, Str *ret_tag, bool *ret_found,
                      Error *error)
{
    Str full = arena_printf(arena, "%s/%.*s", folder, STR_ARG(path));
    int fd = open(full.p, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* non-blocking: a named pipe would hold the server up */
    *ret_found = false;
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG || errno == ELOOP))
        return true;
    if (fd < 0)
        return fail(error, ERR_INTERNAL, "%.*s: %m", STR_ARG(path));
    bool ok = read_open_file(arena, fd, path, ret_data, ret_tag, ret_found, error);
    close(fd);
    return ok;
}

/* Removes the last part. False: there is none. */
static bool drop_part(Buf *path)
{
    if (path->n == 0)
        return false;
    while (path->n && path->p[path->n - 1] != '/')
        path->n--;
    path->n -= path->n > 0;
    return true;
}

bool static_path_normalise(Arena *arena, Str path, Str *ret_path)
{
    Buf out;
    buf_init(&out, arena, path.n + 1);
    if (memchr(path.p, 0, path.n))
        return false;
    for (size_t start = 0, end; start < path.n; start = end + 1) {
        const char *slash = memchr(path.p + start, '/', path.n - start);
        end = slash ? (size_t)(slash - path.p) : path.n;
        Str part = { path.p + start, end - start };
        if (part.n == 0 || str_is(part, "."))
            continue;
        if (str_is(part, "..")) {
            if (!drop_part(&out))
                return false;
            continue;
        }
        if (out.n)
            buf_char(&out, '/');
        buf_str(&out, part);
    }
    *ret_path = out.n ? buf_view(&out) : STR("");
    return true;
}

const char *static_content_type(Str path)
{
    static const struct { const char *ending, *type; } types[] = {
        { ".html", "text/html; charset=utf-8" },      { ".js", "text/javascript; charset=utf-8" },
        { ".mjs", "text/javascript; charset=utf-8" }, { ".css", "text/css; charset=utf-8" },
        { ".json", "application/json" },              { ".map", "application/json" },
        { ".svg", "image/svg+xml" },                  { ".png", "image/png" },
        { ".jpg", "image/jpeg" },                     { ".jpeg", "image/jpeg" },
        { ".gif", "image/gif" },                      { ".webp", "image/webp" },
        { ".ico", "image/vnd.microsoft.icon" },       { ".webmanifest", "application/manifest+json" },
        { ".xml", "application/xml" },                { ".wasm", "application/wasm" },
        { ".woff", "font/woff" },                     { ".woff2", "font/woff2" },
        { ".ttf", "font/ttf" },                       { ".pdf", "application/pdf" },
    };
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        size_t n = strlen(types[i].ending);
        if (path.n > n && memcmp(path.p + path.n - n, types[i].ending, n) == 0)
            return types[i].type;
    }
    return "text/plain; charset=utf-8";
}
