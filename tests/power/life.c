/* tests/power/life.c -- the lives of a server between cuts of its power.
 *
 * A life opens the database with db_open, as the server does, checks what the last cut has left, lets clients, services
 * and housekeeping write, and ends with a cut, wherever that comes: in recovery, in a job, a commit, a checkpoint or
 * the closing. Only one thread runs at any moment: whoever lets another one do something waits for it. Therefore a seed
 * makes the same calls of the disk each time. */
#include "life.h"

#include <assert.h>
#include <semaphore.h>

#include "config/settings.h"
#include "db/driver.h"
#include "db/migrate.h"
#include "jobs.h"
#include "ledger.h"
#include "services/service.h"
#include "vfs.h"

#define FILE_NAME "power.db"

enum { BATCH_JOBS_MAX = 12, STEPS_MAX = 12, LIVES_MAX = 3, NEW_ONE_IN = 10 };

typedef struct Life {
    const Trial *trial;
    Story *story;
    Disk *disk;
    uint64_t seed;
    unsigned number;      /* of the life: 0 is the first */
    Phase phase;
    char before[160];     /* how the last life ended; empty: there was none */
    Dice dice;
    Ledger ledger;
    Db *db;
    DbConnection *maintenance;
    Arena *arena;
    struct Pause *reader; /* which holds a snapshot; or NULL */
} Life;

typedef struct Image {
    Disk *disk;
    Ledger ledger;
} Image;

static struct {
    Life *life;         /* the one that is played, for __wrap_db_run */
    Settings *settings;
    Image images[2];    /* migrated, without and with a write-ahead log */
} common;

static void lose(Life *life, const char *format, ...) PRINTF(2, 3);

/* The first loss is what is told. */
static void lose(Life *life, const char *format, ...)
{
    Story *story = life->story;
    char what[500];
    va_list args;
    if (story->is_lost)
        return;
    story->is_lost = true;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    snprintf(story->why, sizeof story->why, "life %u%s%s: %s", life->number, *life->before ? ", after power " : "",
             life->before, what);
}

static bool goes_on(const Life *life)
{
    return disk_is_on(life->disk) && !life->story->is_lost;
}

/* ---- jobs whose state is in the ledger ---- */

typedef struct Tracked {
    Job job;
    Life *life;
    bool (*run)(Tx *tx, void *arg);
    void *arg;
    bool is_closing;       /* the last one of its transaction: takes the state */
    bool may_fail;
    Error error;
    sem_t done;
    const JobKind *kind;   /* NULL: not one of the table's */
    Dice dice;
} Tracked;

static bool tracked_run(Tx *tx, void *arg)
{
    Tracked *t = arg;
    if (!t->run(tx, t->arg))
        return false;
    if (!t->is_closing || !disk_is_on(t->life->disk))
        return true;
    if (!ledger_write(&t->life->ledger, tx))
        return false;
    if (t->life->trial->is_done_early)
        ledger_acknowledge(&t->life->ledger);
    return true;
}

/* Nobody is told anything any more once the power is off. */
static void tracked_done(void *arg, const Error *error)
{
    Tracked *t = arg;
    Life *life = t->life;
    t->error = *error;
    if (disk_is_on(life->disk) && error->code == ERR_NONE) {
        life->story->commits += life->ledger.is_under_way;
        ledger_acknowledge(&life->ledger);
        life->story->jobs++;
        if (t->kind)
            life->story->kinds[t->kind - job_kinds]++;
    } else if (disk_is_on(life->disk) && !t->may_fail) {
        lose(life, "a job failed: %s: %s", t->kind ? t->kind->name : "a server's own", error->message);
    }
    sem_post(&t->done);
}

static void tracked_submit(Tracked *t, Life *life)
{
    t->life = life;
    t->job = (Job){ .run = tracked_run, .done = tracked_done, .arg = t, .arena = arena_new(), .write = true };
    sem_init(&t->done, 0, 0);
    db_submit(life->db, &t->job);
}

static void tracked_wait(Tracked *t)
{
    sem_wait(&t->done);
    sem_destroy(&t->done);
    arena_free(t->job.arena);
}

