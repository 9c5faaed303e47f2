/* tests/power/vfs.c -- SQLite's default file system, on a disk of disk.h.
 *
 * It syncs what os_unix.c syncs: a file when it is asked to, and the folder after the first sync of a journal or of a
 * write-ahead log that was opened with SQLITE_OPEN_CREATE, and after a deletion when it is asked to. The folder is not
 * synced for the database itself. Like os_unix.c on Linux it says that sectors have 4096 bytes and that a write changes
 * no bytes beside its own (SQLITE_IOCAP_POWERSAFE_OVERWRITE). Locks and shared memory are those of one process. */
#include "vfs.h"

#include <assert.h>
#include <sqlite3.h>

#include "base/random.h"
#include "memory.h"

enum { REPORTED_SECTOR = 4096, PATH_MAX_BYTES = 256 };

/* What all connections to one file share. */
typedef struct Node {
    struct Node *next;
    DiskFile *file;
    int users;
    int shared;                              /* connections with at least a SHARED lock */
    const void *reserved, *pending, *exclusive; /* the connection that has it */
    unsigned char **regions;                 /* of the shared memory; the last user frees it */
    int region_count, region_size;
    int slot_shared[SQLITE_SHM_NLOCK];       /* connections that share it */
    const void *slot_exclusive[SQLITE_SHM_NLOCK];
} Node;

typedef struct PowerFile {
    sqlite3_file base;
    Node *node;
    int lock;
    bool must_sync_folder;
    bool slot_shared[SQLITE_SHM_NLOCK];
} PowerFile;

static struct {
    pthread_mutex_t lock; /* held in each call */
    Disk *disk;
    Node *nodes;
    bool has_shared_memory;
} power = { .lock = PTHREAD_MUTEX_INITIALIZER };

static int leave(int code)
{
    pthread_mutex_unlock(&power.lock);
    return code;
}

static void enter(void)
{
    pthread_mutex_lock(&power.lock);
}

static int result(bool ok, int code)
{
    return ok ? SQLITE_OK : code;
}

static PowerFile *file_of(sqlite3_file *file)
{
    return (PowerFile *)file;
}

/* ---- nodes ---- */

static Node *node_take(DiskFile *file)
{
    for (Node *node = power.nodes; node; node = node->next)
        if (node->file == file) {
            node->users++;
            return node;
        }
    Node *node = xcalloc(1, sizeof *node);
    *node = (Node){ .next = power.nodes, .file = file, .users = 1 };
    power.nodes = node;
    return node;
}

static void node_give(Node *node)
{
    if (--node->users > 0)
        return;
    Node **link = &power.nodes;
    while (*link != node)
        link = &(*link)->next;
    *link = node->next;
    for (int i = 0; i < node->region_count; i++)
        free(node->regions[i]);
    free(node->regions);
    free(node);
}

/* ---- reading and writing ---- */

static int power_read(sqlite3_file *file, void *out, int n, sqlite3_int64 offset)
{
    enter();
    if (!disk_is_on(power.disk))
        return leave(SQLITE_IOERR_READ);
    size_t there = disk_read(file_of(file)->node->file, out, (size_t)n, offset);
    if (there == (size_t)n)
        return leave(SQLITE_OK);
    memset((char *)out + there, 0, (size_t)n - there);
    return leave(SQLITE_IOERR_SHORT_READ);
}

static int power_write(sqlite3_file *file, const void *bytes, int n, sqlite3_int64 offset)
{
    enter();
    return leave(result(disk_write(power.disk, file_of(file)->node->file, bytes, (size_t)n, offset),
                        SQLITE_IOERR_WRITE));
}

static int power_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    enter();
    return leave(result(disk_truncate(power.disk, file_of(file)->node->file, size), SQLITE_IOERR_TRUNCATE));
}

static int power_sync(sqlite3_file *file, int flags)
{
    PowerFile *f = file_of(file);
    (void)flags;
    enter();
    /* Not SQLITE_IOERR_FSYNC, on which the process might end itself: power is off, and nobody is told anything. */
    if (!disk_sync(power.disk, f->node->file) || (f->must_sync_folder && !disk_sync_folder(power.disk)))
        return leave(SQLITE_IOERR_WRITE);
    f->must_sync_folder = false;
    return leave(SQLITE_OK);
}

static int power_file_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
    enter();
    *ret_size = disk_size(file_of(file)->node->file);
    return leave(result(disk_is_on(power.disk), SQLITE_IOERR_FSTAT));
}

static int power_file_control(sqlite3_file *file, int op, void *arg)
{
    (void)file;
    if (op != SQLITE_FCNTL_HAS_MOVED)
        return SQLITE_NOTFOUND;
    *(int *)arg = 0;
    return SQLITE_OK;
}

static int power_sector_size(sqlite3_file *file)
{
    (void)file;
    return REPORTED_SECTOR;
}

