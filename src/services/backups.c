/* services/backups.c -- backups of the database at regular times, the newest of which are kept. Their names have the
 * time at which they were begun: the next one is due by the names that are there, whichever server made them. */
#include "services/service.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str_list.h"
#include "db/backup.h"

#define LOGGER "orion.services.backups"
#define LOCK_NAME ".orion-backups.lock"

static const Time SKEW = 60 * SECOND; /* between the clocks of servers that share a folder */

typedef struct Folder {
    const char *path;
    int lock;          /* -1: not held */
    StrList names;     /* of backups, oldest first */
    StrList leftovers; /* of backups that were not finished, by a process that was killed */
} Folder;

/* ---- names ---- */

/* orion-20261130T145500Z.db, or ….db.gz */
static const char *name_at(Arena *arena, Time time, bool is_packed)
{
    Civil c = civil_from_time(time, 0);
    return arena_printf(arena, "orion-%04d%02d%02dT%02d%02d%02dZ.db%s", c.year, c.month, c.day, c.hour, c.minute,
                        c.second, is_packed ? ".gz" : "").p;
}

/* `digits` of them; -1: they are not. */
static int number_at(const char *p, int digits)
{
    int value = 0;
    for (; digits > 0; digits--, p++) {
        if (*p < '0' || *p > '9')
            return -1;
        value = value * 10 + (*p - '0');
    }
    return value;
}

/* The time in the name; TIME_NULL: it is no name of a backup. *ret_rest is what follows ".db". */
static Time time_of(const char *name, const char **ret_rest)
{
    enum { BEGIN = 6, DATE = 8, CLOCK = 15, END = 25 }; /* where its parts begin */
    if (strlen(name) < END || strncmp(name, "orion-", BEGIN) != 0 || name[BEGIN + DATE] != 'T' ||
        strncmp(name + END - 4, "Z.db", 4) != 0)
        return TIME_NULL;
    const char *date = name + BEGIN, *clock = name + CLOCK;
    const Civil c = { .year = number_at(date, 4), .month = number_at(date + 4, 2), .day = number_at(date + 6, 2),
                      .hour = number_at(clock, 2), .minute = number_at(clock + 2, 2),
                      .second = number_at(clock + 4, 2) };
    *ret_rest = name + END;
    return civil_is_valid(&c) ? civil_to_time(&c) : TIME_NULL;
}

static bool is_leftover(const char *rest)
{
    if (strncmp(rest, ".gz", 3) == 0)
        rest += 3;
    return strncmp(rest, ".partial", 8) == 0;
}

static bool read_names(Folder *folder, Arena *arena, Error *error)
{
    DIR *dir = opendir(folder->path);
    if (!dir)
        return fail(error, ERR_BUSY, "Cannot read the folder %s: %s", folder->path, strerror(errno));
    for (const struct dirent *entry; (entry = readdir(dir));) {
        const char *rest;
        if (time_of(entry->d_name, &rest) == TIME_NULL)
            continue;
        StrList *list = !*rest || strcmp(rest, ".gz") == 0 ? &folder->names : &folder->leftovers;
        if (list == &folder->names || is_leftover(rest))
            str_list_add(list, arena, arena_str(arena, str_from(entry->d_name)));
    }
    closedir(dir);
    str_list_sort(&folder->names);
    return true;
}

/* ---- the folder ---- */

/* Only the default one is made: another may be on a disk that is not mounted. */
static bool find_folder(const ServiceRun *run, Folder *ret, Error *error)
{
    *ret = (Folder){ .path = settings_text(run->settings, "ORION_BACKUP_FOLDER").p, .lock = -1 };
    if (settings_source(run->settings, "ORION_BACKUP_FOLDER") == FROM_DEFAULT)
        mkdir(ret->path, 0700);
    return access(ret->path, F_OK) == 0
           || fail(error, ERR_BUSY, "Cannot use the folder %s: %s", ret->path, strerror(errno));
}

