/* schedule/rrule_time.c -- dates in recurrence rules. dateutil guesses at anything that looks like a date; here are the
 * forms of RFC 5545 and ISO 8601, which it reads the same way. */
#include "schedule/rrule.h"

#include "base/text.h"

typedef struct Scan { const char *p, *end; } Scan;

static bool take_char(Scan *s, char c)
{
    if (s->p == s->end || *s->p != c)
        return false;
    s->p++;
    return true;
}

static int count_digits(const Scan *s)
{
    const char *p = s->p;
    while (p < s->end && char_is_digit(*p))
        p++;
    return (int)(p - s->p);
}

static int take_digits(Scan *s, int n)
{
    int value = 0;
    while (n-- > 0)
        value = 10 * value + (*s->p++ - '0');
    return value;
}

/* One or two digits after a separator. */
static bool take_part(Scan *s, char separator, int *ret)
{
    if (!take_char(s, separator))
        return false;
    int n = count_digits(s);
    if (n < 1 || n > 2)
        return false;
    *ret = take_digits(s, n);
    return true;
}

static bool take_fraction(Scan *s, int *ret_micro)
{
    *ret_micro = 0;
    if (!take_char(s, '.'))
        return true;
    int n = count_digits(s), value = 0;
    if (n == 0)
        return false;
    for (int i = 0; i < 6; i++)
        value = 10 * value + (i < n ? s->p[i] - '0' : 0);
    s->p += n;
    *ret_micro = value;
    return true;
}

/* "T12", "T1230", "T123000.5", "T12:30:00.5" */
static bool take_clock(Scan *s, Civil *c)
{
    int n = count_digits(s);
    if (n != 1 && n != 2 && n != 4 && n != 6)
        return false;
    c->hour = take_digits(s, n < 2 ? n : 2);
    if (n == 4 || n == 6)
        c->minute = take_digits(s, 2);
    if (n == 6) {
        c->second = take_digits(s, 2);
        return take_fraction(s, &c->micro);
    }
    if (n > 2)
        return true;
    if (!take_part(s, ':', &c->minute))
        return n == 2;
    if (s->p < s->end && *s->p == ':')
        return take_part(s, ':', &c->second) && take_fraction(s, &c->micro);
    return true;
}

/* "Z", "+0530", "+05:30", "-05": only whether there is a zone matters. */
static bool take_zone(Scan *s, bool *ret)
{
    static const char *const names[] = { "Z", "UTC", "GMT" };
    Str rest = { s->p, (size_t)(s->end - s->p) };
    *ret = rest.n > 0;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (str_is(rest, names[i]))
            return true;
    }
    if (rest.n == 0)
        return true;
    if (!take_char(s, '+') && !take_char(s, '-'))
        return false;
    int n = count_digits(s), minutes;
    if (n != 2 && n != 4)
        return false;
    s->p += n;
    return s->p == s->end || (n == 2 && take_part(s, ':', &minutes) && s->p == s->end);
}

/* *ret_year: the digits of a number that could only be a year, and is out of range. */
static bool take_date(Scan *s, Civil *c, Str *ret_year)
{
    int n = count_digits(s);
    if (n == 5 || n == 7 || (n > 8 && n < 19 && n != 12 && n != 14)) {
        *ret_year = (Str){ s->p, (size_t)n };
        s->p += n;
        return true;
    }
    if (n == 4) {
        c->year = take_digits(s, 4);
        char separator = s->p < s->end && *s->p == '/' ? '/' : '-';
        return take_part(s, separator, &c->month) && take_part(s, separator, &c->day);
    }
    if (n != 8 && n != 12 && n != 14)
        return false;
    c->year = take_digits(s, 4);
    c->month = take_digits(s, 2);
    c->day = take_digits(s, 2);
    c->hour = n > 8 ? take_digits(s, 2) : 0;
    c->minute = n > 8 ? take_digits(s, 2) : 0;
    c->second = n > 12 ? take_digits(s, 2) : 0;
    return true;
}

/* Python's message for an invalid date; NULL if it is valid. */
static const char *find_fault(const Civil *c)
{
    if (c->year < 1)
        return "year 0 is out of range";
    if (c->month < 1 || c->month > 12)
        return "month must be in 1..12";
    if (c->day < 1 || c->day > civil_month_days(c->year, c->month))
        return "day is out of range for month";
    if (c->hour > 23)
        return "hour must be in 0..23";
    if (c->minute > 59)
        return "minute must be in 0..59";
    return c->second > 59 ? "second must be in 0..59" : NULL;
}

bool rrule_time_parse(Arena *arena, Str text, int64_t *ret_wall, bool *ret_has_zone, Str *ret_reason)
{
    Scan s = { text.p, text.p + text.n };
    Civil c = { 0 };
    const char *fault = text.n ? "Unknown string format" : "String does not contain a date";
    Str year = STR_NULL;
    bool ok = take_date(&s, &c, &year) && (!take_char(&s, 'T') || s.p == s.end || take_clock(&s, &c)) &&
              take_zone(&s, ret_has_zone);
    while (year.n > 1 && year.p[0] == '0')
        year.p++, year.n--;
    if (ok)
        fault = year.p ? arena_printf(arena, "year %.*s is out of range", STR_ARG(year)).p : find_fault(&c);
    if (fault) {
        *ret_reason = arena_printf(arena, "%s: %.*s", fault, STR_ARG(text));
        return false;
    }
    *ret_wall = civil_to_time(&c);
    return true;
}
