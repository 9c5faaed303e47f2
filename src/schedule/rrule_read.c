/* schedule/rrule_read.c -- reads recurrence rules (RFC 5545) as dateutil's rrulestr does, with its error messages. */
#include "schedule/rrule.h"

#include <strings.h>

#include "base/text.h"

enum { INT_LIMIT = 1000000 }; /* list values are clamped to this; nothing that large selects a day */

typedef struct Reader {
    Arena *arena;
    Str original, text;  /* as sent, and in capitals */
    int64_t created;
    bool has_start, start_has_zone;
    int64_t start;
    Str *reason;
} Reader;

static bool refuse(Reader *r, const char *format, Str what)
{
    *r->reason = what.p ? arena_printf(r->arena, "%s%.*s", format, STR_ARG(what)) : str_from(format);
    return false;
}

/* Takes what comes before the next separator, and the separator. False at the end; "" has one empty piece. */
static bool take_piece(Str *rest, char separator, Str *ret)
{
    if (!rest->p)
        return false;
    size_t at = str_find(*rest, separator);
    *ret = str_cut(*rest, 0, at);
    *rest = at < rest->n ? str_cut(*rest, at + 1, rest->n) : STR_NULL;
    return true;
}

static size_t count_pieces(Str s, char separator)
{
    Str piece;
    size_t n = 0;
    while (take_piece(&s, separator, &piece))
        n++;
    return n;
}

static bool take_word(Str *s, Str *ret)
{
    size_t start = 0, end;
    while (start < s->n && char_is_python_space(s->p[start]))
        start++;
    for (end = start; end < s->n && !char_is_python_space(s->p[end]);)
        end++;
    *ret = str_cut(*s, start, end);
    *s = str_cut(*s, end, s->n);
    return end > start;
}

static Str upper(Arena *arena, Str s)
{
    char *out = arena_alloc(arena, s.n + 1);
    for (size_t i = 0; i < s.n; i++)
        out[i] = s.p[i] >= 'a' && s.p[i] <= 'z' ? (char)(s.p[i] & ~0x20) : s.p[i];
    return (Str){ out, s.n };
}

static bool starts_with(Str s, const char *prefix, Str *ret_rest)
{
    if (!str_starts(s, prefix))
        return false;
    *ret_rest = str_cut(s, strlen(prefix), s.n);
    return true;
}

/* int(text), clamped to the limit. */
static bool parse_int(Str s, int64_t limit, int64_t *ret)
{
    bool negative = s.n && s.p[0] == '-';
    size_t i = negative || (s.n && s.p[0] == '+');
    int64_t value = 0;
    if (i == s.n)
        return false;
    for (bool digit = false; i < s.n; i++) {
        if (s.p[i] == '_' && digit && i + 1 < s.n) {
            digit = false;
            continue;
        }
        digit = char_is_digit(s.p[i]);
        if (!digit)
            return false;
        value = value < limit ? 10 * value + (s.p[i] - '0') : limit;
    }
    value = value < limit ? value : limit;
    *ret = negative ? -value : value;
    return true;
}

/* ---- the parts of a rule ---- */

static const char *const frequencies[] = { "YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY" };
static const char *const weekdays[] = { "MO", "TU", "WE", "TH", "FR", "SA", "SU" };
static const char *const lists[BY_COUNT] = {
    [BY_SETPOS] = "BYSETPOS", [BY_MONTH] = "BYMONTH", [BY_MONTHDAY] = "BYMONTHDAY",
    [BY_YEARDAY] = "BYYEARDAY", [BY_EASTER] = "BYEASTER", [BY_WEEKNO] = "BYWEEKNO",
    [BY_HOUR] = "BYHOUR", [BY_MINUTE] = "BYMINUTE", [BY_SECOND] = "BYSECOND",
};

static int find_name(Str s, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (str_is(s, names[i]))
            return (int)i;
    }
    return -1;
}

/* A rule while it is being read: some parts need others to be known first. */
typedef struct Draft {
    RecurrenceRule rule;
    bool has_frequency, until_has_zone, has_days;
    size_t day_count;
    struct Day { int weekday, n; bool has_n; } *days;
} Draft;

static bool take_ints(Reader *r, Str value, Ints *ret)
{
    Str piece;
    int64_t number;
    *ret = (Ints){ .given = true, .values = arena_alloc(r->arena, count_pieces(value, ',') * sizeof(int)) };
    while (take_piece(&value, ',', &piece)) {
        if (!parse_int(piece, INT_LIMIT, &number))
            return false;
        ret->values[ret->count++] = (int)number;
    }
    return true;
}