static int power_characteristics(sqlite3_file *file)
{
    (void)file;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

/* ---- locks of a file ---- */

static bool others_hold(const PowerFile *f, const void *holder)
{
    return holder && holder != f;
}

static bool try_lock(PowerFile *f, int wanted)
{
    Node *node = f->node;
    if (f->lock == SQLITE_LOCK_NONE) {
        if (others_hold(f, node->pending) || others_hold(f, node->exclusive))
            return false;
        node->shared++;
        f->lock = SQLITE_LOCK_SHARED;
    }
    if (wanted >= SQLITE_LOCK_RESERVED) {
        if (others_hold(f, node->reserved) || others_hold(f, node->pending))
            return false;
        node->reserved = f;
        f->lock = wanted == SQLITE_LOCK_RESERVED ? wanted : f->lock;
    }
    if (wanted == SQLITE_LOCK_EXCLUSIVE) {
        node->pending = f;
        f->lock = SQLITE_LOCK_PENDING;
        if (node->shared > 1)
            return false;
        node->exclusive = f;
        f->lock = wanted;
    }
    return true;
}

static int power_lock(sqlite3_file *file, int wanted)
{
    PowerFile *f = file_of(file);
    enter();
    if (!disk_is_on(power.disk))
        return leave(SQLITE_IOERR_LOCK);
    return leave(result(f->lock >= wanted || try_lock(f, wanted), SQLITE_BUSY));
}

static void drop(const PowerFile *f, const void **holder)
{
    if (*holder == f)
        *holder = NULL;
}

static int power_unlock(sqlite3_file *file, int wanted)
{
    PowerFile *f = file_of(file);
    enter();
    if (f->lock <= wanted)
        return leave(SQLITE_OK);
    drop(f, &f->node->reserved);
    drop(f, &f->node->pending);
    drop(f, &f->node->exclusive);
    if (wanted == SQLITE_LOCK_NONE)
        f->node->shared--;
    f->lock = wanted;
    return leave(SQLITE_OK);
}

static int power_check_reserved(sqlite3_file *file, int *ret_reserved)
{
    enter();
    *ret_reserved = file_of(file)->node->reserved != NULL;
    return leave(result(disk_is_on(power.disk), SQLITE_IOERR_CHECKRESERVEDLOCK));
}

/* ---- shared memory, which a cut leaves nothing of ---- */

static void add_regions(Node *node, int last, int size)
{
    node->regions = xrealloc(node->regions, ((size_t)last + 1) * sizeof *node->regions);
    for (int i = node->region_count; i <= last; i++)
        node->regions[i] = xcalloc(1, (size_t)size);
    node->region_count = last + 1;
}

static int power_shm_map(sqlite3_file *file, int region, int size, int extend, void volatile **ret_region)
{
    Node *node = file_of(file)->node;
    enter();
    *ret_region = NULL;
    if (!power.has_shared_memory)
        return leave(SQLITE_IOERR_SHMMAP);
    if (region >= node->region_count && extend) {
        if (!disk_touch_shared_memory(power.disk))
            return leave(SQLITE_IOERR_SHMSIZE);
        add_regions(node, region, size);
    }
    *ret_region = region < node->region_count ? node->regions[region] : NULL;
    return leave(result(disk_is_on(power.disk), SQLITE_IOERR_SHMMAP));
}

static bool try_slot(PowerFile *f, int slot, bool exclusive)
{
    const Node *node = f->node;
    if (others_hold(f, node->slot_exclusive[slot]))
        return false;
    return !exclusive || node->slot_shared[slot] == f->slot_shared[slot];
}

static void take_slot(PowerFile *f, int slot, bool exclusive)
{
    if (exclusive) {
        f->node->slot_exclusive[slot] = f;
    } else if (!f->slot_shared[slot]) {
        f->slot_shared[slot] = true;
        f->node->slot_shared[slot]++;
    }
}

static void give_slot(PowerFile *f, int slot)
{
    drop(f, &f->node->slot_exclusive[slot]);
    f->node->slot_shared[slot] -= f->slot_shared[slot];
    f->slot_shared[slot] = false;
}

static int power_shm_lock(sqlite3_file *file, int first, int n, int flags)
{
    PowerFile *f = file_of(file);
    enter();
    if (flags & SQLITE_SHM_UNLOCK) {
        for (int i = first; i < first + n; i++)
            give_slot(f, i);
        return leave(SQLITE_OK);
    }
    if (!disk_touch_shared_memory(power.disk))
        return leave(SQLITE_IOERR_SHMLOCK);
    for (int i = first; i < first + n; i++)
        if (!try_slot(f, i, flags & SQLITE_SHM_EXCLUSIVE))
            return leave(SQLITE_BUSY);
    for (int i = first; i < first + n; i++)
        take_slot(f, i, flags & SQLITE_SHM_EXCLUSIVE);
    return leave(SQLITE_OK);
}

static void power_shm_barrier(sqlite3_file *file)
{
    (void)file;
    enter(); /* which is a barrier */
    leave(SQLITE_OK);
}

static int power_shm_unmap(sqlite3_file *file, int must_delete)
{
    (void)file;
    (void)must_delete;
    return SQLITE_OK;
}

static int power_close(sqlite3_file *file)
{
    PowerFile *f = file_of(file);
    power_unlock(file, SQLITE_LOCK_NONE);
    enter();
    for (int i = 0; i < SQLITE_SHM_NLOCK; i++)
        give_slot(f, i);
    node_give(f->node);
    return leave(SQLITE_OK);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2, /* no memory mapping */
    .xClose = power_close,
    .xRead = power_read,
    .xWrite = power_write,
    .xTruncate = power_truncate,
    .xSync = power_sync,
    .xFileSize = power_file_size,
    .xLock = power_lock,
    .xUnlock = power_unlock,
    .xCheckReservedLock = power_check_reserved,
    .xFileControl = power_file_control,
    .xSectorSize = power_sector_size,
    .xDeviceCharacteristics = power_characteristics,
    .xShmMap = power_shm_map,
    .xShmLock = power_shm_lock,
    .xShmBarrier = power_shm_barrier,
    .xShmUnmap = power_shm_unmap,
};

/* ---- the file system ---- */

static int power_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret_flags)
{
    enum { SYNCS_FOLDER = SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL };
    PowerFile *f = file_of(file);
    (void)vfs;
    *f = (PowerFile){ .lock = SQLITE_LOCK_NONE };
    enter();
    if (!disk_is_on(power.disk))
        return leave(SQLITE_CANTOPEN);
    DiskFile *found = name ? disk_find(power.disk, name) : NULL; /* temporary files have no name */
    if (!found && (!(flags & SQLITE_OPEN_CREATE) || !disk_create(power.disk, name, &found)))
        return leave(SQLITE_CANTOPEN);
    f->node = node_take(found);
    f->must_sync_folder = (flags & SQLITE_OPEN_CREATE) && (flags & SYNCS_FOLDER);
    f->base.pMethods = &methods;
    if (ret_flags)
        *ret_flags = flags;
    return leave(SQLITE_OK);
}