/* The services' own writes are tracked, too: each is a transaction of its own. */
bool __real_db_run(Db *db, bool write, Arena *arena, bool (*run)(Tx *, void *), void *arg, Error *error) MUST_CHECK;
bool __wrap_db_run(Db *db, bool write, Arena *arena, bool (*run)(Tx *, void *), void *arg, Error *error) MUST_CHECK;
bool __wrap_db_run(Db *db, bool write, Arena *arena, bool (*run)(Tx *, void *), void *arg, Error *error)
{
    if (!write)
        return __real_db_run(db, write, arena, run, arg, error);
    Tracked tracked = { .run = run, .arg = arg, .is_closing = true };
    tracked_submit(&tracked, common.life);
    tracked_wait(&tracked);
    return tracked.error.code == ERR_NONE || fail(error, tracked.error.code, "%s", tracked.error.message);
}

/* ---- a job that stays in its transaction until it is let go ---- */

typedef struct Pause {
    Job job;
    sem_t has_begun, may_end, is_done;
} Pause;

static bool pause_run(Tx *tx, void *arg)
{
    Pause *pause = arg;
    (void)DB_INT(tx, 0, "SELECT count(*) FROM flow_run"); /* a reader has its snapshot from now on */
    sem_post(&pause->has_begun);
    sem_wait(&pause->may_end);
    return true;
}

static void pause_done(void *arg, const Error *error)
{
    Pause *pause = arg;
    (void)error;
    sem_post(&pause->has_begun); /* in case it has never run */
    sem_post(&pause->is_done);
}

/* Returns once the transaction has begun, or failed to. */
static Pause *pause_begin(const Life *life, bool write)
{
    Pause *pause = arena_new_of(life->arena, Pause);
    pause->job = (Job){ .run = pause_run, .done = pause_done, .arg = pause, .arena = arena_new(), .write = write };
    sem_init(&pause->has_begun, 0, 0);
    sem_init(&pause->may_end, 0, 0);
    sem_init(&pause->is_done, 0, 0);
    db_submit(life->db, &pause->job);
    sem_wait(&pause->has_begun);
    return pause;
}

static void pause_let_go(Pause *pause)
{
    sem_post(&pause->may_end);
}

static void pause_wait(Pause *pause)
{
    sem_wait(&pause->is_done);
    sem_destroy(&pause->has_begun);
    sem_destroy(&pause->may_end);
    sem_destroy(&pause->is_done);
    arena_free(pause->job.arena);
}

/* ---- steps of a life ---- */

/* What the maintenance thread does. */
static void step_checkpoint(Life *life)
{
    if (life->maintenance)
        sqlite_driver.maintain(life->maintenance);
}

static bool run_kind(Tx *tx, void *arg)
{
    const Tracked *t = arg;
    return t->kind->run(tx, t->dice);
}

static Tracked any_job(Life *life)
{
    const JobKind *kind = job_kind_choose(&life->dice);
    return (Tracked){ .run = run_kind, .kind = kind, .may_fail = kind->is_refused, .dice = { dice_next(&life->dice) } };
}

static bool do_nothing(Tx *tx, void *arg)
{
    (void)tx;
    (void)arg;
    return true;
}

/* Several jobs in one transaction: they are queued while the writer is busy. The last one only takes the state. */
static void step_batch(Life *life)
{
    Tracked jobs[BATCH_JOBS_MAX + 1];
    size_t count = 1 + dice_below(&life->dice, BATCH_JOBS_MAX);
    Pause *writer = pause_begin(life, true);
    for (size_t i = 0; i < count; i++)
        jobs[i] = any_job(life);
    jobs[count] = (Tracked){ .run = do_nothing, .is_closing = true };
    for (size_t i = 0; i <= count; i++) {
        jobs[i].arg = &jobs[i];
        tracked_submit(&jobs[i], life);
    }
    if (dice_one_in(&life->dice, 4))
        step_checkpoint(life);
    pause_let_go(writer);
    pause_wait(writer);
    for (size_t i = 0; i <= count; i++)
        tracked_wait(&jobs[i]);
}

static void step_single(Life *life)
{
    Tracked job = any_job(life);
    job.arg = &job;
    job.is_closing = true;
    tracked_submit(&job, life);
    tracked_wait(&job);
}

