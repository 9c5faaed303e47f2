/* schedule/rrule_dates.c -- the dates of recurrence rules. A rule is a sequence of periods (years … seconds),
 * each with days and times in it. Rules without COUNT are entered shortly before the dates asked for; all
 * work draws on one budget. */
#include "schedule/rrule.h"

/* A step takes 10 to 30 ns. STEPS_MAX is enough for all weeks of 8,000 years, and many times
 * over for all days of 128. */
enum { DAY_SECONDS = 86400, STEPS_MAX = 3000000, PERIOD_STEPS = 4 };

typedef struct Budget {
    int64_t steps;       /* left */
    int64_t from, limit; /* seconds on the wall clock: only what is between them matters */
} Budget;

/* The dates of one rule, or of a list, one after another, for one walk: `current` is the next one, unless `done`. */
typedef struct Stream {
    Budget *budget;
    const int64_t *list;   /* RDATE and EXDATE */
    size_t list_left;
    const RecurrenceRule *rule;
    bool done;
    int64_t current;       /* microseconds on the wall clock */
    int64_t left;          /* of COUNT */
    int64_t limit;         /* the second on the wall clock after which there is nothing: the budget's, or UNTIL */
    int64_t period;        /* years to days: its number; finer ones: its second on the wall clock */
    YearDays *days;
    int day, end;          /* in the period: the current day of the year, and the first after it */
    int time, time_count;  /* the current time of that day, of how many */
    int own[3];            /* hour, minute and second of the period, if it is finer than a day */
    Ints times[3];
    uint64_t allowed[3];   /* a bit for each hour, minute and second that a finer period may have */
    int64_t *chosen;       /* BYSETPOS: the period's dates; NULL without */
    int chosen_count, chosen_next;
    int64_t checked_day;   /* finer periods: the day last looked at, and whether the rule selects it */
    bool checked_good;
} Stream;

static int64_t start_second(const RecurrenceRule *rule)
{
    return floor_div(rule->start, SECOND);
}

static int64_t unit_seconds(const RecurrenceRule *rule)
{
    return rule->frequency == HOURLY ? 3600 : rule->frequency == MINUTELY ? 60 : 1;
}

static bool pay(Stream *s)
{
    return s->budget->steps-- > 0;
}

/* ---- periods ---- */

/* Monday 0 */
static int weekday_of(int64_t day)
{
    return (int)(((day + 3) % 7 + 7) % 7);
}

static int days_into_week(const RecurrenceRule *rule, int64_t day)
{
    return (weekday_of(day) - rule->week_start + 7) % 7;
}

/* Sets the year's masks for a period that begins on `day` and has `length` days. */
static bool set_span(Stream *s, int64_t day, int length)
{
    Civil c = { 0 };
    if (day * DAY_SECONDS > s->limit)
        return false;
    civil_from_days(day, &c);
    if (!year_days_set(s->days, s->rule, c.year, &s->budget->steps) || s->days->now.failing >> c.month & 1)
        return false;
    s->day = (int)(day - s->days->first);
    s->end = s->day + length;
    return true;
}

/* Sets the masks for period number s->period, of years to days. False: there are no more. */
static bool set_coarse_period(Stream *s)
{
    const RecurrenceRule *rule = s->rule;
    int64_t day = floor_div(start_second(rule), DAY_SECONDS), moved = s->period * rule->interval;
    Civil c = { 0 };
    civil_from_days(day, &c);
    switch (rule->frequency) {
    case YEARLY:
        if (c.year + moved > 9999)
            return false;
        c.year += (int)moved;
        return set_span(s, civil_days(c.year, 1, 1), 365 + civil_is_leap(c.year));
    case MONTHLY:
        moved += c.year * INT64_C(12) + c.month - 1;
        if (moved >= INT64_C(120000))
            return false;
        c.year = (int)(moved / 12);
        c.month = (int)(moved % 12) + 1;
        return set_span(s, civil_days(c.year, c.month, 1), civil_month_days(c.year, c.month));
    case WEEKLY:
        if (s->period > 0) /* the first week begins with the start */
            day += moved * 7 - days_into_week(rule, day);
        break;
    default:
        day += moved;
        break;
    }
    if (day > s->limit / DAY_SECONDS)
        return false;
    return set_span(s, day, rule->frequency == WEEKLY ? 7 - days_into_week(rule, day) : 1);
}

