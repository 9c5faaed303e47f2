/* tests/power/test_power.c -- after any loss of power, what was acknowledged is there, and the rest entirely or not at
 * all: seeds of life.h. `build-asan/test_power SEED` (or ORION_POWER_SEED) plays one alone and tells of it;
 * ORION_TEST_FULL=1 plays 10,000 instead of 300. */
#include "unit.h"

#include "base/log.h"
#include "jobs.h"
#include "life.h"
#include "vfs.h"

static struct {
    bool is_full;
    uint64_t first, count; /* seeds; no count: those of the test */
} wanted;

static Trial with_wal(void) { return (Trial){ .has_wal = true }; }
static Trial with_journal(void) { return (Trial){ .has_wal = false }; }

/* ---- the disk ---- */

#define TRIES 200

/* Two sectors: 'a' was synced, 'b' and 'c' written later. */
static void sectors_are_kept_or_lost_each_for_itself(void **state)
{
    unsigned seen[256] = { 0 }, mixed = 0;
    Dice dice = { 1 };
    (void)state;
    for (int i = 0; i < TRIES; i++) {
        Disk *disk = disk_new();
        DiskFile *file;
        unsigned char sectors[2][SECTOR];
        disk_power_on(disk, (DiskCut){ 0 });
        assert_true(disk_create(disk, "f", &file));
        memset(sectors, 'a', sizeof sectors);
        assert_true(disk_write(disk, file, sectors, sizeof sectors, 0));
        assert_true(disk_sync(disk, file) && disk_sync_folder(disk));
        for (int c = 'b'; c <= 'c'; c++) {
            memset(sectors, c, sizeof sectors);
            assert_true(disk_write(disk, file, sectors, sizeof sectors, 0));
        }
        disk_power_off(disk);
        assert_false(disk_write(disk, file, sectors, sizeof sectors, 0));
        disk_lose(disk, &dice);
        assert_int_equal(disk_read(disk_find(disk, "f"), sectors, sizeof sectors, 0), sizeof sectors);
        seen[sectors[0][0]]++;
        mixed += sectors[0][0] != sectors[1][0];
        disk_free(disk);
    }
    assert_int_equal(seen['a'] + seen['b'] + seen['c'], TRIES);
    assert_true(seen['a'] > 0 && seen['b'] > 0 && seen['c'] > 0 && mixed > 0);
}

static void names_are_lost_until_the_folder_is_synced(void **state)
{
    unsigned found[2] = { 0 };
    Dice dice = { 1 };
    (void)state;
    for (int i = 0; i < TRIES; i++) {
        bool is_folder_synced = i % 2;
        Disk *disk = disk_new();
        DiskFile *file;
        disk_power_on(disk, (DiskCut){ 0 });
        assert_true(disk_create(disk, "f", &file) && disk_write(disk, file, "abc", 3, 0) && disk_sync(disk, file));
        assert_true(!is_folder_synced || disk_sync_folder(disk));
        disk_power_off(disk);
        disk_lose(disk, &dice);
        found[is_folder_synced] += disk_find(disk, "f") != NULL;
        assert_true(!disk_find(disk, "f") || disk_size(disk_find(disk, "f")) == 3);
        disk_free(disk);
    }
    assert_int_equal(found[true], TRIES / 2);
    assert_true(found[false] > 0 && found[false] < TRIES / 2);
}

/* ---- seeds ---- */

static void tell(const Story *story)
{
    printf("# %u seeds, %u lives, %u commits of %u jobs, %llu calls; power cut at:", story->seeds, story->lives,
           story->commits, story->jobs, (unsigned long long)story->calls);
    for (size_t i = 0; i < CALL_KINDS; i++)
        printf(" %u %s,", story->cuts[i], disk_call_names[i]);
    printf(" %u ended; of these at start %u, at work %u, at the end %u\n", story->cuts[CALL_KINDS],
           story->phases[PHASE_START], story->phases[PHASE_STEPS], story->phases[PHASE_STOP]);
}

