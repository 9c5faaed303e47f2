/* entity/speedate.c -- times and durations as pydantic 2 reads them, with the limits and complaints of its parser,
 * Rust's speedate. */
#include "entity/decode.h"

#include "base/text.h"

#include <math.h>

/* ---- times ---- */

/* A number up to this counts seconds, a larger one milliseconds. */
#define WATERSHED 2e10

/* `fraction`: of the unit, beyond the next lower whole number. */
static bool moment_of_units(double value, double fraction, Moment *ret)
{
    if (!(fabs(value) < 0x1p63))
        return false;
    double whole = floor(value);
    double micros = round(fraction * (fabs(value) > WATERSHED ? 1e3 : 1e6));
    double us = whole * (fabs(whole) > WATERSHED ? 1e3 : 1e6) + micros;
    if (us < (double)TIME_FIRST || us >= (double)TIME_END)
        return false;
    *ret = MOMENT((int64_t)whole * (fabs(whole) > WATERSHED ? 1000 : SECOND) + (int64_t)micros);
    return true;
}

bool moment_of_number(Arena *arena, Str digits, Moment *ret)
{
    double value = strtod(arena_cstr(arena, digits), NULL);
    return moment_of_units(value, fabs(value - trunc(value)), ret); /* so -1.75 means -1.25 there */
}

/* "+12", ".5", "5.": an exponent only after a point. */
static bool is_number(const char *s)
{
    double unused;
    const char *digits = s + (*s == '+' || *s == '-');
    return strchr(s, '.') ? coerce_parse_float(s, &unused) : *digits && !digits[strspn(digits, "0123456789")];
}

typedef struct Scan { const char *p; } Scan; /* over a terminated text */

static bool take(Scan *s, const char *any)
{
    if (!*s->p || !strchr(any, *s->p))
        return false;
    s->p++;
    return true;
}

/* Exactly `count` digits. */
static bool take_digits(Scan *s, int count, int *ret)
{
    int value = 0;
    for (int i = 0; i < count; i++, s->p++) {
        if (!char_is_digit(*s->p))
            return false;
        value = 10 * value + (*s->p - '0');
    }
    *ret = value;
    return true;
}

/* The digits after the point; those beyond the sixth are dropped. */
static bool take_micros(Scan *s, int *ret)
{
    int value = 0, count = 0;
    for (; char_is_digit(*s->p); s->p++, count++)
        value = count < 6 ? 10 * value + (*s->p - '0') : value;
    for (int i = count; i < 6; i++)
        value *= 10;
    *ret = value;
    return count > 0;
}

/* Z, +02:00, +0200; the minus may be U+2212. */
static bool take_offset(Scan *s, int32_t *ret)
{
    static const char minus[] = "\xe2\x88\x92";
    int hours, minutes;
    if (!*s->p || take(s, "Zz")) {
        *ret = 0;
        return true;
    }
    bool west = *s->p == '-' || strncmp(s->p, minus, strlen(minus)) == 0;
    if (!west && *s->p != '+')
        return false;
    s->p += *s->p == '-' || *s->p == '+' ? 1 : strlen(minus);
    if (!take_digits(s, 2, &hours))
        return false;
    (void)take(s, ":");
    if (!take_digits(s, 2, &minutes) || minutes > 59 || hours > 23)
        return false;
    *ret = (west ? -60 : 60) * (60 * hours + minutes);
    return true;
}

static bool take_moment(Scan *s, Civil *c)
{
    *c = (Civil){ 0 };
    if (!take_digits(s, 4, &c->year) || !take(s, "-") || !take_digits(s, 2, &c->month) || !take(s, "-") ||
        !take_digits(s, 2, &c->day) || !take(s, "Tt _") || !take_digits(s, 2, &c->hour) || !take(s, ":") ||
        !take_digits(s, 2, &c->minute))
        return false;
    if (take(s, ":") && (!take_digits(s, 2, &c->second) || (take(s, ".,") && !take_micros(s, &c->micro))))
        return false;
    return take_offset(s, &c->offset) && !*s->p && civil_is_valid(c);
}

