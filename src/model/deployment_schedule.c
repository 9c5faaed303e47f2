/* model/deployment_schedule.c -- schedules as JSON and as structs: a union of three classes, the first
 * that accepts a body wins. */
#include "model/deployment_schedule.h"

#include "base/unicode.h"
#include "schedule/zone.h"

static bool check_interval(Invalid *invalid, void *member)
{
    return *(int64_t *)member > 0 || invalid_add(invalid, "value_error", NULL, "The interval must be positive");
}

/* An empty name is accepted, as by the reference; it means UTC. */
static bool check_timezone(Invalid *invalid, void *member)
{
    Str name = *(Str *)member;
    return name.n == 0 || zone_exists(invalid->arena, name) ||
           invalid_add(invalid, "value_error", NULL, "Invalid timezone: \"%.*s\"", STR_ARG(name));
}

static bool check_cron(Invalid *invalid, void *member)
{
    Str cron = *(Str *)member;
    if (!cron_check(invalid->arena, cron))
        return invalid_add(invalid, "value_error", NULL, "Invalid cron string: \"%.*s\"", STR_ARG(cron));
    return !cron_is_random(cron) ||
           invalid_add(invalid, "value_error", NULL,
                       "Random and Hashed expressions are unsupported, recieved: \"%.*s\"", STR_ARG(cron));
}

static Str first_characters(Str s, size_t count)
{
    size_t n = 0;
    while (n < s.n && (count > 0 || ((unsigned char)s.p[n] & 0xc0) == 0x80)) {
        n++;
        count -= n < s.n && ((unsigned char)s.p[n] & 0xc0) != 0x80;
    }
    return (Str){ s.p, n };
}

static bool check_rrule(Invalid *invalid, void *member)
{
    enum { LENGTH_MAX = 6500 };
    Str rrule = *(Str *)member, reason;
    /* longer in bytes than any valid text: too long anyway, and not worth parsing */
    bool is_readable = rrule.n <= 4 * LENGTH_MAX;
    if (is_readable && !rrule_check(invalid->arena, rrule, &reason)) {
        if (!reason.p) /* what Python says if an argument is missing */
            return invalid_add(invalid, "type_error", NULL,
                               "rrule.__init__() missing 1 required positional argument: 'freq'");
        return invalid_add(invalid, "value_error", NULL, "Invalid RRule string \"%.*s\": %.*s", STR_ARG(rrule),
                           STR_ARG(reason));
    }
    size_t length = utf8_count(rrule);
    return length <= LENGTH_MAX ||
           invalid_add(invalid, "value_error", NULL, "Invalid RRule string \"%.*s...\"\nMax length is %d, got %zu",
                       STR_ARG(first_characters(rrule, 40)), LENGTH_MAX, length);
}

static const Field interval_fields[] = {
    FIELD(Schedule, interval, F_DURATION, .flags = REQUIRED, .check = check_interval),
    { .name = "anchor_date", .kind = F_MOMENT, .flags = NULLABLE, .offset = offsetof(Schedule, anchor) },
    FIELD(Schedule, timezone, F_STR, .flags = NULLABLE, .check = check_timezone),
};

static const Field cron_fields[] = {
    FIELD(Schedule, cron, F_STR, .flags = REQUIRED, .check = check_cron),
    FIELD(Schedule, timezone, F_STR, .flags = NULLABLE, .check = check_timezone),
    FIELD(Schedule, day_or, F_BOOL, .fallback = "true"),
};

static const Field rrule_fields[] = {
    FIELD(Schedule, rrule, F_STR, .flags = REQUIRED, .check = check_rrule),
    FIELD(Schedule, timezone, F_STR, .flags = NULLABLE, .check = check_timezone),
};

static const Model classes[] = {
    [SCHEDULE_INTERVAL] = MODEL(Schedule, interval_fields, .forbid_extra = true),
    [SCHEDULE_CRON] = MODEL(Schedule, cron_fields, .forbid_extra = true),
    [SCHEDULE_RRULE] = MODEL(Schedule, rrule_fields, .forbid_extra = true),
};

static bool decode_schedule(Invalid *invalid, const Json *json, Schedule *ret)
{
    size_t length = invalid->items.n, count = invalid->count;
    for (size_t i = 0; i < COUNT_OF(classes); i++) {
        if (codec_decode(invalid, &classes[i], json, ret, NULL)) {
            invalid->items.n = length; /* the errors of a class count only if no class accepts the body */
            invalid->count = count;
            ret->kind = (ScheduleKind)i;
            return true;
        }
    }
    return false;
}

/* Intervals and RRULEs without a zone get UTC. */
static void fill_in_zone(Schedule *schedule)
{
    if (schedule->kind != SCHEDULE_CRON && !schedule->timezone.p)
        schedule->timezone = STR("UTC");
}

static bool parse_schedule(Arena *arena, Str json_text, const Json **ret_json, Schedule *ret)
{
    Invalid invalid;
    *ret_json = json_read(arena, json_text);
    invalid_init(&invalid, arena, TIME_NULL);
    if (!*ret_json || !decode_schedule(&invalid, *ret_json, ret))
        return false;
    fill_in_zone(ret);
    return true;
}

/* Replaces the zone's name by the one to be stored. A single error, not one per class: the zone is not
 * available, whatever the class. */
static bool name_zone(Invalid *invalid, Schedule *schedule)
{
    Error error = { .code = ERR_NONE };
    if (schedule->timezone.n == 0 || zone_name_stored(invalid->arena, schedule->timezone, &schedule->timezone, &error))
        return true;
    invalid_enter(invalid, "timezone");
    (void)invalid_add(invalid, "value_error", NULL, "%s", error.message);
    invalid_leave(invalid);
    return false;
}

bool deployment_schedule_decode(Invalid *invalid, const Json *json, void *member)
{
    Schedule schedule;
    if (!decode_schedule(invalid, json, &schedule) || !name_zone(invalid, &schedule))
        return false;
    fill_in_zone(&schedule);
    *(Str *)member = codec_stored(invalid->arena, &classes[schedule.kind], &schedule);
    return true;
}

Str deployment_schedule_anchored(Arena *arena, Str decoded, Str stored, Time now)
{
    Schedule schedule, old;
    const Json *ignored;
    if (!parse_schedule(arena, decoded, &ignored, &schedule) || schedule.kind != SCHEDULE_INTERVAL ||
        schedule.anchor.us != TIME_NULL)
        return decoded;
    bool is_same = parse_schedule(arena, stored, &ignored, &old) && old.kind == SCHEDULE_INTERVAL &&
                   old.interval == schedule.interval && str_eq(old.timezone, schedule.timezone) &&
                   old.anchor.us != TIME_NULL;
    schedule.anchor = is_same ? old.anchor : MOMENT(now);
    return codec_stored(arena, &classes[SCHEDULE_INTERVAL], &schedule);
}

bool deployment_schedule_load(Arena *arena, Str json_text, Time created, Schedule *ret, Error *error)
{
    Zone ignored;
    const Json *json;
    if (!parse_schedule(arena, json_text, &json, ret)) {
        const Json *zone = json_get(json, "timezone");
        if (zone && zone->kind == JSON_STRING && !zone_load(arena, zone->text, &ignored, error))
            return false;
        return fail(error, ERR_INTERNAL, "The deployment's schedule cannot be parsed");
    }
    ret->created = created;
    if (ret->kind == SCHEDULE_INTERVAL && ret->anchor.us == TIME_NULL)
        ret->anchor = MOMENT(created);
    return true;
}