/* How many units of the rule's frequency lie between its start and that day; weeks begin at WKST. */
static int64_t units_until(const RecurrenceRule *rule, int64_t day)
{
    int64_t start = floor_div(start_second(rule), DAY_SECONDS);
    Civil a = { 0 }, b = { 0 };
    civil_from_days(start, &a);
    civil_from_days(day, &b);
    switch (rule->frequency) {
    case YEARLY:
        return b.year - a.year;
    case MONTHLY:
        return (b.year - a.year) * 12 + b.month - a.month;
    case WEEKLY:
        return (day - start + days_into_week(rule, start)) / 7;
    default:
        return day - start;
    }
}

/* The next day from that index on that the rule selects, counted from 1970; if the year has none,
 * the first of the next year. */
static int64_t next_good_day(const Stream *s, int index)
{
    int next = year_days_next(s->days, index);
    return s->days->first + (next < s->days->length ? next : s->days->length);
}

/* Years to days: the first period from the current one on that has days. */
static bool begin_coarse_period(Stream *s)
{
    int64_t interval = s->rule->interval;
    /* Invariant: no period before the current one has days. Each round passes over those that certainly have none. */
    for (;;) {
        s->budget->steps -= PERIOD_STEPS;
        if (s->budget->steps <= 0 || !set_coarse_period(s))
            return false;
        if (year_days_next(s->days, s->day) < s->end)
            return true;
        if (interval <= 0)
            return false;
        int64_t target = s->period + 1;
        if (!s->days->now.failing)
            target = (units_until(s->rule, next_good_day(s, s->day)) + interval - 1) / interval;
        /* at least one on: the next year's first day may lie in this very week */
        s->period = target > s->period ? target : s->period + 1;
    }
}

static bool day_is_good(Stream *s, int64_t day)
{
    if (day != s->checked_day) {
        s->checked_day = day;
        if (!set_span(s, day, 1)) {
            s->done = true;
            return false;
        }
        s->checked_good = year_days_next(s->days, s->day) == s->day;
    }
    return s->checked_good;
}

/* 0 if the rule selects the current period; else the earliest second at which it may select one again: the next
 * good day, hour or minute. */
static int64_t next_chance(Stream *s)
{
    int64_t at = s->period, day = floor_div(at, DAY_SECONDS);
    int second = (int)(at - day * DAY_SECONDS);
    s->own[0] = second / 3600;
    s->own[1] = second / 60 % 60;
    s->own[2] = second % 60;
    if (!day_is_good(s, day))
        return next_good_day(s, s->day + 1) * DAY_SECONDS;
    if (!(s->allowed[0] >> s->own[0] & 1))
        return at - second % 3600 + 3600;
    if (!(s->allowed[1] >> s->own[1] & 1))
        return at - second % 60 + 60;
    if (!(s->allowed[2] >> s->own[2] & 1))
        return at + 1;
    return 0;
}

/* Hours to seconds: the first period from the current one on that the rule selects. */
static bool set_fine_period(Stream *s)
{
    int64_t step = s->rule->interval * unit_seconds(s->rule);
    /* Invariant: the period is a whole number of steps from the rule's start, and none before it is selected. */
    for (;;) {
        if (s->period > s->limit || !pay(s))
            return false;
        int64_t target = next_chance(s);
        if (s->done || (target && step <= 0))
            return false;
        if (target == 0)
            break;
        s->period += (target - s->period + step - 1) / step * step;
    }
    s->day = (int)(s->checked_day - s->days->first);
    s->end = s->day + 1;
    return true;
}

