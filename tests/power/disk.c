/* tests/power/disk.c -- a file is its synced content and the changes since; so is the folder.
 *
 * What a cut leaves of a file is decided for each sector alone: its synced content, or that after any of the changes
 * since, whatever became of the other sectors and of earlier changes. Its size is any that it has had since it was
 * synced. Each name in the folder leads to any file that it has led to since the folder was synced, or to none. */
#include "disk.h"

#include <assert.h>

enum { NAMES_MAX = 8 };

/* A write, or (without bytes) a truncation to `offset`. */
typedef struct Change {
    int64_t offset;
    size_t n;
    unsigned char *bytes;
} Change;

typedef struct Content {
    unsigned char *bytes;
    size_t size, capacity; /* bytes beyond the size are 0 */
} Content;

struct DiskFile {
    DiskFile *next;
    Content written, synced;
    Change *changes; /* which make `written` of `synced` */
    size_t count, capacity;
    bool is_kept;
};

/* Where a name leads: first as of the last sync, then after each change since. NULL: nowhere. */
typedef struct Name {
    char *name;
    DiskFile **files;
    size_t count, capacity;
} Name;

struct Disk {
    DiskFile *files;
    Name names[NAMES_MAX];
    size_t name_count;
    DiskFaults faults;
    bool is_on;
    DiskCut cut;
    uint64_t calls, counted; /* counted: those of the kinds of the cut */
    uint64_t trace;
    DiskCall last;
};

const char *const disk_call_names[CALL_KINDS] = {
    "create", "write", "truncate", "sync", "delete", "sync of the folder", "shared memory"
};

/* ---- contents ---- */

static void content_resize(Content *content, size_t size)
{
    if (size > content->capacity) {
        size_t capacity = 2 * size;
        content->bytes = xrealloc(content->bytes, capacity);
        memset(content->bytes + content->capacity, 0, capacity - content->capacity);
        content->capacity = capacity;
    }
    if (size < content->size)
        memset(content->bytes + size, 0, content->size - size);
    content->size = size;
}

static void content_apply(Content *content, const Change *change)
{
    size_t offset = (size_t)change->offset, end = offset + change->n;
    if (!change->bytes) {
        content_resize(content, offset);
        return;
    }
    if (end > content->size)
        content_resize(content, end);
    memcpy(content->bytes + offset, change->bytes, change->n);
}

static void content_copy(Content *to, const Content *from)
{
    content_resize(to, from->size);
    if (from->size > 0)
        memcpy(to->bytes, from->bytes, from->size);
}

/* ---- files ---- */

static void file_change(DiskFile *file, Change change)
{
    if (file->count == file->capacity) {
        file->capacity = file->capacity ? 2 * file->capacity : 16;
        file->changes = xrealloc(file->changes, file->capacity * sizeof *file->changes);
    }
    file->changes[file->count++] = change;
    content_apply(&file->written, &change);
}

static void file_forget_changes(DiskFile *file)
{
    for (size_t i = 0; i < file->count; i++)
        free(file->changes[i].bytes);
    file->count = 0;
}

static void file_free(DiskFile *file)
{
    file_forget_changes(file);
    free(file->changes);
    free(file->written.bytes);
    free(file->synced.bytes);
    free(file);
}

static DiskFile *file_new(Disk *disk)
{
    DiskFile *file = xcalloc(1, sizeof *file);
    file->next = disk->files;
    disk->files = file;
    return file;
}

/* ---- the folder ---- */

static Name *name_find(const Disk *disk, const char *name)
{
    for (size_t i = 0; i < disk->name_count; i++)
        if (strcmp(disk->names[i].name, name) == 0)
            return (Name *)&disk->names[i];
    return NULL;
}

static void name_lead_to(Name *name, DiskFile *file)
{
    if (name->count == name->capacity) {
        name->capacity = name->capacity ? 2 * name->capacity : 8;
        name->files = xrealloc(name->files, name->capacity * sizeof *name->files);
    }
    name->files[name->count++] = file;
}

static Name *name_get(Disk *disk, const char *text)
{
    Name *name = name_find(disk, text);
    if (name)
        return name;
    assert(disk->name_count < NAMES_MAX);
    size_t n = strlen(text) + 1;
    name = &disk->names[disk->name_count++];
    *name = (Name){ .name = xmalloc(n) };
    memcpy(name->name, text, n);
    name_lead_to(name, NULL);
    return name;
}

static DiskFile *name_file(const Name *name)
{
    return name->files[name->count - 1];
}

static void name_settle(Name *name, DiskFile *file)
{
    name->files[0] = file;
    name->count = 1;
}

/* ---- disks ---- */

Disk *disk_new(void)
{
    Disk *disk = xcalloc(1, sizeof *disk);
    disk->trace = HASH_START;
    return disk;
}

