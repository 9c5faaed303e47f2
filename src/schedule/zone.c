/* schedule/zone.c -- reads compiled zone files (RFC 8536) and extends them by the rule at their end. */
#include "schedule/zone.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/text.h"
#include "schedule/zone_names.h"

enum { HEADER = 44, FILE_MAX = 256 * 1024, RULE_YEARS = 400, DAY_SECONDS = 86400 };

typedef struct Reader { const unsigned char *p, *end; } Reader;

typedef struct Header { size_t utc_flags, std_flags, leaps, times, types, letters; } Header;

static int64_t take_number(Reader *r, size_t size)
{
    uint64_t value = r->p[0] & 0x80 ? UINT64_MAX : 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | r->p[i];
    r->p += size;
    return (int64_t)value;
}

/* The sizes that follow, and whether the block with times of `time_size` bytes fits into the file. */
static bool take_header(Reader *r, size_t time_size, Header *h)
{
    if (r->end - r->p < HEADER || memcmp(r->p, "TZif", 4) != 0)
        return false;
    r->p += 20;
    size_t *counts[] = { &h->utc_flags, &h->std_flags, &h->leaps, &h->times, &h->types, &h->letters };
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        int64_t n = take_number(r, 4);
        if (n < 0 || n > FILE_MAX)
            return false;
        *counts[i] = (size_t)n;
    }
    size_t size = h->times * (time_size + 1) + h->types * 6 + h->letters + h->leaps * (time_size + 4) + h->std_flags +
                  h->utc_flags;
    return h->types > 0 && size <= (size_t)(r->end - r->p);
}

/* ---- the rule for all later years: "EST5EDT,M3.2.0,M11.1.0" ---- */

/* kind: M, J, or 0 for a day counted from 0 */
typedef struct RuleDay { char kind; int month, week, day; int32_t seconds; } RuleDay;
typedef struct ZoneRule { int32_t std, dst; RuleDay start, end; } ZoneRule;

static bool skip_name(const char **p)
{
    const char *start = *p;
    if (**p == '<') {
        *p += strcspn(*p, ">");
        return *(*p)++ == '>';
    }
    while (char_is_letter(**p))
        ++*p;
    return *p - start >= 3;
}

static bool take_digits(const char **p, int *ret)
{
    const char *start = *p;
    int value = 0;
    while (char_is_digit(**p) && *p - start < 4)
        value = 10 * value + (*(*p)++ - '0');
    *ret = value;
    return *p > start;
}

/* "[+-]hh[:mm[:ss]]" in seconds. */
static bool take_clock(const char **p, int32_t *ret)
{
    int sign = **p == '-' ? -1 : 1, parts[3] = { 0 };
    if (**p == '-' || **p == '+')
        ++*p;
    for (int i = 0; i < 3; i++) {
        if (i > 0 && **p != ':')
            break;
        *p += i > 0;
        if (!take_digits(p, &parts[i]))
            return false;
    }
    *ret = sign * (parts[0] * 3600 + parts[1] * 60 + parts[2]);
    return true;
}

static bool take_rule_day(const char **p, RuleDay *day)
{
    *day = (RuleDay){ .seconds = 7200 };
    if (*(*p)++ != ',')
        return false;
    if (**p == 'M' || **p == 'J')
        day->kind = *(*p)++;
    if (!take_digits(p, day->kind == 'M' ? &day->month : &day->day))
        return false;
    if (day->kind == 'M' &&
        (*(*p)++ != '.' || !take_digits(p, &day->week) || *(*p)++ != '.' || !take_digits(p, &day->day)))
        return false;
    if (day->kind == 'M' && (day->month < 1 || day->month > 12 || day->day > 6))
        return false;
    if (**p != '/')
        return true;
    ++*p;
    return take_clock(p, &day->seconds);
}

/* False: no such rule, the zone has no changes to come. */
static bool parse_rule(const char *text, ZoneRule *rule)
{
    if (!skip_name(&text) || !take_clock(&text, &rule->std) || !skip_name(&text))
        return false;
    rule->std = -rule->std;
    rule->dst = rule->std + 3600;
    if (*text != ',') {
        if (!take_clock(&text, &rule->dst))
            return false;
        rule->dst = -rule->dst;
    }
    return take_rule_day(&text, &rule->start) && take_rule_day(&text, &rule->end);
}