static int64_t wall_at(const Stream *s, int day, int time)
{
    int seconds = s->times[2].count, minutes = s->times[1].count;
    int hour = s->times[0].values[time / (minutes * seconds)], minute = s->times[1].values[time / seconds % minutes];
    return (s->days->first + day) * DAY_SECONDS + hour * 3600 + minute * 60 + s->times[2].values[time % seconds];
}

static int compare_times(const void *a, const void *b)
{
    return (*(const int64_t *)a > *(const int64_t *)b) - (*(const int64_t *)a < *(const int64_t *)b);
}

/* BYSETPOS: some of the period's dates, by their position from its start or end. */
static void choose(Stream *s)
{
    const Ints *positions = &s->rule->by[BY_SETPOS];
    int days[373], count = 0;
    while ((s->day = year_days_next(s->days, s->day)) < s->end)
        days[count++] = s->day++;
    s->budget->steps -= count + 2 * positions->count; /* sorting is expensive */
    s->chosen_count = s->chosen_next = 0;
    for (int i = 0; i < positions->count && s->time_count; i++) {
        int position = positions->values[i] < 0 ? positions->values[i] : positions->values[i] - 1;
        int day = (int)floor_div(position, s->time_count), time = position - day * s->time_count;
        day = day < 0 ? day + count : day;
        if (day >= 0 && day < count)
            s->chosen[s->chosen_count++] = wall_at(s, days[day], time);
    }
    qsort(s->chosen, (size_t)s->chosen_count, sizeof *s->chosen, compare_times);
    int kept = 0;
    for (int i = 0; i < s->chosen_count; i++) {
        if (i == 0 || s->chosen[i] != s->chosen[kept - 1])
            s->chosen[kept++] = s->chosen[i];
    }
    s->chosen_count = kept;
}

static bool begin_period(Stream *s)
{
    if (!(s->rule->frequency < HOURLY ? begin_coarse_period(s) : set_fine_period(s)))
        return false;
    s->time = 0;
    if (s->chosen)
        choose(s);
    return true;
}

static bool next_period(Stream *s)
{
    if (s->rule->interval <= 0) /* would stay in the same period forever */
        return false;
    s->period += s->rule->frequency < HOURLY ? 1 : s->rule->interval * unit_seconds(s->rule);
    return begin_period(s);
}

/* ---- dates in a period ---- */

/* A day before all dates of interest need not be walked; its dates still count towards COUNT. */
static bool skip_day(Stream *s)
{
    const RecurrenceRule *rule = s->rule;
    int64_t day = (s->days->first + s->day) * DAY_SECONDS, end = day + DAY_SECONDS;
    if (end > s->budget->from || day < start_second(rule) || (rule->has_until && end * SECOND > rule->until))
        return false;
    if (rule->has_count && s->left <= s->time_count)
        return false;
    s->left -= s->time_count;
    return true;
}

static bool next_in_period(Stream *s, int64_t *ret)
{
    if (s->chosen) {
        if (s->chosen_next == s->chosen_count)
            return false;
        *ret = s->chosen[s->chosen_next++];
        return true;
    }
    for (; (s->day = year_days_next(s->days, s->day)) < s->end; s->day++, s->time = 0) {
        if (!pay(s))
            return false;
        if (s->time == 0 && skip_day(s))
            continue;
        if (s->time < s->time_count) {
            *ret = wall_at(s, s->day, s->time++);
            return true;
        }
    }
    return false;
}

static void next_of_list(Stream *s)
{
    s->done = s->list_left == 0;
    if (s->done)
        return;
    s->current = *s->list++;
    s->list_left--;
}

static void next_of_stream(Stream *s)
{
    int64_t wall;
    if (!s->rule) {
        next_of_list(s);
        return;
    }
    while (!s->done) {
        if (!next_in_period(s, &wall)) {
            s->done = !next_period(s);
            continue;
        }
        s->current = wall * SECOND;
        if (s->rule->has_until && s->current > s->rule->until)
            s->done = true;
        if (s->done || s->current < s->rule->start)
            continue;
        s->done = s->rule->has_count && s->left-- <= 0;
        return;
    }
}