/* "MO", "+1MO", "MO(+1)" */
static bool take_day(Str s, struct Day *ret)
{
    size_t mark = str_find(s, '('), i = 0;
    Str name, number;
    int64_t n = 0;
    if (mark < s.n) {
        name = str_cut(s, 0, mark);
        Str rest = str_cut(s, mark + 1, s.n);
        rest = str_cut(rest, 0, str_find(rest, '('));
        number = str_cut(rest, 0, rest.n ? rest.n - 1 : 0);
        if (!parse_int(number, INT_LIMIT, &n))
            return false;
    } else {
        while (i + 1 < s.n && char_in(s.p[i], "+-0123456789"))
            i++;
        number = str_cut(s, 0, i);
        name = str_cut(s, i, s.n);
        if (i > 0 && !parse_int(number, INT_LIMIT, &n))
            return false;
    }
    *ret = (struct Day){ find_name(name, weekdays, 7), (int)n, mark < s.n || i > 0 };
    return ret->weekday >= 0 && (!ret->has_n || n != 0);
}

static bool take_days(Reader *r, Draft *draft, Str value)
{
    Str piece;
    draft->has_days = true;
    draft->day_count = 0;
    draft->days = arena_alloc(r->arena, count_pieces(value, ',') * sizeof *draft->days);
    while (take_piece(&value, ',', &piece)) {
        if (!take_day(piece, &draft->days[draft->day_count++]))
            return false;
    }
    return true;
}

static bool take_frequency(Draft *draft, Str value)
{
    int index = find_name(value, frequencies, COUNT_OF(frequencies));
    draft->has_frequency = index >= 0;
    draft->rule.frequency = (Frequency)(index < 0 ? 0 : index);
    return index >= 0;
}

/* *ret_known: there is a part of that name. */
static bool take_value(Reader *r, Draft *draft, Str name, Str value, bool *ret_known)
{
    RecurrenceRule *rule = &draft->rule;
    Str ignored;
    int list = find_name(name, lists, BY_COUNT);
    *ret_known = true;
    if (list >= 0)
        return take_ints(r, value, &rule->by[list]);
    if (str_is(name, "FREQ"))
        return take_frequency(draft, value);
    if (str_is(name, "INTERVAL"))
        return parse_int(value, INT64_C(1000000000000), &rule->interval);
    if (str_is(name, "COUNT"))
        return rule->has_count = parse_int(value, INT64_C(1000000000000000), &rule->count);
    if (str_is(name, "UNTIL"))
        return rule->has_until = rrule_time_parse(r->arena, value, &rule->until, &draft->until_has_zone, &ignored);
    if (str_is(name, "BYDAY") || str_is(name, "BYWEEKDAY"))
        return take_days(r, draft, value);
    if (str_is(name, "WKST"))
        return (rule->week_start = find_name(value, weekdays, 7)) >= 0;
    *ret_known = false;
    return false;
}

static bool take_pair(Reader *r, Draft *draft, Str pair)
{
    size_t count = count_pieces(pair, '=');
    bool known;
    if (count != 2)
        return refuse(r, count < 2 ? "not enough values to unpack (expected 2, got 1)"
                                   : "too many values to unpack (expected 2)", STR_NULL);
    size_t at = str_find(pair, '=');
    Str name = str_cut(pair, 0, at), value = str_cut(pair, at + 1, pair.n);
    if (take_value(r, draft, name, value, &known))
        return true;
    if (!known)
        return refuse(r, "unknown parameter ", arena_printf(r->arena, "'%.*s'", STR_ARG(name)));
    return refuse(r, "invalid ", arena_printf(r->arena, "'%.*s': %.*s", STR_ARG(name), STR_ARG(value)));
}

/* ---- what a rule's parts mean together ---- */

static int compare_ints(const void *a, const void *b)
{
    return (*(const int *)a > *(const int *)b) - (*(const int *)a < *(const int *)b);
}

static void sort_ints(Ints *list)
{
    int n = 0;
    qsort(list->values, (size_t)list->count, sizeof *list->values, compare_ints);
    for (int i = 0; i < list->count; i++) {
        if (i == 0 || list->values[i] != list->values[n - 1])
            list->values[n++] = list->values[i];
    }
    list->count = n;
}

static void set_single(Arena *arena, Ints *list, int value)
{
    *list = (Ints){ true, 1, arena_alloc(arena, sizeof(int)) };
    list->values[0] = value;
}

