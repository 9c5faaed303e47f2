/* config/file_write.h -- a small file of the user's, changed while others may read or change it. */
#ifndef ORION_FILE_WRITE_H
#define ORION_FILE_WRITE_H

#include "base/arena.h"

typedef enum FileUse { FILE_READ, FILE_CHANGE } FileUse;

/* Locks the folder that holds the file (flock: no extra file is made); those who only read share the lock. Closing
 * *ret_lock, or the end of the process, unlocks; it is -1 if there is no folder to lock. False: another program has
 * held the lock for 30 s. */
bool file_lock(Arena *arena, const char *path, FileUse use, int *ret_lock, Error *error) MUST_CHECK;

/* Afterwards the file holds `text` or, on failure, what it held before. It is replaced in one step if that changes
 * nothing else (mode, owner, further links), and overwritten otherwise: a file that is a mount point, one in a
 * read-only folder. Only its owner may read a new file. */
bool file_write(Arena *arena, const char *path, Str text, Error *error) MUST_CHECK;

#endif