static void step_service(Life *life)
{
    static bool (*const ticks[])(ServiceRun *run, Error *error) = {
        scheduler_tick, recent_deployments_tick, late_runs_tick, pause_expirations_tick, cancellation_cleanup_tick,
    };
    static const atomic_bool stopping;
    if (life->reader) /* the only one, for whom the service would wait */
        return;
    fate_pass((int64_t)dice_below(&life->dice, 7200) * SECOND);
    ServiceRun run = { .db = life->db, .settings = common.settings, .arena = arena_new(), .now = clock_now(),
                       .stopping = &stopping };
    Error error = { .code = ERR_NONE };
    if (!ticks[dice_below(&life->dice, COUNT_OF(ticks))](&run, &error) && disk_is_on(life->disk))
        lose(life, "a service failed: %s", error.message);
    arena_free(run.arena);
}

static void end_reader(Life *life)
{
    if (!life->reader)
        return;
    pause_let_go(life->reader);
    pause_wait(life->reader);
    life->reader = NULL;
}

/* A reader that stays keeps checkpoints from ending, and the log from starting over. */
static void step_reader(Life *life)
{
    if (life->reader)
        end_reader(life);
    else if (life->trial->has_wal)
        life->reader = pause_begin(life, false);
}

static void (*const steps[])(Life *) = {
    step_batch, step_batch, step_batch, step_single, step_single, step_service, step_service, step_checkpoint,
    step_reader,
};

/* ---- a life ---- */

static bool check(Tx *tx, void *arg)
{
    Life *life = arg;
    char why[500] = "";
    if (ledger_check(&life->ledger, tx, why, sizeof why))
        return true;
    if (disk_is_on(life->disk) && tx->error->code == ERR_NONE)
        lose(life, "%s", why);
    return false;
}

static bool migrate(Tx *tx, void *arg)
{
    (void)arg;
    return migrate_up(tx);
}

static bool prepare(Tx *tx, void *arg)
{
    (void)arg;
    return DB_INT(tx, -1, "SELECT count(*) FROM block_type") > 0 || jobs_prepare(tx);
}

/* What went wrong while the power was on is a loss. */
static bool must(Life *life, const char *what, bool ok, const Error *error)
{
    if (!ok && disk_is_on(life->disk))
        lose(life, "%s failed: %s", what, error->message);
    return ok;
}

static bool start(Life *life)
{
    Error error = { .code = ERR_NONE };
    life->db = db_open(&(DbConfig){ .url = STR("sqlite+aiosqlite:///" FILE_NAME), .readers = 1 }, &error);
    if (!must(life, "db_open", life->db != NULL, &error) ||
        !must(life, "the check", __real_db_run(life->db, false, life->arena, check, life, &error), &error) ||
        !must(life, "migrate_up", __wrap_db_run(life->db, true, life->arena, migrate, NULL, &error), &error) ||
        !must(life, "the preparation", __wrap_db_run(life->db, true, life->arena, prepare, NULL, &error), &error))
        return false;
    if (life->trial->has_wal)
        life->maintenance = sqlite_driver.connect(&(DbPlace){ .path = FILE_NAME }, ROLE_MAINTENANCE, 1, &error);
    return must(life, "a connection", !life->trial->has_wal || life->maintenance, &error);
}

static void stop(Life *life)
{
    end_reader(life);
    if (life->maintenance)
        sqlite_driver.disconnect(life->maintenance);
    db_close(life->db);
    life->maintenance = NULL;
    life->db = NULL;
}

/* The maintenance thread, which nobody waits for, must not wake up. */
static void limit_log(Life *life)
{
    enum { FRAME = 4096 + 24, PAGES_MAX = 600 }; /* of the 1,000 at which it does */
    const DiskFile *log = disk_find(life->disk, FILE_NAME "-wal");
    if (!log || disk_size(log) < (int64_t)FRAME * PAGES_MAX)
        return;
    end_reader(life);
    step_checkpoint(life);
}

/* From the switching on to the cut, at that call or after a number of steps. */
static void live(Life *life, DiskCut cut, unsigned step_count)
{
    life->arena = arena_new();
    common.life = life;
    fate_set(life->seed, life->number); /* threads that met the cut may have read the clock in any order */
    power_vfs_use(life->disk, life->trial->has_wal);
    disk_power_on(life->disk, cut);
    life->phase = PHASE_START;
    if (start(life)) {
        life->phase = PHASE_STEPS;
        for (unsigned i = 0; i < step_count && goes_on(life); i++) {
            limit_log(life);
            steps[dice_below(&life->dice, COUNT_OF(steps))](life);
        }
    }
    if (disk_is_on(life->disk))
        life->phase = PHASE_STOP;
    if (dice_one_in(&life->dice, 2))
        disk_power_off(life->disk); /* no orderly end */
    stop(life);
    arena_free(life->arena);
}