/* If no day is asked for, it is the start's. */
static void fill_days(Reader *r, Draft *draft, const Civil *start)
{
    RecurrenceRule *rule = &draft->rule;
    Ints *by = rule->by;
    if (by[BY_WEEKNO].given || by[BY_YEARDAY].given || by[BY_MONTHDAY].given || by[BY_EASTER].given || draft->has_days)
        return;
    if (rule->frequency == YEARLY && !by[BY_MONTH].given)
        set_single(r->arena, &by[BY_MONTH], start->month);
    if (rule->frequency <= MONTHLY)
        set_single(r->arena, &by[BY_MONTHDAY], start->day);
    if (rule->frequency == WEEKLY)
        rule->weekdays = 1u << ((civil_days(start->year, start->month, start->day) + 3) % 7 + 7) % 7;
}

static void set_weekdays(Reader *r, Draft *draft)
{
    RecurrenceRule *rule = &draft->rule;
    rule->nth = arena_alloc(r->arena, draft->day_count * sizeof *rule->nth + 1);
    for (size_t i = 0; i < draft->day_count; i++) {
        const struct Day *day = &draft->days[i];
        if (!day->has_n || rule->frequency > MONTHLY) {
            rule->weekdays |= 1u << day->weekday;
            continue;
        }
        rule->nth[rule->nth_count].weekday = day->weekday;
        rule->nth[rule->nth_count++].n = day->n;
    }
}

static int64_t greatest_divisor(int64_t a, int64_t b)
{
    while (b) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a < 0 ? -a : a;
}

/* Keeps the hours of an hourly rule, the minutes of a minutely one, that steps from the
 * start can reach. False: none. */
static bool keep_reachable(Ints *list, int start, int64_t interval, int base)
{
    int64_t divisor = greatest_divisor(interval, base);
    int n = 0;
    for (int i = 0; i < list->count; i++) {
        if ((list->values[i] - start) % divisor == 0)
            list->values[n++] = list->values[i];
    }
    list->count = n;
    return n > 0;
}

static const char *find_time_fault(const RecurrenceRule *rule)
{
    static const int limits[] = { 23, 59, 59 };
    static const char *const words[] = {
        "hour must be in 0..23", "minute must be in 0..59", "second must be in 0..59",
    };
    for (int i = 0; i < 3; i++) { /* the earliest time */
        if (rule->by[BY_HOUR + i].values[0] < 0 || rule->by[BY_HOUR + i].values[0] > limits[i])
            return words[i];
    }
    for (int i = 2; i >= 0; i--) {
        const Ints *list = &rule->by[BY_HOUR + i];
        if (list->values[list->count - 1] > limits[i])
            return words[i];
    }
    return NULL;
}

static bool set_times(Reader *r, RecurrenceRule *rule, const Civil *start)
{
    const int own[] = { start->hour, start->minute, start->second }, bases[] = { 24, 60, 60 };
    /* what the rule can reach is not known yet */
    bool begins_later = !r->has_start && rule->has_count && r->created == TIME_NULL;
    for (int i = 0; i < 3; i++) {
        Ints *list = &rule->by[BY_HOUR + i];
        Frequency unit = (Frequency)(HOURLY + i);
        if (!list->given && rule->frequency < unit)
            set_single(r->arena, list, own[i]);
        if (!list->given)
            continue;
        sort_ints(list);
        if (rule->frequency == unit && !keep_reachable(list, own[i], rule->interval, bases[i]) && !begins_later)
            return refuse(r, "Invalid rrule byxxx generates an empty set.", STR_NULL);
    }
    const char *fault = rule->frequency < HOURLY ? find_time_fault(rule) : NULL;
    return !fault || refuse(r, fault, STR_NULL);
}

static bool check_positions(Reader *r, const Ints *positions)
{
    for (int i = 0; i < positions->count; i++) {
        if (positions->values[i] == 0 || positions->values[i] < -366 || positions->values[i] > 366)
            return refuse(r, "bysetpos must be between 1 and 366, or between -366 and -1", STR_NULL);
    }
    return true;
}

static bool finish_rule(Reader *r, Draft *draft)
{
    RecurrenceRule *rule = &draft->rule;
    if (!draft->has_frequency) {
        *r->reason = STR_NULL;
        return false;
    }
    if (rule->has_until && r->has_start && r->start_has_zone != draft->until_has_zone)
        return refuse(r, "RRULE UNTIL values must be specified in UTC when DTSTART is timezone-aware", STR_NULL);
    rule->start = r->has_start ? r->start : rule->has_count && r->created != TIME_NULL ? r->created : RRULE_ANCHOR;
    rule->start -= (rule->start % SECOND + SECOND) % SECOND;
    Civil start = civil_from_time(rule->start, 0);
    fill_days(r, draft, &start);
    set_weekdays(r, draft);
    return check_positions(r, &rule->by[BY_SETPOS]) && set_times(r, rule, &start);
}

