/* cli/status_picture.c -- a screen of a server's status: a section after the other, each from its part of the JSON. */
#include "cli/status_picture.h"

#include "base/text.h"

enum {
    LABEL = 14,  /* columns of what a line is about */
    NUMBER = 10,
    WHEN = 16,   /* "23 h 59 m ago" */
    NAME = 34,   /* of a queue, a tag, a service; less if the screen is narrow */
    BAR = 24,
    SECONDS_MAX = 120
};

/* ---- values of the answer ---- */

static double number_of(const Json *value, double otherwise)
{
    char digits[64];
    if (!value || (value->kind != JSON_INT && value->kind != JSON_FLOAT) || value->text.n >= sizeof digits)
        return otherwise;
    (void)snprintf(digits, sizeof digits, "%.*s", STR_ARG(value->text));
    return strtod(digits, NULL);
}

static double number(const Json *object, const char *key, double otherwise)
{
    return number_of(json_get(object, key), otherwise);
}

/* Null: it is not there, or no text. */
static Str text(const Json *object, const char *key)
{
    const Json *found = json_get(object, key);
    return found && found->kind == JSON_STRING ? found->text : STR_NULL;
}

static Str or_dash(Str s)
{
    return s.n ? s : STR("-");
}

static bool is_true(const Json *object, const char *key)
{
    const Json *found = json_get(object, key);
    return found && found->kind == JSON_TRUE;
}

static const Json *first_of(const Json *object, const char *key)
{
    const Json *list = json_get(object, key);
    return list && (list->kind == JSON_ARRAY || list->kind == JSON_OBJECT) ? list->child : NULL;
}

static Time moment(const Json *object, const char *key)
{
    Moment m;
    Str found = text(object, key);
    return found.n && moment_parse(found, TIME_NULL, &m) ? m.us : TIME_NULL;
}

/* The time of the answer, by the server's clock, since ours may differ. */
static Time now_of(const Json *status)
{
    Time started = moment(status, "started");
    double uptime = number(status, "uptime", -1);
    return started == TIME_NULL || uptime < 0 || uptime > 1e10 ? TIME_NULL : started + (Time)(uptime * 1e6);
}

/* "4 m 2 s ago"; "-" if it is not known. */
static Str age(Arena *arena, const Json *object, const char *key, Time now)
{
    Time then = moment(object, key);
    if (then == TIME_NULL || now == TIME_NULL)
        return STR("-");
    Str time = human_time(arena, (double)(now - then) / 1e6);
    return arena_printf(arena, "%.*s ago", STR_ARG(time));
}

static Str count(Arena *arena, const Json *object, const char *key)
{
    double n = number(object, key, -1);
    return n < 0 ? STR("-") : human_count(arena, n);
}

static Str duration(Arena *arena, const Json *object, const char *key, double unit)
{
    double value = number(object, key, -1);
    return value < 0 ? STR("-") : human_duration(arena, value * unit);
}

/* ---- what there is once ---- */

static void label(Screen *screen, const char *name)
{
    screen_cell(screen, STYLE_BOLD, LABEL, str_from(name));
}

static void draw_head(Screen *screen, const Json *status)
{
    bool ready = is_true(status, "ready");
    Str up = human_time(screen->out.arena, number(status, "uptime", 0));
    label(screen, "Server");
    screen_put(screen, ready ? STYLE_GREEN : STYLE_RED, ready ? STR("ready") : STR("NOT READY"));
    screen_printf(screen, STYLE_PLAIN, ", up %.*s, Orion %.*s, API %.*s, %.*s", STR_ARG(up),
                  STR_ARG(or_dash(text(status, "version"))), STR_ARG(or_dash(text(status, "api_version"))),
                  STR_ARG(or_dash(text(status, "address"))));
    screen_line(screen);
    if (ready)
        return;
    screen_to(screen, LABEL);
    screen_put(screen, STYLE_RED, or_dash(text(status, "reason")));
    screen_line(screen);
}

static void draw_database(Screen *screen, const Json *status)
{
    static const struct { const char *key, *name; } sizes[] = {
        { "bytes", "" }, { "wal_bytes", "write-ahead log " }, { "free_bytes", "free pages " },
    };
    const Json *database = json_get(status, "database");
    label(screen, "Database");
    screen_put(screen, STYLE_PLAIN, or_dash(text(database, "engine")));
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        double bytes = number(database, sizes[i].key, -1);
        Str shown = human_bytes(screen->out.arena, bytes);
        if (bytes >= 0)
            screen_printf(screen, STYLE_PLAIN, ", %s%.*s", sizes[i].name, STR_ARG(shown));
    }
    screen_line(screen);
    screen_to(screen, LABEL);
    screen_put(screen, STYLE_DIM, or_dash(text(database, "url")));
    screen_line(screen);
}

