/* db/backup_file.h -- a large file that has its name only once it is whole and on the disk; gzip. */
#ifndef ORION_BACKUP_FILE_H
#define ORION_BACKUP_FILE_H

#include "base/arena.h"
#include "db/onlooker.h"

/* A file that is being written, beside its place: PATH.partial. What a killed process left there is replaced; that of a
 * living one is refused. */
typedef struct NewFile {
    const char *path, *partial; /* in the arena */
    int fd;                     /* -1: there is none */
    int64_t flushed;            /* bytes that are on the disk, more or less */
} NewFile;

/* Empty, for the owner alone (0600). `suffix`: what its temporary name ends with, besides. False: *error. */
bool file_begin(Arena *arena, const char *path, const char *suffix, NewFile *ret, Error *error) MUST_CHECK;
/* To be told how many bytes have been written, from time to time: it has them stored a little at a time, since whoever
 * else syncs a file would wait for all of them. */
void file_flush(NewFile *file, int64_t written);
bool file_sync(NewFile *file, Error *error) MUST_CHECK; /* all of it is on the disk */
/* Gives a file its name, which survives a loss of power. Nothing is replaced unless that is wanted. */
bool file_rename(const char *from, const char *to, bool replaces, Error *error) MUST_CHECK;
void file_end(NewFile *file); /* closes it, and removes it unless it was renamed; also what was never begun */

/* Whether the folders of two files are on one disk. */
bool file_are_on_one_disk(const char *path, const char *other);
/* Whether there is room for so many bytes where the file is. False: *error. */
bool file_has_room(const char *path, int64_t bytes, Error *error) MUST_CHECK;

typedef enum FileKind { FILE_SQLITE, FILE_GZIP, FILE_OTHER } FileKind;
/* Opens a regular file to read it. -1: *error. */
int file_open(const char *path, FileKind *ret_kind, int64_t *ret_size, Error *error);
/* Copies all there is, unpacked if it is gzip. False: *error; the source may be damaged. */
bool file_copy(int from, FileKind kind, int64_t size, NewFile *to, const Onlooker *onlooker, Error *error) MUST_CHECK;
/* Packs a file of `size` bytes, and reads what it wrote again. */
bool file_pack(int from, int64_t size, NewFile *to, const Onlooker *onlooker, Error *error) MUST_CHECK;

#endif
