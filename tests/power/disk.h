/* tests/power/disk.h -- a disk in memory that can lose power. It keeps apart what was written and what was synced, of
 * files and of the one folder that holds them. Not for several threads at once. */
#ifndef ORION_POWER_DISK_H
#define ORION_POWER_DISK_H

#include "fate.h"

enum { SECTOR = 512 };

typedef struct Disk Disk;
typedef struct DiskFile DiskFile; /* lives as long as the disk, or until it is lost in a cut */

/* What a call asks of the disk: power is cut at one of these. */
typedef enum DiskCall {
    CALL_CREATE, CALL_WRITE, CALL_TRUNCATE, CALL_SYNC, CALL_DELETE, CALL_SYNC_FOLDER, CALL_SHARED_MEMORY, CALL_KINDS
} DiskCall;
extern const char *const disk_call_names[CALL_KINDS];

/* Ways in which a disk is less than it promises, so that tests can show that this is noticed. */
typedef struct DiskFaults {
    bool ignores_sync;        /* of files, and of the folder */
    bool ignores_sync_folder;
} DiskFaults;

Disk *disk_new(void);
Disk *disk_copy(const Disk *disk); /* what is synced; without faults, and off */
void disk_free(Disk *disk);        /* NULL is fine */
void disk_set_faults(Disk *disk, DiskFaults faults);

/* ---- power ---- */

/* Power goes at that call of those kinds, counted from the switching on. */
typedef struct DiskCut {
    uint64_t at;    /* 1 is the first; 0: never */
    unsigned kinds; /* 1 << DiskCall of each; 0: all */
} DiskCut;
void disk_power_on(Disk *disk, DiskCut cut);
void disk_power_off(Disk *disk); /* now, unless it is off already */
bool disk_is_on(const Disk *disk);
bool disk_was_cut(const Disk *disk); /* power went at the call that was chosen */
uint64_t disk_calls(const Disk *disk); /* since it was switched on */
DiskCall disk_last_call(const Disk *disk);
uint64_t disk_trace(const Disk *disk); /* a hash of all calls since the disk was made, with what was written */
/* After power has gone and nobody uses the files any more: decides what of everything that was not synced has survived.
 * That is all there is from now on, synced. Returns the name of the way in which the choice was made. */
const char *disk_lose(Disk *disk, Dice *dice);

/* ---- calls: false once the power is off. The one at which it goes fails, too: what it wrote may survive or not, and a
 * sync has not happened ---- */

DiskFile *disk_find(const Disk *disk, const char *name); /* NULL: no such file */
/* Without a name (NULL) it does not survive a cut. */
bool disk_create(Disk *disk, const char *name, DiskFile **ret_file) MUST_CHECK;
bool disk_delete(Disk *disk, const char *name) MUST_CHECK; /* of the folder; the file stays for those who use it */
bool disk_sync_folder(Disk *disk) MUST_CHECK;
bool disk_touch_shared_memory(Disk *disk) MUST_CHECK;      /* counts as a call, and does nothing */
int64_t disk_size(const DiskFile *file);
/* Bytes read: fewer at the end of the file. */
size_t disk_read(const DiskFile *file, void *out, size_t n, int64_t offset);
bool disk_write(Disk *disk, DiskFile *file, const void *bytes, size_t n, int64_t offset) MUST_CHECK;
bool disk_truncate(Disk *disk, DiskFile *file, int64_t size) MUST_CHECK;
bool disk_sync(Disk *disk, DiskFile *file) MUST_CHECK;

#endif