/* The day and time of a year in seconds since 1970, on the wall clock before the change. */
static int64_t rule_wall(const RuleDay *rule, int year)
{
    int64_t day = civil_days(year, 1, 1);
    if (rule->kind == 'J') {
        day += rule->day - 1 + (civil_is_leap(year) && rule->day >= 60);
    } else if (rule->kind == 0) {
        day += rule->day;
    } else {
        int64_t first = civil_days(year, rule->month, 1), weekday = ((first + 4) % 7 + 7) % 7; /* Sunday 0 */
        day = first + (rule->day + 7 - weekday) % 7 + (rule->week - 1) * 7;
        while (day >= first + civil_month_days(year, rule->month))
            day -= 7;
    }
    return day * DAY_SECONDS + rule->seconds;
}

/* Keeps `at` ascending, whatever the file holds: a change that is not after the last one is dropped. */
static void add_change(Zone *zone, int64_t at, int32_t offset)
{
    if (zone->count && at <= zone->at[zone->count - 1])
        return;
    zone->at[zone->count++] = at;
    zone->offset[zone->count] = offset;
}

static void extend(Zone *zone, const ZoneRule *rule)
{
    Civil last = zone->count ? civil_from_time(zone->at[zone->count - 1] * SECOND, 0) : (Civil){ .year = 1970 };
    for (int year = last.year; year < last.year + RULE_YEARS; year++) {
        int64_t start = rule_wall(&rule->start, year) - rule->std, end = rule_wall(&rule->end, year) - rule->dst;
        if (start < end)
            add_change(zone, start, rule->dst);
        add_change(zone, end, rule->std);
        if (start > end)
            add_change(zone, start, rule->dst);
    }
}

/* ---- files ---- */

/* As in the C library, TZDIR names a folder to use instead of the usual one. */
static const char *zone_folder(void)
{
    const char *folder = getenv("TZDIR");
    return folder && *folder ? folder : "/usr/share/zoneinfo";
}

static bool read_changes(Arena *arena, Reader *r, const Header *h, Zone *zone)
{
    /* For the file's changes, and those that `extend` adds. */
    size_t room = h->times + 2 * RULE_YEARS;
    zone->at = arena_alloc(arena, room * sizeof *zone->at);
    zone->offset = arena_alloc(arena, (room + 1) * sizeof *zone->offset);
    const unsigned char *kinds = r->p + 8 * h->times, *types = kinds + h->times;
    Reader first = { types, r->end };
    zone->count = 0;
    zone->offset[0] = (int32_t)take_number(&first, 4);
    for (size_t i = 0; i < h->times; i++) {
        if (kinds[i] >= h->types)
            return false;
        Reader type = { types + 6 * (size_t)kinds[i], r->end };
        add_change(zone, take_number(r, 8), (int32_t)take_number(&type, 4));
    }
    r->p = types + 6 * h->types + h->letters + 12 * h->leaps + h->std_flags + h->utc_flags;
    return true;
}

static bool parse_zone(Arena *arena, Str file, Zone *zone)
{
    Reader r = { (const unsigned char *)file.p, (const unsigned char *)file.p + file.n };
    Header h;
    if (file.n < HEADER || file.p[4] < '2' || !take_header(&r, 4, &h))
        return false;
    r.p += h.times * 5 + h.types * 6 + h.letters + h.leaps * 8 + h.std_flags + h.utc_flags;
    if (!take_header(&r, 8, &h) || !read_changes(arena, &r, &h, zone))
        return false;
    ZoneRule rule;
    Str rest = { (const char *)r.p, (size_t)(r.end - r.p) };
    if (rest.n > 1 && parse_rule(arena_cstr(arena, (Str){ rest.p + 1, rest.n - 1 }), &rule))
        extend(zone, &rule);
    return true;
}

/* Whether it can be a name in the zone database: no path out of its folder, and none of the files there that
 * are not zones of their own. */
static bool name_is_plain(Str name)
{
    static const char *const others[] = { "Factory", "localtime", "posixrules", "leapseconds" };
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        if (str_is(name, others[i]))
            return false;
    }
    if (name.n == 0 || name.n > 64 || name.p[0] == '/' || str_starts(name, "posix/") || str_starts(name, "right/"))
        return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool ok = char_is_letter(c) || char_is_digit(c) || c == '_' || c == '+' || c == '-';
        if (!ok && (c != '/' || name.p[i - 1] == '/' || i + 1 == name.n))
            return false;
    }
    return true;
}

static bool read_file(Arena *arena, const char *path, Str *ret)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    Buf bytes;
    char piece[8192];
    ssize_t got;
    buf_init(&bytes, arena, sizeof piece);
    while ((got = read(fd, piece, sizeof piece)) > 0 && bytes.n < FILE_MAX)
        buf_add(&bytes, piece, (size_t)got);
    close(fd);
    *ret = buf_view(&bytes);
    return got == 0;
}

