/* config/file_write.h -- reads and changes a small user file that others may read or change at the same time. */
#ifndef ORION_FILE_WRITE_H
#define ORION_FILE_WRITE_H

#include "base/arena.h"

typedef enum FileUse { FILE_READ, FILE_CHANGE } FileUse;

/* Locks the folder that holds the file (flock: no extra file is made); those who only read share the lock. Closing
 * *ret_lock, or the end of the process, unlocks; it is -1 if there is no folder to lock. False: another program has
 * held the lock for 30 s. */
bool file_lock(Arena *arena, const char *path, FileUse use, int *ret_lock, Error *error) MUST_CHECK;

/* Locks for a second file while the process holds `held` (or -1) for the first: if both are in one folder, it is not
 * locked again, and *ret_lock is -1. */
bool file_lock_too(Arena *arena, const char *path, FileUse use, int held, int *ret_lock, Error *error) MUST_CHECK;

/* Reads a whole file of at most 1 MB, which must be UTF-8; null if it does not exist. False: *error. */
bool file_read(Arena *arena, const char *path, Str *ret, Error *error) MUST_CHECK;

/* Reads until `size` bytes are there or the file ends. False: errno. */
bool file_read_bytes(int fd, char *out, size_t size, size_t *ret_n) MUST_CHECK;

/* Afterwards the file holds `text` or its old content. It is replaced atomically if that is possible and changes
 * nothing else (mode, owner, hard links); otherwise it is written in place: a mount point, or a folder without write
 * permission. A new file is private (0600); root gives it to the owner of the folder. */
bool file_write(Arena *arena, const char *path, Str text, Error *error) MUST_CHECK;

/* Gives a new file the mode and owner of the one at `path`; if there is none, it is private, and root gives it to the
 * owner of the folder. False: errno; replacing that one would change more than its content. */
bool file_make_alike(Arena *arena, int fd, const char *path) MUST_CHECK;

#endif