/* ---- beginning ---- */

/* Enters the rule shortly before what is of interest; one period earlier is early enough. */
static void enter_rule(Stream *s)
{
    const RecurrenceRule *rule = s->rule;
    int64_t from = s->budget->from, start = start_second(rule);
    bool jumps = !rule->has_count && rule->interval > 0 && from > start;
    if (rule->frequency < HOURLY) {
        int64_t periods = jumps ? units_until(rule, floor_div(from, DAY_SECONDS)) / rule->interval - 1 : 0;
        s->period = periods > 0 ? periods : 0;
        return;
    }
    int64_t unit = unit_seconds(rule), step = unit * rule->interval;
    s->period = start - (start % unit + unit) % unit;
    if (jumps)
        s->period += (from - s->period) / step * step;
}

/* False: the rule has times that do not exist. dateutil fails on them while it walks, so it has no dates. */
static bool times_are_valid(const Stream *s)
{
    static const int limits[] = { 23, 59, 59 };
    for (int i = 0; i < 3; i++) {
        const Ints *list = &s->times[i];
        if (list->count && (list->values[0] < 0 || list->values[list->count - 1] > limits[i]))
            return false;
    }
    return true;
}

/* BYSETPOS may only ask for positions that no period has. */
static bool positions_exist(const Stream *s)
{
    static const int most_days[] = { 366, 31, 7, 1, 1, 1, 1 };
    const Ints *positions = &s->rule->by[BY_SETPOS];
    for (int i = 0; i < positions->count; i++) {
        if (abs(positions->values[i]) <= (int64_t)most_days[s->rule->frequency] * s->time_count)
            return true;
    }
    return !positions->given;
}

static uint64_t bits_of(const Ints *list)
{
    uint64_t bits = list->given ? 0 : UINT64_MAX;
    for (int i = 0; i < list->count; i++) {
        if (list->values[i] >= 0 && list->values[i] < 64)
            bits |= UINT64_C(1) << list->values[i];
    }
    return bits;
}

static void open_rule(Arena *arena, Budget *budget, const RecurrenceRule *rule, Stream *s)
{
    *s = (Stream){ .budget = budget, .rule = rule, .left = rule->count, .checked_day = INT64_MIN };
    s->limit = budget->limit;
    if (rule->has_until && floor_div(rule->until, SECOND) < s->limit)
        s->limit = floor_div(rule->until, SECOND);
    s->days = arena_new_of(arena, YearDays);
    s->time_count = 1;
    for (int i = 0; i < 3; i++) {
        s->times[i] = (int)rule->frequency >= HOURLY + i ? (Ints){ true, 1, &s->own[i] } : rule->by[BY_HOUR + i];
        s->time_count *= s->times[i].count;
        s->allowed[i] = (int)rule->frequency >= HOURLY + i ? bits_of(&rule->by[BY_HOUR + i]) : UINT64_MAX;
    }
    if (rule->by[BY_SETPOS].given)
        s->chosen = arena_alloc(arena, (size_t)rule->by[BY_SETPOS].count * sizeof *s->chosen);
    enter_rule(s);
    s->done = !times_are_valid(s) || !positions_exist(s) || !begin_period(s);
    next_of_stream(s);
}

static Stream *open_streams(Arena *arena, Budget *budget, const RecurrenceRule *rules, size_t rule_count,
                            const int64_t *list, size_t list_count)
{
    Stream *streams = arena_zalloc(arena, (rule_count + 1) * sizeof *streams);
    for (size_t i = 0; i < rule_count; i++)
        open_rule(arena, budget, &rules[i], &streams[i]);
    streams[rule_count] = (Stream){ .budget = budget, .list = list, .list_left = list_count };
    next_of_stream(&streams[rule_count]);
    return streams;
}

/* The one with the earliest date; NULL if all are at their end. */
static Stream *earliest(Stream *streams, size_t count)
{
    Stream *best = NULL;
    for (size_t i = 0; i < count; i++) {
        if (!streams[i].done && (!best || streams[i].current < best->current))
            best = &streams[i];
    }
    return best;
}