/* Loads the zone under exactly this name. */
static bool load_named(Arena *arena, Str name, Zone *ret)
{
    if (name.n == 0 || str_is(name, "UTC")) {
        *ret = (Zone){ .offset = arena_zalloc(arena, sizeof *ret->offset) };
        return true;
    }
    Str file;
    return name_is_plain(name) &&
           read_file(arena, arena_printf(arena, "%s/%.*s", zone_folder(), STR_ARG(name)).p, &file) &&
           parse_zone(arena, file, ret);
}

bool zone_load(Arena *arena, Str name, Zone *ret, Error *error)
{
    Str other = name;
    for (size_t n = 0; other.p || n == 0; n++) {
        if (load_named(arena, other, ret))
            return true;
        other = zone_name_other(name, n);
    }
    if (!name_is_plain(name))
        return fail(error, ERR_INVALID, "Invalid timezone: \"%.*s\"", STR_ARG(name));
    return fail(error, ERR_INVALID, "The time zone \"%.*s\" is missing on the server's machine:"
                                    " install the package tzdata there (no such file in %s)",
                STR_ARG(name), zone_folder());
}

bool zone_exists(Arena *arena, Str name)
{
    Zone zone;
    Error ignored = { .code = ERR_NONE };
    return name.n > 0 && (zone_name_is_known(name) || zone_load(arena, name, &zone, &ignored));
}

bool zone_name_stored(Arena *arena, Str name, Str *ret, Error *error)
{
    Zone ignored;
    Str stored = zone_name_of_reference(name);
    if (!stored.p)
        return fail(error, ERR_INVALID, "Invalid timezone: \"%.*s\". Prefect 2.7.12 knows no zone of this name,"
                                        " nor an older name of it", STR_ARG(name));
    if (!zone_load(arena, stored, &ignored, error))
        return false;
    *ret = stored;
    return true;
}

bool zones_are_there(Arena *arena, Error *error)
{
    Zone ignored;
    return load_named(arena, STR("Europe/London"), &ignored) ||
           fail(error, ERR_INVALID, "There are no time zones in %s: no schedule outside UTC can be planned."
                                    " Install the package tzdata, or let TZDIR name another folder", zone_folder());
}

/* ---- offsets ---- */

static int64_t floor_seconds(Time t)
{
    return t / SECOND - (t % SECOND < 0);
}

int32_t zone_offset(const Zone *zone, Time utc)
{
    int64_t seconds = floor_seconds(utc);
    size_t low = 0, high = zone->count; /* how many changes are not after it */
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (zone->at[mid] <= seconds)
            low = mid + 1;
        else
            high = mid;
    }
    return zone->offset[low];
}

static int32_t smaller(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

WallMeaning zone_wall(const Zone *zone, int64_t wall)
{
    int64_t seconds = floor_seconds(wall);
    size_t low = 0, high = zone->count; /* how many changes begin, on the wall clock, not after it */
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (zone->at[mid] + smaller(zone->offset[mid], zone->offset[mid + 1]) <= seconds)
            low = mid + 1;
        else
            high = mid;
    }
    int32_t after = zone->offset[low], before = low ? zone->offset[low - 1] : after;
    int32_t larger = before > after ? before : after;
    if (low == 0 || seconds >= zone->at[low - 1] + larger)
        return (WallMeaning){ WALL_ONCE, after, after };
    return (WallMeaning){ before < after ? WALL_NEVER : WALL_TWICE, before, after };
}

Local local_from_utc(const Zone *zone, Time utc)
{
    int32_t offset = zone_offset(zone, utc);
    Local local = { .wall = utc + offset * SECOND };
    WallMeaning meaning = zone_wall(zone, local.wall);
    local.second = meaning.kind == WALL_TWICE && offset == meaning.after;
    return local;
}

Local local_from_wall(const Zone *zone, int64_t wall)
{
    WallMeaning meaning = zone_wall(zone, wall);
    if (meaning.kind == WALL_NEVER)
        wall += (meaning.after - meaning.before) * SECOND;
    return (Local){ wall, meaning.kind == WALL_TWICE };
}

Moment local_moment(const Zone *zone, Local local)
{
    WallMeaning meaning = zone_wall(zone, local.wall);
    int32_t offset = local.second || meaning.kind == WALL_NEVER ? meaning.after : meaning.before;
    return (Moment){ local.wall - offset * SECOND, offset };
}