/* "FREQ=…", with or without "RRULE:". */
static bool parse_rule(Reader *r, Str line, RecurrenceRule *ret)
{
    Draft draft = { .rule = { .interval = 1 } };
    Str pair;
    size_t colons = count_pieces(line, ':') - 1;
    if (colons > 1)
        return refuse(r, "too many values to unpack (expected 2)", STR_NULL);
    if (colons == 1 && !starts_with(line, "RRULE:", &line))
        return refuse(r, "unknown parameter name", STR_NULL);
    while (take_piece(&line, ';', &pair)) {
        if (!take_pair(r, &draft, pair))
            return false;
    }
    if (!finish_rule(r, &draft))
        return false;
    *ret = draft.rule;
    return true;
}

/* ---- several lines ---- */

/* Looks the name up as it was sent: in capitals it names no zone. Only a TZID that ends its property counts, and only
 * that of a zone that exists. */
static bool zone_is_known(Reader *r, Str name)
{
    Str mark = STR("TZID=");
    for (size_t i = 0; i + mark.n + name.n < r->original.n; i++) {
        Str rest = str_cut(r->original, i, r->original.n);
        if (str_starts(rest, "TZID=") && strncasecmp(rest.p + mark.n, name.p, name.n) == 0 &&
            rest.p[mark.n + name.n] == ':')
            return zone_exists(r->arena, str_cut(rest, mark.n, mark.n + name.n));
    }
    return false;
}

static bool take_parameters(Reader *r, Str parameters, bool *ret_zone)
{
    Str parameter, zone;
    bool has_value = false;
    *ret_zone = false;
    while (take_piece(&parameters, ';', &parameter)) {
        if (starts_with(parameter, "TZID=", &zone)) {
            *ret_zone |= zone_is_known(r, zone);
            continue;
        }
        if (!str_is(parameter, "VALUE=DATE-TIME") && !str_is(parameter, "VALUE=DATE"))
            return refuse(r, "unsupported parm: ", parameter);
        if (has_value)
            return refuse(r, "Duplicate value parameter found in: ", parameter);
        has_value = true;
    }
    return true;
}

/* Dates separated by commas; `ret` has room for all of them. */
static bool take_dates(Reader *r, Str value, bool zone, int64_t *ret, bool *ret_has_zone)
{
    Str piece;
    while (take_piece(&value, ',', &piece)) {
        bool has_zone;
        if (!rrule_time_parse(r->arena, piece, ret++, &has_zone, r->reason))
            return false;
        if (zone && has_zone)
            return refuse(r, "DTSTART/EXDATE specifies multiple timezone", STR_NULL);
        *ret_has_zone = zone || has_zone;
    }
    return true;
}

static bool take_start(Reader *r, Str parameters, Str value)
{
    bool zone;
    int64_t *dates = arena_alloc(r->arena, count_pieces(value, ',') * sizeof *dates);
    if (!take_parameters(r, parameters, &zone) || !take_dates(r, value, zone, dates, &r->start_has_zone))
        return false;
    if (str_find(value, ',') < value.n)
        return refuse(r, "Multiple DTSTART values specified:", value);
    r->has_start = true;
    r->start = dates[0];
    return true;
}

/* The lines by what they are, kept until DTSTART is known. */
typedef struct Lines {
    size_t rule_count, exrule_count, rdate_count;
    Str *rules, *exrules, *rdates;
    RuleSet *set;
} Lines;

static bool no_parameters(Reader *r, const char *words, Str parameters, const char *allowed)
{
    Str parameter;
    while (take_piece(&parameters, ';', &parameter)) {
        if (!allowed || !str_is(parameter, allowed))
            return refuse(r, words, parameter);
    }
    return true;
}

static bool take_exdates(Reader *r, RuleSet *set, Str parameters, Str value)
{
    bool zone, ignored;
    if (!take_parameters(r, parameters, &zone) ||
        !take_dates(r, value, zone, set->exdates + set->exdate_count, &ignored))
        return false;
    set->exdate_count += count_pieces(value, ',');
    return true;
}