static void draw_curve(Screen *screen, const Json *requests)
{
    double seconds[SECONDS_MAX], most = 0;
    size_t n = 0;
    for (const Json *item = first_of(requests, "by_second"); item && n < SECONDS_MAX; item = item->next) {
        seconds[n] = number_of(item, 0);
        most = seconds[n] > most ? seconds[n] : most;
        n++;
    }
    if (n == 0)
        return;
    Str shown = human_count(screen->out.arena, most);
    Str peak = arena_printf(screen->out.arena, " at most %.*s in a second", STR_ARG(shown));
    screen_to(screen, LABEL);
    screen_curve(screen, STYLE_BLUE, seconds, n, most);
    if (screen->column + peak.n <= screen->width)
        screen_put(screen, STYLE_DIM, peak);
    screen_line(screen);
}

static void draw_requests(Screen *screen, const Json *status)
{
    Arena *arena = screen->out.arena;
    const Json *requests = json_get(status, "requests");
    Str all = count(arena, requests, "count"), failed = count(arena, requests, "failed");
    Str p50 = duration(arena, requests, "p50_ms", 1e-3), p99 = duration(arena, requests, "p99_ms", 1e-3);
    Str open = count(arena, status, "connections");
    label(screen, "Requests");
    screen_printf(screen, STYLE_PLAIN, "%.*s in the last minute, ", STR_ARG(all));
    screen_printf(screen, number(requests, "failed", 0) > 0 ? STYLE_RED : STYLE_PLAIN, "%.*s failed", STR_ARG(failed));
    screen_printf(screen, STYLE_PLAIN, ", p50 %.*s, p99 %.*s, connections %.*s", STR_ARG(p50), STR_ARG(p99),
                  STR_ARG(open));
    screen_line(screen);
    draw_curve(screen, requests);
}

/* ---- runs ---- */

static Style style_of(Str state)
{
    static const struct { const char *state; Style style; } styles[] = {
        { "RUNNING", STYLE_BLUE }, { "COMPLETED", STYLE_GREEN }, { "FAILED", STYLE_RED }, { "CRASHED", STYLE_RED },
        { "SCHEDULED", STYLE_YELLOW }, { "PENDING", STYLE_YELLOW },
    };
    for (size_t i = 0; i < COUNT_OF(styles); i++)
        if (str_is(state, styles[i].state))
            return styles[i].style;
    return STYLE_DIM;
}

/* States that no run is in are left out. */
static void draw_runs(Screen *screen, const Json *status)
{
    Arena *arena = screen->out.arena;
    double most = 0;
    Str due = count(arena, status, "due"), late = count(arena, status, "late");
    label(screen, "Flow runs");
    screen_printf(screen, number(status, "late", 0) > 0 ? STYLE_YELLOW : STYLE_PLAIN, "%.*s late", STR_ARG(late));
    screen_printf(screen, STYLE_PLAIN, ", %.*s due", STR_ARG(due));
    screen_line(screen);
    for (const Json *state = first_of(status, "flow_runs"); state; state = state->next)
        most = number_of(state, 0) > most ? number_of(state, 0) : most;
    for (const Json *state = first_of(status, "flow_runs"); state; state = state->next) {
        double runs = number_of(state, 0);
        if (runs <= 0)
            continue;
        screen_to(screen, 2);
        screen_cell(screen, STYLE_PLAIN, LABEL - 2, state->key);
        screen_number(screen, STYLE_PLAIN, NUMBER, human_count(arena, runs));
        screen_to(screen, LABEL + NUMBER + 1);
        screen_bar(screen, style_of(state->key), runs / most, BAR);
        screen_line(screen);
    }
}

/* ---- lists ---- */

static unsigned name_width(const Screen *screen)
{
    return screen->width < 2 * NAME ? screen->width / 2 : NAME;
}

static void put_name(Screen *screen, Str name)
{
    screen_to(screen, 2);
    screen_cell(screen, STYLE_PLAIN, name_width(screen) - 2, name);
}

static bool queue_waits(const Json *queue)
{
    return number(queue, "due", 0) > 0;
}