/* Moves the streams up to `wall`, which must not be before the last one asked for. */
static bool is_excluded(Stream *streams, size_t count, int64_t wall)
{
    Stream *next;
    while ((next = earliest(streams, count)) && next->current < wall) {
        next->budget->steps -= (int64_t)count / 2;
        next_of_stream(next);
    }
    return next && next->current == wall;
}

/* Of two instants, dateutil takes the earlier; for a time that the clocks skip, the offset after it. */
static bool add_wall(Dates *dates, int64_t wall)
{
    WallMeaning meaning = zone_wall(&dates->zone, wall);
    int32_t offset = meaning.kind == WALL_NEVER ? meaning.after : meaning.before;
    Time us = wall - offset * SECOND;
    return us < dates->start || dates_add(dates, local_from_utc(&dates->zone, us));
}

/* The earliest second that the wall clock may show at or after the start, whatever clock changes are near. */
static int64_t earliest_wall(const Dates *dates)
{
    int32_t least = zone_offset(&dates->zone, dates->start);
    for (int i = -2; i <= 2; i += 4) {
        int32_t offset = zone_offset(&dates->zone, dates->start + i * DAY_US);
        least = offset < least ? offset : least;
    }
    return floor_div(dates->start, SECOND) + least;
}

/* Adds the dates up to budget->limit, all of them certain: EXRULEs were followed as far. False: more are wanted. */
static bool walk(Dates *dates, const RuleSet *set, Budget *budget)
{
    size_t in_count = set->rule_count + 1, out_count = set->exrule_count + 1;
    Stream *in = open_streams(dates->arena, budget, set->rules, set->rule_count, set->rdates, set->rdate_count);
    Stream *out = open_streams(dates->arena, budget, set->exrules, set->exrule_count, set->exdates, set->exdate_count);
    int64_t previous = INT64_MIN;
    Stream *next;
    /* Invariant: everything before `previous` is decided. Streams ascend, and those of EXRULEs and
     * EXDATEs are never behind it. */
    while ((next = earliest(in, in_count)) && budget->steps > 0 && floor_div(next->current, SECOND) <= budget->limit) {
        int64_t wall = next->current;
        budget->steps -= (int64_t)(in_count + out_count) / 2;
        bool excluded = wall == previous || is_excluded(out, out_count, wall);
        if (budget->steps <= 0) /* the EXRULEs were not followed to the end */
            return false;
        if (!excluded && !add_wall(dates, wall))
            return true;
        previous = wall;
        next_of_stream(next);
    }
    return false;
}

/* A rule without dates, or an EXRULE that never excludes anything, would be searched to the end of all years
 * before the first date of the others is certain. So the near years come first; what was found in them is kept if
 * a longer walk costs too much. */
void rrule_dates(Dates *dates, const RuleSet *set)
{
    static const int64_t spans[] = { 4 * 366 * (int64_t)DAY_SECONDS, 128 * 366 * (int64_t)DAY_SECONDS, INT64_MAX / 2 };
    const int64_t from = earliest_wall(dates);
    int64_t last = INT64_C(253402300799); /* 9999-12-31T23:59:59 */
    if (dates->end_wall / SECOND < last - DAY_SECONDS)
        last = dates->end_wall / SECOND + DAY_SECONDS;
    Budget budget = { .steps = STEPS_MAX, .from = from };
    bool is_alone = set->rule_count + set->exrule_count + (set->rdate_count > 0) <= 1;
    for (size_t i = is_alone ? COUNT_OF(spans) - 1 : 0; i < COUNT_OF(spans); i++) {
        budget.limit = from + spans[i] < last ? from + spans[i] : last;
        size_t sure = dates->count;
        dates->count = dates->tries = 0;
        bool is_done = walk(dates, set, &budget);
        if (dates->count < sure)
            dates->count = sure; /* they are still there: each walk begins with the same dates */
        if (is_done || budget.limit == last || budget.steps <= 0)
            return;
    }
}