bool moment_of_text(Arena *arena, Str text, Moment *ret)
{
    Civil c;
    const char *s = arena_cstr(arena, text);
    if (strlen(s) != text.n)
        return false;
    if (is_number(s)) {
        double value = strtod(s, NULL);
        return moment_of_units(value, value - floor(value), ret);
    }
    if (!take_moment(&(Scan){ s }, &c))
        return false;
    Moment m = { civil_to_time(&c), c.offset };
    if (m.us < TIME_FIRST || m.us >= TIME_END) /* could be neither stored nor shown in UTC */
        return false;
    *ret = m;
    return true;
}

/* ---- durations ---- */

typedef struct Span { double days, seconds, micros; } Span;

static const char *const too_long = "durations may not exceed 999,999,999 days";
static const char *const too_short = "input is too short";
static const char *const too_large = "a numeric value in the duration is too large";

/* NULL, or what is wrong. The reference's bound is 86399999999999 seconds; ours is what 64 bits of microseconds
 * hold. */
static const char *finish(Span span, bool negative, int64_t *ret_us)
{
    double micros = 1e6 * (86400 * span.days + span.seconds) + span.micros;
    if (!(micros < 0x1p63))
        return too_long;
    int64_t us = (int64_t)span.days * 86400 * SECOND + (int64_t)span.seconds * SECOND + (int64_t)span.micros;
    *ret_us = negative ? -us : us;
    return NULL;
}

const char *duration_of_number(double seconds, int64_t *ret_us)
{
    double whole = trunc(fabs(seconds));
    return finish((Span){ .seconds = whole, .micros = round((fabs(seconds) - whole) * 1e6) }, seconds < 0, ret_us);
}

static const char *take_number(Scan *s, double *ret)
{
    if (!char_is_digit(*s->p))
        return "invalid digit in duration";
    double value = 0;
    for (; char_is_digit(*s->p); s->p++)
        value = 10 * value + (*s->p - '0');
    *ret = value;
    return value <= UINT32_MAX ? NULL : too_large;
}

/* ".5", ",5" or nothing. */
static bool take_fraction(Scan *s, double *ret)
{
    double value = 0, scale = 1;
    *ret = 0;
    if (!take(s, ".,"))
        return false;
    for (; char_is_digit(*s->p); s->p++, scale *= 10)
        value = 10 * value + (*s->p - '0');
    *ret = value / scale;
    return true;
}

/* The seconds of the unit; 0: there is none. */
static double take_unit(Scan *s, bool of_time)
{
    static const struct { char name; bool of_time; double seconds; } units[] = {
        { 'Y', false, 365 * 86400.0 }, { 'M', false, 30 * 86400.0 }, { 'W', false, 7 * 86400.0 },
        { 'D', false, 86400 }, { 'H', true, 3600 }, { 'M', true, 60 }, { 'S', true, 1 },
    };
    for (size_t i = 0; i < COUNT_OF(units); i++) {
        if (*s->p && *s->p == units[i].name && units[i].of_time == of_time) {
            s->p++;
            return units[i].seconds;
        }
    }
    return 0;
}

static void add_fraction(Span *span, double fraction, double unit)
{
    double seconds = fraction * unit;
    span->seconds += trunc(seconds);
    span->micros += round((seconds - trunc(seconds)) * 1e6);
}

/* "P1Y2M3W4DT5H6M7.5S", each as often as one likes and in any order; only the last may have a fraction. */
static const char *parse_iso(const char *text, Scan *s, Span *span)
{
    bool time = false, had_fraction = false;
    while (*s->p) {
        double value, fraction;
        if (*s->p == 'T') {
            if (time)
                return "`t` character repeated in duration";
            time = true;
            s->p++;
            continue;
        }
        const char *why = take_number(s, &value);
        if (why)
            return why;
        bool has_fraction = take_fraction(s, &fraction);
        if (had_fraction)
            return "quantity fraction invalid in duration";
        had_fraction = has_fraction;
        double unit = take_unit(s, time);
        if (unit == 0)
            return time ? "quantity invalid in time part of duration" : "quantity invalid in date part of duration";
        span->seconds += value * unit;
        add_fraction(span, fraction, unit);
    }
    return s->p - text < 3 ? too_short : NULL; /* the sign does not count */
}