static int power_delete(sqlite3_vfs *vfs, const char *name, int sync_folder)
{
    (void)vfs;
    enter();
    if (!disk_is_on(power.disk))
        return leave(SQLITE_IOERR_DELETE);
    if (!disk_find(power.disk, name))
        return leave(SQLITE_IOERR_DELETE_NOENT);
    if (!disk_delete(power.disk, name))
        return leave(SQLITE_IOERR_DELETE);
    return leave(result(!sync_folder || disk_sync_folder(power.disk), SQLITE_IOERR_DELETE));
}

/* As in os_unix.c, an empty file does not count as existing. */
static int power_access(sqlite3_vfs *vfs, const char *name, int flags, int *ret_found)
{
    (void)vfs;
    enter();
    const DiskFile *file = disk_find(power.disk, name);
    *ret_found = file && (flags != SQLITE_ACCESS_EXISTS || disk_size(file) > 0);
    return leave(result(disk_is_on(power.disk), SQLITE_IOERR_ACCESS));
}

static int power_full_pathname(sqlite3_vfs *vfs, const char *name, int n, char *out)
{
    (void)vfs;
    return result(snprintf(out, (size_t)n, "%s", name) < n, SQLITE_CANTOPEN);
}

static int power_randomness(sqlite3_vfs *vfs, int n, char *out)
{
    (void)vfs;
    random_bytes(out, (size_t)n);
    return n;
}

static int power_sleep(sqlite3_vfs *vfs, int us)
{
    (void)vfs;
    fate_pass(us);
    return us;
}

static int power_current_time(sqlite3_vfs *vfs, sqlite3_int64 *ret_ms)
{
    static const sqlite3_int64 UNIX_EPOCH_MS = 210866760000000; /* in days of the Julian calendar's count */
    (void)vfs;
    *ret_ms = UNIX_EPOCH_MS + clock_now() / 1000;
    return SQLITE_OK;
}

static int power_last_error(sqlite3_vfs *vfs, int n, char *out)
{
    (void)vfs;
    (void)n;
    (void)out;
    return 0;
}

void power_vfs_install(void)
{
    static sqlite3_vfs vfs = {
        .iVersion = 2,
        .szOsFile = sizeof(PowerFile),
        .mxPathname = PATH_MAX_BYTES,
        .zName = "power",
        .xOpen = power_open,
        .xDelete = power_delete,
        .xAccess = power_access,
        .xFullPathname = power_full_pathname,
        .xRandomness = power_randomness,
        .xSleep = power_sleep,
        .xCurrentTimeInt64 = power_current_time,
        .xGetLastError = power_last_error,
    };
    /* As the driver does, which comes too late: the first call of SQLite is here. */
    int code = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    code = code == SQLITE_OK ? sqlite3_config(SQLITE_CONFIG_MALLOC, &power_memory) : code;
    code = code == SQLITE_OK ? sqlite3_vfs_register(&vfs, true) : code;
    assert(code == SQLITE_OK);
    (void)code;
}

void power_vfs_use(Disk *disk, bool has_shared_memory)
{
    enter();
    assert(!power.nodes);
    power.disk = disk;
    power.has_shared_memory = has_shared_memory;
    leave(SQLITE_OK);
    sqlite3_randomness(0, NULL); /* SQLite's own random numbers begin anew, too */
}