/* ---- seeds ---- */

/* The disk of a server that has been started once, and ended. */
static const Image *image(const Trial *trial, Story *story)
{
    Image *image = &common.images[trial->has_wal];
    if (image->disk)
        return image;
    Trial sound = { .has_wal = trial->has_wal };
    Life life = { .trial = &sound, .story = story, .disk = disk_new() };
    Error error = { .code = ERR_NONE };
    common.settings = common.settings ? common.settings : settings_load(NULL, &error);
    assert(common.settings);
    live(&life, (DiskCut){ 0 }, 0);
    disk_power_on(life.disk, (DiskCut){ 0 });
    bool ok = disk_sync_folder(life.disk);
    disk_power_off(life.disk);
    assert(ok);
    (void)ok;
    *image = (Image){ .disk = disk_copy(life.disk), .ledger = life.ledger };
    disk_free(life.disk);
    return image;
}

/* Any call, or one of a kind, of which some are rare; one of the first, in recovery, or a later one. */
static DiskCut choose_cut(Dice *dice)
{
    static const unsigned limits[] = { 20, 80, 250 }, limits_of_kind[] = { 2, 6, 20 };
    static const DiskCall kinds[] = { CALL_CREATE, CALL_WRITE, CALL_TRUNCATE, CALL_SYNC, CALL_SYNC, CALL_DELETE,
                                      CALL_SYNC_FOLDER };
    unsigned limit = dice_below(dice, COUNT_OF(limits));
    if (dice_one_in(dice, 2))
        return (DiskCut){ .at = 1 + dice_below(dice, limits[limit]) };
    return (DiskCut){ .at = 1 + dice_below(dice, limits_of_kind[limit]),
                      .kinds = 1u << kinds[dice_below(dice, COUNT_OF(kinds))] };
}

static void count(const Life *life)
{
    Story *story = life->story;
    story->lives++;
    story->calls += disk_calls(life->disk);
    story->cuts[disk_was_cut(life->disk) ? disk_last_call(life->disk) : CALL_KINDS]++;
    if (disk_was_cut(life->disk))
        story->phases[life->phase]++;
}

static void live_once(Life *life, bool is_last)
{
    DiskCut cut = is_last ? (DiskCut){ 0 } : choose_cut(&life->dice);
    live(life, cut, is_last ? 0 : 1 + dice_below(&life->dice, STEPS_MAX));
    disk_power_off(life->disk);
    count(life);
    const char *how = disk_was_cut(life->disk) ? "cut at" : "off after", *loss = disk_lose(life->disk, &life->dice);
    snprintf(life->before, sizeof life->before, "%s call %llu (%s), %s", how,
             (unsigned long long)disk_calls(life->disk), disk_call_names[disk_last_call(life->disk)], loss);
    if (life->trial->is_told)
        printf("# life %u: %s\n", life->number, life->before);
}

static void play(Life *life)
{
    unsigned lives = 1 + dice_below(&life->dice, LIVES_MAX);
    for (life->number = 0; life->number < lives && !life->story->is_lost; life->number++)
        live_once(life, false);
    if (!life->story->is_lost)
        live_once(life, true);
}

bool life_play(const Trial *trial, uint64_t seed, Story *story)
{
    assert(job_kind_count <= JOB_KINDS_MAX);
    const Image *begun = image(trial, story);
    Life life = { .trial = trial, .story = story, .seed = seed, .dice = { seed }, .ledger = begun->ledger };
    bool is_new = dice_one_in(&life.dice, NEW_ONE_IN);
    if (is_new)
        life.ledger = (Ledger){ .acknowledged = STATE_OF_NOTHING };
    life.disk = is_new ? disk_new() : disk_copy(begun->disk);
    disk_set_faults(life.disk, trial->faults);
    play(&life);
    story->seeds++;
    story->trace = disk_trace(life.disk);
    disk_free(life.disk);
    return !story->is_lost;
}

void life_end(void)
{
    disk_free(common.images[false].disk);
    disk_free(common.images[true].disk);
    settings_free(common.settings);
}