/* False, with *error or without: another server is at it. */
static bool lock_folder(Folder *folder, Arena *arena, Error *error)
{
    const char *path = arena_printf(arena, "%s/" LOCK_NAME, folder->path).p;
    folder->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (folder->lock < 0)
        return fail(error, ERR_BUSY, "Cannot write %s: %s", path, strerror(errno));
    /* On a file system that has no locks it goes on without one. */
    return flock(folder->lock, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
}

static Time time_of_name(Str name)
{
    const char *rest;
    return time_of(name.p, &rest);
}

/* Made when a clock was wrong. */
static bool is_of_future(Str name, const ServiceRun *run)
{
    return time_of_name(name) > run->now + SKEW;
}

/* By the newest name that is not of the future. */
static bool is_due(const Folder *folder, const ServiceRun *run)
{
    Time newest = TIME_NULL;
    for (size_t i = 0; i < folder->names.count; i++)
        if (!is_of_future(folder->names.items[i], run))
            newest = time_of_name(folder->names.items[i]);
    double every = settings_float(run->settings, "ORION_BACKUP_EVERY");
    return newest == TIME_NULL || (double)(run->now - newest) >= every * (double)SECOND;
}

static void remove_named(const Folder *folder, Arena *arena, Str name)
{
    const char *path = arena_printf(arena, "%s/%.*s", folder->path, STR_ARG(name)).p;
    if (unlink(path) != 0 && errno != ENOENT)
        log_warning(LOGGER, "Cannot remove %s: %s", path, strerror(errno));
}

/* ---- a backup ---- */

static bool is_stopping(void *arg)
{
    const ServiceRun *run = arg;
    return *run->stopping;
}

static bool make(Folder *folder, ServiceRun *run, Error *error)
{
    const Onlooker onlooker = { .must_end = is_stopping, .arg = run };
    Backup backup = { .from = db_config(run->settings), .gzip = settings_bool(run->settings, "ORION_BACKUP_GZIP"),
                      .onlooker = &onlooker };
    const char *name = name_at(run->arena, run->now, backup.gzip);
    backup.file = arena_printf(run->arena, "%s/%s", folder->path, name).p;
    int64_t began = clock_monotonic();
    if (!backup_make(&backup, run->arena, error))
        return false;
    log_info(LOGGER, "Made %s: %.1f MB in %.1f seconds.", backup.file, (double)backup.bytes / 1e6,
             (double)(clock_monotonic() - began) / (double)SECOND);
    str_list_add(&folder->names, run->arena, str_from(name));
    str_list_sort(&folder->names);
    return true;
}

/* After a backup that was made; one that failed takes none of the others. What has a name of the future was made before
 * the clock was set back, so before the one that was just made, which must stay. */
static void remove_oldest(const Folder *folder, const ServiceRun *run)
{
    size_t count = folder->names.count, future = count;
    while (future > 0 && is_of_future(folder->names.items[future - 1], run))
        future--;
    int64_t keep = settings_int(run->settings, "ORION_BACKUP_KEEP");
    for (size_t i = 0; (int64_t)(count - i) > keep; i++) {
        Str name = folder->names.items[(future + i) % count];
        log_info(LOGGER, "Removing %s/%.*s.", folder->path, STR_ARG(name));
        remove_named(folder, run->arena, name);
    }
}

static bool make_if_due(Folder *folder, ServiceRun *run, Error *error)
{
    if (!read_names(folder, run->arena, error))
        return false;
    if (!is_due(folder, run))
        return true;
    for (size_t i = 0; i < folder->leftovers.count; i++)
        remove_named(folder, run->arena, folder->leftovers.items[i]);
    bool ok = make(folder, run, error);
    if (ok)
        remove_oldest(folder, run);
    malloc_trim(0);
    return ok || *run->stopping; /* the next server makes it */
}

bool backups_tick(ServiceRun *run, Error *error)
{
    Folder folder;
    if (!find_folder(run, &folder, error))
        return false;
    bool ok = lock_folder(&folder, run->arena, error) ? make_if_due(&folder, run, error) : error->code == ERR_NONE;
    if (folder.lock >= 0)
        close(folder.lock);
    return ok;
}