static void draw_queue(Screen *screen, const Json *queue, Time now)
{
    Arena *arena = screen->out.arena;
    Str pool = text(queue, "work_pool"), name = or_dash(text(queue, "name"));
    put_name(screen, pool.n ? arena_printf(arena, "%.*s/%.*s", STR_ARG(pool), STR_ARG(name)) : name);
    screen_number(screen, queue_waits(queue) ? STYLE_YELLOW : STYLE_PLAIN, NUMBER, count(arena, queue, "due"));
    screen_number(screen, STYLE_PLAIN, WHEN, age(arena, queue, "oldest_due", now));
    if (is_true(queue, "paused"))
        screen_put(screen, STYLE_DIM, STR("  paused"));
}

static bool slots_are_used(const Json *limit)
{
    return number(limit, "in_use", 0) > 0;
}

static void draw_slots(Screen *screen, const Json *limit, Time now)
{
    double used = number(limit, "in_use", 0), all = number(limit, "limit", 0);
    bool full = used >= all;
    (void)now;
    put_name(screen, or_dash(text(limit, "tag")));
    screen_number(screen, full ? STYLE_YELLOW : STYLE_PLAIN, NUMBER, human_count(screen->out.arena, used));
    screen_number(screen, STYLE_PLAIN, NUMBER, human_count(screen->out.arena, all));
    screen_to(screen, screen->column + 2);
    screen_bar(screen, full ? STYLE_YELLOW : STYLE_GREEN, all > 0 ? used / all : 0, BAR);
}

static bool service_fails(const Json *service)
{
    return text(service, "error").n > 0;
}

static void draw_service(Screen *screen, const Json *service, Time now)
{
    Arena *arena = screen->out.arena;
    put_name(screen, or_dash(text(service, "name")));
    screen_number(screen, STYLE_PLAIN, WHEN, age(arena, service, "last_tick", now));
    screen_number(screen, STYLE_PLAIN, NUMBER, duration(arena, service, "seconds", 1));
    screen_number(screen, STYLE_PLAIN, NUMBER, count(arena, service, "ticks"));
    screen_number(screen, number(service, "failures", 0) > 0 ? STYLE_RED : STYLE_PLAIN, NUMBER,
                  count(arena, service, "failures"));
    screen_to(screen, screen->column + 2);
    screen_put(screen, STYLE_RED, text(service, "error"));
}

typedef struct Section {
    const char *name, *key;
    struct { const char *name; unsigned columns; } heads[5]; /* of the columns after the name */
    bool (*is_first)(const Json *item); /* those are shown before the others */
    void (*draw)(Screen *screen, const Json *item, Time now);
} Section;

static const Section sections[] = {
    { "Work queues", "work_queues", { { "DUE", NUMBER }, { "OLDEST DUE", WHEN } }, queue_waits, draw_queue },
    { "Slots", "slots", { { "IN USE", NUMBER }, { "LIMIT", NUMBER } }, slots_are_used, draw_slots },
    { "Services", "services",
      { { "LAST ROUND", WHEN }, { "TOOK", NUMBER }, { "ROUNDS", NUMBER }, { "FAILED", NUMBER } },
      service_fails, draw_service },
};

static void draw_heads(Screen *screen, const Section *section)
{
    screen_cell(screen, STYLE_BOLD, name_width(screen), str_from(section->name));
    for (size_t i = 0; section->heads[i].name; i++) {
        unsigned taken = screen_columns(str_from(section->heads[i].name));
        screen_to(screen, screen->column + section->heads[i].columns - taken);
        screen_put(screen, STYLE_DIM, str_from(section->heads[i].name));
    }
    screen_line(screen);
}

static void draw_section(Screen *screen, const Section *section, const Json *status, size_t rows)
{
    size_t shown = 0, all = 0;
    Time now = now_of(status);
    const Json *first = first_of(status, section->key);
    if (!first)
        return;
    screen_line(screen);
    draw_heads(screen, section);
    for (int turn = 0; turn < 2; turn++) {
        for (const Json *item = first; item; item = item->next) {
            if (section->is_first(item) != (turn == 0))
                continue;
            all++;
            if (shown == rows)
                continue;
            shown++;
            section->draw(screen, item, now);
            screen_line(screen);
        }
    }
    if (shown == all)
        return;
    screen_printf(screen, STYLE_DIM, "  and %zu more", all - shown);
    screen_line(screen);
}

void status_draw(Screen *screen, const Json *status, size_t rows)
{
    draw_head(screen, status);
    draw_database(screen, status);
    draw_requests(screen, status);
    draw_runs(screen, status);
    for (size_t i = 0; i < COUNT_OF(sections); i++)
        draw_section(screen, &sections[i], status, rows);
}