/* Plays so many seeds, and asks that nothing is lost, and that each kind of job and each phase of a life came up. */
static void nothing_is_lost(Trial trial, unsigned count)
{
    Story story = { 0 };
    trial.is_told = wanted.count == 1;
    uint64_t seed = wanted.count ? wanted.first : 1, end = seed + (wanted.count ? wanted.count : count);
    while (seed < end && life_play(&trial, seed, &story))
        seed++;
    tell(&story);
    if (story.is_lost)
        printf("# seed %llu: %s\n", (unsigned long long)seed, story.why);
    assert_string_equal(story.why, "");
    for (size_t i = 0; i < job_kind_count && !wanted.count; i++)
        assert_true(story.kinds[i] > 0 || job_kinds[i].is_refused);
    for (size_t i = 0; i < PHASES && !wanted.count; i++)
        assert_true(story.phases[i] > 0 || (i == PHASE_STOP && !trial.has_wal)); /* which then writes nothing */
}

static void nothing_is_lost_with_a_write_ahead_log(void **state)
{
    (void)state;
    nothing_is_lost(with_wal(), wanted.is_full ? 7000 : 200);
}

static void nothing_is_lost_with_a_rollback_journal(void **state)
{
    (void)state;
    nothing_is_lost(with_journal(), wanted.is_full ? 3000 : 100);
}

/* ---- what must be noticed ---- */

static void something_is_lost(Trial trial, unsigned within)
{
    Story story = { 0 };
    unsigned seed = 1;
    while (seed <= within && life_play(&trial, seed, &story))
        seed++;
    printf("# as it must: seed %u, %.200s\n", seed, story.why);
    assert_true(story.is_lost);
}

static void loss_is_noticed_without_syncs(void **state)
{
    Trial wal = with_wal(), journal = with_journal();
    (void)state;
    wal.faults.ignores_sync = journal.faults.ignores_sync = true;
    something_is_lost(wal, 20);
    something_is_lost(journal, 20);
}

static void loss_is_noticed_if_done_comes_before_the_commit(void **state)
{
    Trial wal = with_wal(), journal = with_journal();
    (void)state;
    wal.is_done_early = journal.is_done_early = true;
    something_is_lost(wal, 20);
    something_is_lost(journal, 20);
}

/* With a rollback journal, the commit is the removal of the journal: hence synchronous=EXTRA. */
static void loss_is_noticed_if_the_folder_is_not_synced(void **state)
{
    Trial journal = with_journal();
    (void)state;
    journal.faults.ignores_sync_folder = true;
    something_is_lost(journal, 100);
}

static void seeds_replay_exactly(void **state)
{
    uint64_t calls = 0;
    (void)state;
    for (unsigned seed = 1; seed <= 20; seed++) {
        Trial trial = seed % 2 ? with_wal() : with_journal();
        Story first = { 0 }, second = { 0 };
        assert_true(life_play(&trial, seed, &first) && life_play(&trial, seed, &second));
        assert_true(first.calls == second.calls && first.trace == second.trace);
        calls += first.calls;
    }
    assert_true(calls > 1000);
}

/* Settings and seeds are not what is set outside. */
static void read_environment(int argc, char **argv)
{
    const char *full = getenv("ORION_TEST_FULL"), *seed = argc > 1 ? argv[1] : getenv("ORION_POWER_SEED");
    const char *format = getenv("CMOCKA_MESSAGE_OUTPUT");
    wanted.is_full = full && strcmp(full, "1") == 0;
    wanted.first = seed ? strtoull(seed, NULL, 10) : 0;
    wanted.count = seed != NULL;
    if (argc > 2)
        wanted.count = strtoull(argv[2], NULL, 10);
    clearenv();
    setenv("PREFECT_HOME", "/nonexistent", 1);
    setenv("CMOCKA_MESSAGE_OUTPUT", format ? format : "STDOUT", 1);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sectors_are_kept_or_lost_each_for_itself),
        cmocka_unit_test(names_are_lost_until_the_folder_is_synced),
        cmocka_unit_test(nothing_is_lost_with_a_write_ahead_log),
        cmocka_unit_test(nothing_is_lost_with_a_rollback_journal),
        cmocka_unit_test(loss_is_noticed_without_syncs),
        cmocka_unit_test(loss_is_noticed_if_done_comes_before_the_commit),
        cmocka_unit_test(loss_is_noticed_if_the_folder_is_not_synced),
        cmocka_unit_test(seeds_replay_exactly),
    };
    read_environment(argc, argv);
    log_set_level(LOG_CRITICAL); /* each cut makes errors */
    power_vfs_install();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    life_end();
    return failed;
}
