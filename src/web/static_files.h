/* web/static_files.h -- the dashboard's files: those inside the program, or those of a folder. */
#ifndef ORION_STATIC_FILES_H
#define ORION_STATIC_FILES_H

#include "base/arena.h"

/* A place in a file where the root path, below which a proxy publishes the server, is inserted. */
typedef struct StaticPlace {
    size_t plain, packed;   /* offsets in the plain and in the compressed file, which starts a new block there */
    unsigned crc;           /* CRC-32 of the plain bytes since the previous place */
    bool quoted;            /* within a script expression: insert as a string to concatenate */
} StaticPlace;

/* A file inside the program; tools/dashboard.py writes the table, which ends with a row without path. */
typedef struct StaticFile {
    const char *path;           /* without a slash before it */
    const char *tag;            /* of its content */
    const char *data;
    size_t size, plain_size;
    bool gzipped;               /* data is; else both sizes are the same */
    const StaticPlace *places;
    size_t place_count;
    unsigned last_crc;          /* of the plain bytes after the last place */
} StaticFile;

extern const StaticFile static_files[];

const StaticFile *static_file_find(Str path); /* NULL: there is none */
/* The file as it was before it was compressed. */
Str static_file_inflate(Arena *arena, const StaticFile *file);
/* The file with the root path inserted, compressed if `packed` and stored compressed. */
Str static_file_rooted(Arena *arena, const StaticFile *file, Str root, bool packed);

/* A file below a folder, read whole. `path` has no ".." in it. Sets *ret_found; false: *error, it cannot be read.
 * The tag changes with the file's size and time. Symbolic links are followed: whoever owns the folder made them. */
bool static_file_read(Arena *arena, const char *folder, Str path, Str *ret_data, Str *ret_tag, bool *ret_found,
                      Error *error) MUST_CHECK;

/* Normalises a request's path: no empty parts, no ".", no "..", no slash at the ends. False: it leads out, or holds
 * a zero. */
bool static_path_normalise(Arena *arena, Str path, Str *ret_path) MUST_CHECK;
/* By the name's ending, as in the reference, where unknown ones are plain text too. */
const char *static_content_type(Str path);

#endif