Disk *disk_copy(const Disk *disk)
{
    Disk *copy = disk_new();
    for (size_t i = 0; i < disk->name_count; i++) {
        const DiskFile *file = disk->names[i].files[0];
        if (!file)
            continue;
        DiskFile *same = file_new(copy);
        content_copy(&same->synced, &file->synced);
        content_copy(&same->written, &file->synced);
        name_settle(name_get(copy, disk->names[i].name), same);
    }
    return copy;
}

static void disk_free_files(Disk *disk, bool kept_too)
{
    DiskFile **link = &disk->files;
    while (*link) {
        DiskFile *file = *link;
        if (file->is_kept && !kept_too) {
            link = &file->next;
            continue;
        }
        *link = file->next;
        file_free(file);
    }
}

void disk_free(Disk *disk)
{
    if (!disk)
        return;
    disk_free_files(disk, true);
    for (size_t i = 0; i < disk->name_count; i++) {
        free(disk->names[i].name);
        free(disk->names[i].files);
    }
    free(disk);
}

void disk_set_faults(Disk *disk, DiskFaults faults)
{
    disk->faults = faults;
}

/* ---- power ---- */

void disk_power_on(Disk *disk, DiskCut cut)
{
    disk->is_on = true;
    disk->calls = disk->counted = 0;
    disk->cut = cut;
}

void disk_power_off(Disk *disk)
{
    disk->is_on = false;
}

bool disk_is_on(const Disk *disk)
{
    return disk->is_on;
}

bool disk_was_cut(const Disk *disk)
{
    return disk->cut.at > 0 && disk->counted == disk->cut.at;
}

uint64_t disk_calls(const Disk *disk)
{
    return disk->calls;
}

DiskCall disk_last_call(const Disk *disk)
{
    return disk->last;
}

uint64_t disk_trace(const Disk *disk)
{
    return disk->trace;
}

/* Counts a call. False: power goes with it. */
static bool call(Disk *disk, DiskCall kind, uint64_t detail)
{
    disk->trace = hash_number(hash_number(disk->trace, kind), detail);
    disk->last = kind;
    disk->calls++;
    disk->counted += !disk->cut.kinds || disk->cut.kinds & 1u << kind;
    if (disk_was_cut(disk))
        disk->is_on = false;
    return disk->is_on;
}

/* ---- what survives ---- */

typedef enum Loss { LOSE_NOTHING, LOSE_ALL, LOSE_LATEST, LOSE_SECTORS, TEAR_SECTORS, LOSSES } Loss;

static const char *const loss_names[LOSSES] = {
    "everything kept", "everything dropped", "the latest changes dropped", "any sectors dropped", "sectors torn"
};

static size_t choose_version(Loss loss, size_t versions, Dice *dice)
{
    switch (loss) {
    case LOSE_NOTHING: return versions - 1;
    case LOSE_ALL: return 0;
    default: return dice_one_in(dice, 2) ? versions - 1 : dice_below(dice, (unsigned)versions);
    }
}

static bool change_touches(const Change *change, size_t sector)
{
    size_t begin = sector * SECTOR, end = begin + SECTOR, offset = (size_t)change->offset;
    return offset < end && (!change->bytes || offset + change->n > begin);
}

/* A sector after its first `versions` changes. */
static void sector_replay(const DiskFile *file, size_t sector, size_t versions, unsigned char out[SECTOR])
{
    size_t begin = sector * SECTOR, synced = file->synced.size > begin ? file->synced.size - begin : 0;
    memset(out, 0, SECTOR);
    if (synced > 0)
        memcpy(out, file->synced.bytes + begin, synced < SECTOR ? synced : SECTOR);
    for (size_t i = 0; i < file->count && versions > 0; i++) {
        const Change *change = &file->changes[i];
        if (!change_touches(change, sector))
            continue;
        versions--;
        size_t offset = (size_t)change->offset, from = offset > begin ? offset - begin : 0;
        size_t end = change->bytes && offset + change->n < begin + SECTOR ? offset + change->n - begin : SECTOR;
        if (change->bytes)
            memcpy(out + from, change->bytes + (begin + from - offset), end - from);
        else
            memset(out + from, 0, end - from);
    }
}

static void sector_survive(const DiskFile *file, size_t sector, Loss loss, Dice *dice, unsigned char out[SECTOR])
{
    size_t versions = 1;
    for (size_t i = 0; i < file->count; i++)
        versions += change_touches(&file->changes[i], sector);
    sector_replay(file, sector, choose_version(loss, versions, dice), out);
    if (loss == TEAR_SECTORS && versions > 1 && dice_one_in(dice, 3)) {
        unsigned char other[SECTOR];
        size_t at = dice_below(dice, SECTOR);
        sector_replay(file, sector, choose_version(loss, versions, dice), other);
        memcpy(out + at, other + at, SECTOR - at);
    }
}

