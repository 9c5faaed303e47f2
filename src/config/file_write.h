/* config/file_write.h -- a small file of the user's, read and changed while others may read or change it. */
#ifndef ORION_FILE_WRITE_H
#define ORION_FILE_WRITE_H

#include "base/arena.h"

typedef enum FileUse { FILE_READ, FILE_CHANGE } FileUse;

/* Locks the folder that holds the file (flock: no extra file is made); those who only read share the lock. Closing
 * *ret_lock, or the end of the process, unlocks; it is -1 if there is no folder to lock. False: another program has
 * held the lock for 30 s. */
bool file_lock(Arena *arena, const char *path, FileUse use, int *ret_lock, Error *error) MUST_CHECK;

/* The same for a second file of this process, which holds `held` already (or -1): where both are in one folder, that is
 * not locked again, and *ret_lock is -1. */
bool file_lock_too(Arena *arena, const char *path, FileUse use, int held, int *ret_lock, Error *error) MUST_CHECK;

/* All of a file of at most 1 MB, which must be UTF-8; null where there is no such file. False: *error. */
bool file_read(Arena *arena, const char *path, Str *ret, Error *error) MUST_CHECK;

/* The file holds `text` afterwards, or what it held before. It is replaced in one step where that can be done and
 * changes nothing else (mode, owner, further links), and is written in place otherwise: a file that is a mount point, a
 * folder that may not be written. A new file is its owner's only, and belongs to the owner of its folder. */
bool file_write(Arena *arena, const char *path, Str text, Error *error) MUST_CHECK;

#endif
