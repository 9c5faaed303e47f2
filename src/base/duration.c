/* base/duration.c -- durations from text, as pydantic 1 reads them. Numbers go through double and are rounded as
 * Python's timedelta does, so that the same text means the same microsecond. */
#include "base/clock.h"

#include <math.h>

typedef struct Parts { double days, hours, minutes, seconds, micros; } Parts;

typedef struct Scan { const char *p; } Scan; /* over a terminated copy */

enum { TEXT_MAX = 8191 };

static bool take_char(Scan *s, char c)
{
    if (*s->p != c)
        return false;
    s->p++;
    return true;
}

static size_t count_digits(const char *p)
{
    return strspn(p, "0123456789");
}

/* "-12": an integer; *ret_negative is set for "-0" too. */
static bool take_whole(Scan *s, double *ret, bool *ret_negative)
{
    Scan try = *s;
    bool negative = take_char(&try, '-');
    const char *end = try.p + count_digits(try.p);
    if (end == try.p)
        return false;
    double value = 0;
    while (try.p < end)
        value = 10 * value + (*try.p++ - '0');
    *ret = negative ? -value : value;
    *ret_negative = negative;
    *s = try;
    return true;
}

/* The same, but only if `mark` follows. */
static bool take_whole_before(Scan *s, char mark, double *ret)
{
    Scan try = *s;
    double value;
    bool negative;
    if (!take_whole(&try, &value, &negative) || !take_char(&try, mark))
        return false;
    *ret = value;
    *s = try;
    return true;
}

static bool take_days(Scan *s, double *ret)
{
    if (!take_whole_before(s, ' ', ret))
        return false;
    if (strncmp(s->p, "day, ", 5) == 0)
        s->p += 5;
    else if (strncmp(s->p, "days, ", 6) == 0)
        s->p += 6;
    return true;
}

/* "12:" are hours only if minutes and seconds, both unsigned, follow. */
static bool take_hours(Scan *s, double *ret)
{
    Scan try = *s;
    double hours;
    if (!take_whole_before(&try, ':', &hours))
        return false;
    size_t n = count_digits(try.p);
    if (n == 0 || try.p[n] != ':' || count_digits(try.p + n + 1) == 0)
        return false;
    *ret = hours;
    *s = try;
    return true;
}

/* One to twelve digits, the first six of which count. */
static bool take_micros(Scan *s, double *ret)
{
    size_t n = count_digits(s->p);
    if (n < 1 || n > 12)
        return false;
    char digits[7] = "000000";
    memcpy(digits, s->p, n < 6 ? n : 6);
    *ret = strtod(digits, NULL);
    s->p += n;
    return true;
}

/* As "$" in Python's patterns. */
static bool at_end(const Scan *s)
{
    return strcmp(s->p, "") == 0 || strcmp(s->p, "\n") == 0;
}

/* [-][DD ][HH:MM:]SS[.ffffff]. The sign of the seconds is also that of the fraction; days, hours and minutes may
 * have their own. */
static bool parse_standard(const char *text, Parts *parts)
{
    Scan s = { text };
    bool negative;
    *parts = (Parts){ 0 };
    (void)take_days(&s, &parts->days);
    (void)take_hours(&s, &parts->hours);
    (void)take_whole_before(&s, ':', &parts->minutes);
    if (!take_whole(&s, &parts->seconds, &negative))
        return false;
    if (take_char(&s, '.') && !take_micros(&s, &parts->micros))
        return false;
    if (negative)
        parts->micros = -parts->micros;
    return at_end(&s);
}

/* "1.5D". If it is not there, neither the scan nor *ret changes. */
static void take_part(Scan *s, char unit, double *ret)
{
    size_t n = count_digits(s->p);
    if (n > 0 && s->p[n] == '.') {
        size_t fraction = count_digits(s->p + n + 1);
        n = fraction ? n + 1 + fraction : 0;
    }
    if (n == 0 || s->p[n] != unit)
        return;
    *ret = strtod(s->p, NULL);
    s->p += n + 1;
}

static bool parse_iso(const char *text, Parts *parts, int *ret_sign)
{
    Scan s = { text };
    *parts = (Parts){ 0 };
    *ret_sign = take_char(&s, '-') ? -1 : 1;
    if (*ret_sign == 1)
        (void)take_char(&s, '+');
    if (!take_char(&s, 'P'))
        return false;
    take_part(&s, 'D', &parts->days);
    if (take_char(&s, 'T')) {
        take_part(&s, 'H', &parts->hours);
        take_part(&s, 'M', &parts->minutes);
        take_part(&s, 'S', &parts->seconds);
    }
    return at_end(&s);
}

typedef struct Sum {
    int64_t us;
    double left; /* fractions of microseconds, rounded once at the end */
    bool overflow;
} Sum;

static void add_part(Sum *sum, double value, int64_t unit)
{
    /* Whole and fraction apart, since a double of many days has no bits left for microseconds. */
    double whole, fraction = modf(value, &whole);
    if (fabs(whole) >= 0x1p63 / (double)unit) {
        sum->overflow = true;
        return;
    }
    double fraction_whole;
    sum->left += modf(fraction * (double)unit, &fraction_whole);
    sum->overflow |= __builtin_add_overflow(sum->us, (int64_t)whole * unit, &sum->us);
    sum->overflow |= __builtin_add_overflow(sum->us, (int64_t)fraction_whole, &sum->us);
}

/* Rounds half to even, by the parity of the whole sum. */
static void round_sum(Sum *sum)
{
    double whole = round(sum->left);
    if (fabs(whole - sum->left) == 0.5) {
        double odd = (double)(sum->us & 1);
        whole = 2.0 * round((sum->left + odd) * 0.5) - odd;
    }
    sum->overflow |= __builtin_add_overflow(sum->us, (int64_t)whole, &sum->us);
}

bool duration_parse(Str text, int64_t *ret_us)
{
    char copy[TEXT_MAX + 1];
    if (!text.p || text.n > TEXT_MAX || memchr(text.p, '\0', text.n))
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    Parts parts;
    int sign = 1;
    if (!parse_standard(copy, &parts) && !parse_iso(copy, &parts, &sign))
        return false;
    Sum sum = { 0 };
    add_part(&sum, parts.micros, 1);
    add_part(&sum, parts.seconds, SECOND);
    add_part(&sum, parts.minutes, 60 * SECOND);
    add_part(&sum, parts.hours, 3600 * SECOND);
    add_part(&sum, parts.days, 86400 * SECOND);
    round_sum(&sum);
    if (sum.overflow)
        return false;
    *ret_us = sign * sum.us;
    return true;
}