/* Any size that the file has had since it was synced. */
static size_t size_survive(const DiskFile *file, Loss loss, Dice *dice)
{
    size_t chosen = choose_version(loss, file->count + 1, dice), size = file->synced.size;
    for (size_t i = 0; i < chosen; i++) {
        const Change *change = &file->changes[i];
        size_t end = (size_t)change->offset + change->n;
        size = !change->bytes || end > size ? end : size;
    }
    return size;
}

static void file_survive(DiskFile *file, Loss loss, Dice *dice)
{
    if (loss == LOSE_LATEST) { /* in the order in which they were made */
        size_t kept = dice_below(dice, (unsigned)file->count + 1);
        for (size_t i = 0; i < kept; i++)
            content_apply(&file->synced, &file->changes[i]);
    } else {
        Content left = { .bytes = NULL };
        size_t size = size_survive(file, loss, dice), sectors = (size + SECTOR - 1) / SECTOR;
        content_resize(&left, sectors * SECTOR);
        for (size_t i = 0; i < sectors; i++)
            sector_survive(file, i, loss, dice, left.bytes + i * SECTOR);
        content_resize(&left, size);
        free(file->synced.bytes);
        file->synced = left;
    }
    file_forget_changes(file);
    content_copy(&file->written, &file->synced);
}

const char *disk_lose(Disk *disk, Dice *dice)
{
    assert(!disk->is_on);
    Loss loss = (Loss)dice_below(dice, LOSSES);
    for (DiskFile *file = disk->files; file; file = file->next)
        file->is_kept = false;
    for (size_t i = 0; i < disk->name_count; i++) {
        Name *name = &disk->names[i];
        size_t chosen = choose_version(loss, name->count, dice);
        name_settle(name, name->files[chosen]);
        if (name->files[0])
            name->files[0]->is_kept = true;
    }
    disk_free_files(disk, false);
    for (DiskFile *file = disk->files; file; file = file->next)
        file_survive(file, loss, dice);
    return loss_names[loss];
}

/* ---- calls ---- */

DiskFile *disk_find(const Disk *disk, const char *name)
{
    const Name *found = name_find(disk, name);
    return found ? name_file(found) : NULL;
}

bool disk_create(Disk *disk, const char *name, DiskFile **ret_file)
{
    if (!disk->is_on)
        return false;
    *ret_file = file_new(disk);
    if (name)
        name_lead_to(name_get(disk, name), *ret_file);
    return call(disk, CALL_CREATE, name ? strlen(name) : 0);
}

bool disk_delete(Disk *disk, const char *name)
{
    if (!disk->is_on)
        return false;
    name_lead_to(name_get(disk, name), NULL);
    return call(disk, CALL_DELETE, strlen(name));
}

bool disk_sync_folder(Disk *disk)
{
    if (!disk->is_on || !call(disk, CALL_SYNC_FOLDER, 0))
        return false;
    for (size_t i = 0; i < disk->name_count && !disk->faults.ignores_sync && !disk->faults.ignores_sync_folder; i++)
        name_settle(&disk->names[i], name_file(&disk->names[i]));
    return true;
}

bool disk_touch_shared_memory(Disk *disk)
{
    return disk->is_on && call(disk, CALL_SHARED_MEMORY, 0);
}

int64_t disk_size(const DiskFile *file)
{
    return (int64_t)file->written.size;
}

size_t disk_read(const DiskFile *file, void *out, size_t n, int64_t offset)
{
    size_t begin = (size_t)offset, size = file->written.size;
    size_t there = begin >= size ? 0 : size - begin < n ? size - begin : n;
    if (there > 0)
        memcpy(out, file->written.bytes + begin, there);
    return there;
}

bool disk_write(Disk *disk, DiskFile *file, const void *bytes, size_t n, int64_t offset)
{
    if (!disk->is_on)
        return false;
    Change change = { .offset = offset, .n = n, .bytes = xmalloc(n + 1) };
    memcpy(change.bytes, bytes, n);
    file_change(file, change);
    return call(disk, CALL_WRITE, hash_bytes((uint64_t)offset, bytes, n));
}

bool disk_truncate(Disk *disk, DiskFile *file, int64_t size)
{
    if (!disk->is_on)
        return false;
    file_change(file, (Change){ .offset = size });
    return call(disk, CALL_TRUNCATE, (uint64_t)size);
}

bool disk_sync(Disk *disk, DiskFile *file)
{
    if (!disk->is_on || !call(disk, CALL_SYNC, (uint64_t)disk_size(file)))
        return false;
    if (disk->faults.ignores_sync)
        return true;
    for (size_t i = 0; i < file->count; i++)
        content_apply(&file->synced, &file->changes[i]);
    file_forget_changes(file);
    return true;
}