static const char *take_clock_part(Scan *s, const char *not_a_digit, const char *out_of_range, double *ret)
{
    int value;
    if (!take_digits(s, 2, &value))
        return not_a_digit;
    *ret = value;
    return value > 59 ? out_of_range : NULL;
}

/* "100", of at most ten digits. */
static const char *take_hours(Scan *s, double most, double *ret)
{
    size_t n = strcspn(s->p, ":");
    if (!s->p[n])
        return "invalid character in hour";
    double value = 0;
    for (size_t i = 0; n <= 10 && i < n; i++) {
        if (!char_is_digit(s->p[i]))
            return "invalid character in hour";
        value = 10 * value + (s->p[i] - '0');
    }
    s->p += n + 1;
    *ret = value;
    return n > 10 || value > most ? "durations may not exceed 999,999,999 hours" : NULL;
}

/* "100:00", "1:00:00.5"; what follows the sixth digit of a fraction is not looked at. */
static const char *parse_clock(Scan *s, double most_hours, Span *span)
{
    double hours, minutes, seconds = 0;
    int micros = 0;
    if (strlen(s->p) < 5)
        return too_short;
    const char *why = take_hours(s, most_hours, &hours), *after_hours = s->p;
    if (!why && strlen(s->p) < 2)
        return too_short;
    if (!why)
        why = take_clock_part(s, "invalid character in minute", "minute value is outside expected range of 0-59",
                              &minutes);
    bool has_seconds = !why && take(s, ":");
    if (has_seconds)
        why = take_clock_part(s, "invalid character in second", "second value is outside expected range of 0-59",
                              &seconds);
    if (why)
        return why;
    if (has_seconds && take(s, ".,") && !take_micros(s, &micros))
        return "second fraction digits missing after `.`";
    if (*s->p && s->p - after_hours < (ptrdiff_t)strlen("00:00.000000"))
        return "unexpected extra characters at the end of the input";
    *span = (Span){ span->days, span->seconds + 3600 * hours + 60 * minutes + seconds, micros };
    return NULL;
}

/* "1d", "2 days", "3 days, 10:00:00" */
static const char *parse_days(Scan *s, Span *span)
{
    static const char *const no_days = "\"day\" identifier in duration not correctly formatted";
    const char *why = *s->p ? take_number(s, &span->days) : too_short;
    if (why)
        return why;
    (void)take(s, " ");
    if (!take(s, "dD"))
        return no_days;
    if (strncmp(s->p, "ay", 2) == 0 || strncmp(s->p, "AY", 2) == 0) {
        s->p += 2;
        (void)take(s, "sS");
    } else if (*s->p == 'a' || *s->p == 'A') {
        return no_days;
    }
    (void)take(s, ",");
    (void)take(s, " ");
    return *s->p ? parse_clock(s, 23, span) : NULL;
}

const char *duration_of_text(const char *text, int64_t *ret_us)
{
    Scan s = { text };
    Span span = { 0 };
    const char *why;
    if (!*text)
        return too_short;
    bool negative = take(&s, "-");
    if (!negative)
        (void)take(&s, "+");
    const char *unsigned_text = s.p;
    if (take(&s, "P"))
        why = parse_iso(unsigned_text, &s, &span);
    else if (strpbrk(text, "dD") || strlen(unsigned_text) < 5)
        why = parse_days(&s, &span);
    else
        why = parse_clock(&s, 24e8, &span);
    return why ? why : finish(span, negative, ret_us);
}