static bool take_line(Reader *r, Lines *lines, Str line)
{
    size_t colon = str_find(line, ':');
    Str name = colon < line.n ? str_cut(line, 0, colon) : STR("RRULE");
    Str value = colon < line.n ? str_cut(line, colon + 1, line.n) : line;
    Str parameters = name, property;
    (void)take_piece(&parameters, ';', &property);
    if (str_is(property, "RRULE")) {
        lines->rules[lines->rule_count++] = value;
        return no_parameters(r, "unsupported RRULE parm: ", parameters, NULL);
    }
    if (str_is(property, "DTSTART"))
        return take_start(r, parameters, value);
    if (str_is(property, "RDATE")) {
        lines->rdates[lines->rdate_count++] = value;
        return no_parameters(r, "unsupported RDATE parm: ", parameters, "VALUE=DATE-TIME");
    }
    if (str_is(property, "EXRULE")) {
        lines->exrules[lines->exrule_count++] = value;
        return no_parameters(r, "unsupported EXRULE parm: ", parameters, NULL);
    }
    if (str_is(property, "EXDATE"))
        return take_exdates(r, lines->set, parameters, value);
    return refuse(r, "unsupported property: ", property);
}

static bool parse_rules(Reader *r, const Str *lines, size_t count, RecurrenceRule **ret)
{
    *ret = arena_zalloc(r->arena, count * sizeof **ret + 1);
    for (size_t i = 0; i < count; i++) {
        if (!parse_rule(r, lines[i], &(*ret)[i]))
            return false;
    }
    return true;
}

static bool parse_rdates(Reader *r, const Str *lines, size_t count, RuleSet *set)
{
    size_t room = 1;
    bool ignored;
    for (size_t i = 0; i < count; i++)
        room += count_pieces(lines[i], ',');
    set->rdates = arena_alloc(r->arena, room * sizeof *set->rdates);
    for (size_t i = 0; i < count; i++) {
        if (!take_dates(r, lines[i], false, set->rdates + set->rdate_count, &ignored))
            return false;
        set->rdate_count += count_pieces(lines[i], ',');
    }
    return true;
}

static int compare_times(const void *a, const void *b)
{
    return (*(const int64_t *)a > *(const int64_t *)b) - (*(const int64_t *)a < *(const int64_t *)b);
}

static void sort_times(int64_t *times, size_t count)
{
    if (count)
        qsort(times, count, sizeof *times, compare_times);
}

static bool parse_lines(Reader *r, size_t most, RuleSet *set)
{
    Lines lines = { .set = set };
    Str rest = r->text, line;
    lines.rules = arena_alloc(r->arena, most * sizeof(Str));
    lines.exrules = arena_alloc(r->arena, most * sizeof(Str));
    lines.rdates = arena_alloc(r->arena, most * sizeof(Str));
    set->exdates = arena_alloc(r->arena, (most + count_pieces(r->text, ',')) * sizeof *set->exdates);
    while (take_word(&rest, &line)) {
        if (!take_line(r, &lines, line))
            return false;
    }
    if (lines.rule_count == 0 && lines.exrule_count == 0 && lines.rdate_count == 0 && set->exdate_count == 0)
        return refuse(r, "there is no rule", STR_NULL);
    if (!parse_rules(r, lines.rules, lines.rule_count, &set->rules) ||
        !parse_rdates(r, lines.rdates, lines.rdate_count, set) ||
        !parse_rules(r, lines.exrules, lines.exrule_count, &set->exrules))
        return false;
    set->rule_count = lines.rule_count;
    set->exrule_count = lines.exrule_count;
    sort_times(set->rdates, set->rdate_count);
    sort_times(set->exdates, set->exdate_count);
    return true;
}

static bool parse_single(Reader *r, Str line, RuleSet *set)
{
    set->rules = arena_zalloc(r->arena, sizeof *set->rules);
    set->rule_count = 1;
    return parse_rule(r, line, set->rules);
}

bool rrule_parse(Arena *arena, Str text, int64_t created, RuleSet *ret, Str *ret_reason)
{
    Reader r = { .arena = arena, .original = text, .created = created, .reason = ret_reason };
    r.text = upper(arena, text);
    Str rest = r.text, line, first = STR_NULL;
    size_t count = 0;
    *ret = (RuleSet){ 0 };
    while (take_word(&rest, &line)) {
        if (count++ == 0)
            first = line;
    }
    if (count == 0)
        return refuse(&r, "empty string", STR_NULL);
    if (count == 1 && (str_find(r.text, ':') == r.text.n || str_starts(r.text, "RRULE:")))
        return parse_single(&r, first, ret);
    return parse_lines(&r, count, ret);
}

bool rrule_check(Arena *arena, Str rrule, Str *ret_reason)
{
    RuleSet set;
    return rrule_parse(arena, rrule, TIME_NULL, &set, ret_reason);
}
