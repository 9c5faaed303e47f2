/* base/clock.c -- civil dates, times to ISO 8601 text, and times from text as pendulum.parse() accepts it.
 * Durations: duration.c. */
#include "base/clock.h"

#include <math.h>
#include <time.h>

#define DAY_SECONDS 86400

Time clock_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (Time)now.tv_sec * SECOND + now.tv_nsec / 1000;
}

int64_t clock_monotonic(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * SECOND + t.tv_nsec / 1000;
}

void clock_sleep(int64_t us)
{
    struct timespec wait = { .tv_sec = us / SECOND, .tv_nsec = us % SECOND * 1000 };
    nanosleep(&wait, NULL);
}

void clock_condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

bool clock_condition_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t until)
{
    struct timespec deadline = { .tv_sec = until / SECOND, .tv_nsec = until % SECOND * 1000 };
    return pthread_cond_timedwait(condition, lock, &deadline) == 0;
}

/* Civil dates: years are counted from March, so that the leap day comes last (H. Hinnant's algorithms). */

int64_t civil_days(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

void civil_from_days(int64_t days, Civil *c)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t march_month = (5 * day_of_year + 2) / 153;
    c->day = (int)(day_of_year - (153 * march_month + 2) / 5 + 1);
    c->month = (int)(march_month < 10 ? march_month + 3 : march_month - 9);
    c->year = (int)(year_of_era + era * 400 + (c->month <= 2));
}

bool civil_is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int civil_month_days(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    return month == 2 && civil_is_leap(year) ? 29 : days[month - 1];
}

bool civil_is_valid(const Civil *c)
{
    return c->year >= 1 && c->year <= 9999 && c->month >= 1 && c->month <= 12 && c->day >= 1 &&
           c->day <= civil_month_days(c->year, c->month) && c->hour <= 23 && c->minute <= 59 && c->second <= 59;
}

Time civil_to_time(const Civil *c)
{
    int64_t seconds = civil_days(c->year, c->month, c->day) * DAY_SECONDS + c->hour * 3600 + c->minute * 60 + c->second;
    return (seconds - c->offset) * SECOND + c->micro;
}

Civil civil_from_time(Time t, int32_t offset)
{
    Civil c = { .offset = offset };
    int64_t seconds = t / SECOND, micro = t % SECOND;
    if (micro < 0) {
        micro += SECOND;
        seconds--;
    }
    seconds += offset;
    int64_t days = seconds / DAY_SECONDS, rest = seconds % DAY_SECONDS;
    if (rest < 0) {
        rest += DAY_SECONDS;
        days--;
    }
    civil_from_days(days, &c);
    c.hour = (int)(rest / 3600);
    c.minute = (int)(rest / 60 % 60);
    c.second = (int)(rest % 60);
    c.micro = (int)micro;
    return c;
}

/* Text out */

static char *put_digits(char *p, int value, int width)
{
    for (int i = width; i-- > 0; value /= 10)
        p[i] = (char)('0' + value % 10);
    return p + width;
}

/* "2026-11-23T02:28:25" with this separator: 19 bytes. */
static char *put_seconds(char *p, const Civil *c, char separator)
{
    p = put_digits(p, c->year, 4);
    *p++ = '-';
    p = put_digits(p, c->month, 2);
    *p++ = '-';
    p = put_digits(p, c->day, 2);
    *p++ = separator;
    p = put_digits(p, c->hour, 2);
    *p++ = ':';
    p = put_digits(p, c->minute, 2);
    *p++ = ':';
    return put_digits(p, c->second, 2);
}

static char *put_fraction(char *p, int micro)
{
    *p++ = '.';
    return put_digits(p, micro, 6);
}

/* As isoformat() does: with seconds only if the offset has any. */
static char *put_offset(char *p, int32_t offset)
{
    int32_t size = offset < 0 ? -offset : offset;
    *p++ = offset < 0 ? '-' : '+';
    p = put_digits(p, size / 3600, 2);
    *p++ = ':';
    p = put_digits(p, size / 60 % 60, 2);
    if (size % 60 == 0)
        return p;
    *p++ = ':';
    return put_digits(p, size % 60, 2);
}

void moment_format(Buf *out, Moment m)
{
    if (m.us == TIME_NULL)
        return;
    char text[40];
    Civil c = civil_from_time(m.us, m.offset);
    char *p = put_seconds(text, &c, 'T');
    if (c.micro)
        p = put_fraction(p, c.micro);
    p = put_offset(p, m.offset);
    buf_add(out, text, (size_t)(p - text));
}

void time_format(Buf *out, Time t)
{
    moment_format(out, MOMENT(t));
}

Str time_text(Arena *arena, Time t)
{
    if (t == TIME_NULL)
        return STR_NULL;
    Buf out;
    buf_init(&out, arena, 40);
    time_format(&out, t);
    buf_cstr(&out);
    return buf_view(&out);
}

bool time_add_seconds(Time t, double seconds, Time *ret)
{
    const double most = 4e11; /* seconds: more than ten thousand years, and far from where microseconds overflow */
    const Time first = (Time)-62135596800 * SECOND, end = (Time)253402300800 * SECOND; /* 0001-01-01, 10000-01-01 */
    if (t < first || t >= end || !(seconds >= -most && seconds <= most))
        return false;
    *ret = t + (int64_t)llrint(seconds * (double)SECOND);
    return *ret >= first && *ret < end;
}

void time_format_stored(Buf *out, Time t)
{
    if (t == TIME_NULL)
        return;
    char text[32];
    Civil c = civil_from_time(t, 0);
    char *p = put_fraction(put_seconds(text, &c, ' '), c.micro);
    buf_add(out, text, (size_t)(p - text));
}

/* Text in. A Scan walks over the text; take_char, take_digit and take_number move it only if they find what they
 * look for. */

typedef struct Scan { const char *p, *end; } Scan;

static Scan scan_of(Str text)
{
    return (Scan){ text.p, text.p + text.n };
}

static bool at_end(const Scan *s)
{
    return s->p == s->end;
}

static bool take_char(Scan *s, char c)
{
    if (at_end(s) || *s->p != c)
        return false;
    s->p++;
    return true;
}

static bool take_digit(Scan *s, int *value)
{
    if (at_end(s) || *s->p < '0' || *s->p > '9')
        return false;
    *value = 10 * *value + (*s->p++ - '0');
    return true;
}

/* At least `least` and at most `most` (up to 9) digits. */
static bool take_number(Scan *s, int least, int most, int *ret)
{
    int value = 0, n = 0;
    const char *start = s->p;
    while (n < most && take_digit(s, &value))
        n++;
    if (n < least) {
        s->p = start;
        return false;
    }
    *ret = value;
    return true;
}

/* All digits that follow, as microseconds: those beyond the sixth are dropped. */
static int take_fraction(Scan *s)
{
    int value = 0, n = 0, cut;
    while (n < 6 && take_digit(s, &value))
        n++;
    for (; n < 6; n++)
        value *= 10;
    while (take_number(s, 1, 1, &cut))
        ;
    return value;
}

bool time_parse_stored(Str text, Time *ret)
{
    if (!text.p)
        return false;
    Scan s = scan_of(text);
    Civil c = { 0 };
    if (!take_number(&s, 4, 4, &c.year) || !take_char(&s, '-') || !take_number(&s, 2, 2, &c.month) ||
        !take_char(&s, '-') || !take_number(&s, 2, 2, &c.day) || !(take_char(&s, ' ') || take_char(&s, 'T')) ||
        !take_number(&s, 2, 2, &c.hour) || !take_char(&s, ':') || !take_number(&s, 2, 2, &c.minute) ||
        !take_char(&s, ':') || !take_number(&s, 2, 2, &c.second))
        return false;
    if (take_char(&s, '.')) {
        if (s.end - s.p > 6)
            return false;
        c.micro = take_fraction(&s);
    }
    if (!at_end(&s) || !civil_is_valid(&c))
        return false;
    *ret = civil_to_time(&c);
    return true;
}

/* pendulum's ISO 8601 reader first gathers the digits of a part, counting separators wherever they occur, and then
 * decides by the number of digits. So does this, in order to be exactly as lenient: "2016-1001" is a date, "10:2030"
 * is refused. */

typedef struct Digits { int value, count, separators; } Digits;

static Digits take_digits(Scan *s, char separator)
{
    Digits d = { 0 };
    for (;;) {
        if (take_char(s, separator))
            d.separators++;
        else if (d.count < 8 && take_digit(s, &d.value))
            d.count++;
        else
            return d;
    }
}

/* Day `ordinal` of a year to month and day; days beyond the year's ends move into its neighbours. */
static void set_ordinal(Civil *c, int ordinal)
{
    civil_from_days(civil_days(c->year, 1, 1) + ordinal - 1, c);
}

static int weekday_of(int year, int month, int day) /* Monday 1 to Sunday 7 */
{
    int64_t days = civil_days(year, month, day) + 3; /* 1970-01-01 was a Thursday */
    return (int)((days % 7 + 7) % 7) + 1;
}

static bool is_long_year(int year)
{
    return weekday_of(year, 12, 31) == 4 || weekday_of(year - 1, 12, 31) == 3;
}

/* Follows "2016W" or "2016-W": two digits of the week, and perhaps the weekday. */
static bool take_week(Scan *s, Civil *c, int separators)
{
    Digits d = take_digits(s, '-');
    int week = d.value, weekday = 1;
    separators += d.separators;
    if (d.count == 3) {
        if (separators != 0 && separators != 2)
            return false;
        week = d.value / 10;
        weekday = d.value % 10;
    } else if (d.count != 2) {
        return false;
    }
    if (week > 52 + is_long_year(c->year) || weekday > 7 || (separators && week == 0))
        return false;
    set_ordinal(c, week * 7 + weekday - (weekday_of(c->year, 1, 4) + 3));
    return true;
}

/* *ret_ambiguous: "201207" is not a date, but if nothing follows, it is the time 20:12:07. */
static bool take_iso_date(Scan *s, Civil *c, bool *ret_ambiguous)
{
    if (!take_number(s, 4, 4, &c->year))
        return false;
    int separators = take_char(s, '-');
    if (take_char(s, 'W'))
        return take_week(s, c, separators);
    Digits d = take_digits(s, '-');
    separators += d.separators;
    *ret_ambiguous = d.count == 2 && separators == 0;
    if (separators && d.value == 0)
        return false;
    switch (d.count) {
    case 0:
        return true;
    case 2:
        c->month = d.value;
        return separators <= 1 && c->month >= 1 && c->month <= 12;
    case 3:
        if (separators > 1 || d.value < 1 || d.value > 365 + civil_is_leap(c->year))
            return false;
        set_ordinal(c, d.value);
        return true;
    case 4:
        c->month = d.value / 100;
        c->day = d.value % 100;
        return true;
    default:
        return false;
    }
}

static bool take_iso_clock(Scan *s, Civil *c)
{
    Digits d = take_digits(s, ':');
    switch (d.count) {
    case 2:
        c->hour = d.value;
        return d.separators == 0;
    case 4:
        c->hour = d.value / 100;
        c->minute = d.value % 100;
        return d.separators <= 1;
    case 6:
        c->hour = d.value / 10000;
        c->minute = d.value / 100 % 100;
        c->second = d.value % 100;
        return d.separators == 0 || d.separators == 2;
    default:
        return false;
    }
}

/* Offsets of a day or more are refused: Python does not support them. */
static bool take_iso_zone(Scan *s, Civil *c)
{
    if (take_char(s, 'Z') || at_end(s))
        return true;
    int sign = take_char(s, '-') ? -1 : take_char(s, '+') ? 1 : 0;
    Digits d = take_digits(s, ':');
    if (sign == 0 || !((d.count == 2 && d.separators == 0) || (d.count == 4 && d.separators <= 1)))
        return false;
    int minutes = d.count == 2 ? d.value * 60 : d.value / 100 * 60 + d.value % 100;
    c->offset = sign * minutes * 60;
    return minutes < 24 * 60;
}

static void set_today(Civil *c, Time now)
{
    if (now == TIME_NULL) /* the year stays 0, which is not valid */
        return;
    Civil today = civil_from_time(now, 0);
    c->year = today.year;
    c->month = today.month;
    c->day = today.day;
}

static bool parse_iso(Str text, Time now, Civil *c)
{
    Scan s = scan_of(text);
    bool ambiguous = false;
    *c = (Civil){ .month = 1, .day = 1 };
    if (!take_iso_date(&s, c, &ambiguous))
        return false;
    if (at_end(&s) && ambiguous) {
        *c = (Civil){ .hour = c->year / 100, .minute = c->year % 100, .second = c->month };
        set_today(c, now);
    } else if (!at_end(&s)) {
        if (ambiguous || !(take_char(&s, 'T') || take_char(&s, ' ')) || !take_iso_clock(&s, c))
            return false;
        if (take_char(&s, '.') || take_char(&s, ','))
            c->micro = take_fraction(&s);
        if (!take_iso_zone(&s, c))
            return false;
    }
    return at_end(&s) && civil_is_valid(c);
}

/* The forms pendulum calls common: "2016/10/01", "2016:10:01 9:05", "9:05:30", "20161001 1:05". */

static bool take_common_date(Scan *s, Civil *c, bool with_day)
{
    if (!take_number(s, 4, 4, &c->year))
        return false;
    if (!with_day)
        return true;
    if (!take_char(s, '/'))
        (void)take_char(s, ':');
    if (!take_number(s, 2, 2, &c->month))
        return false;
    if (!take_char(s, '/'))
        (void)take_char(s, ':');
    return take_number(s, 2, 2, &c->day);
}

static bool take_common_clock(Scan *s, Civil *c)
{
    (void)take_char(s, ' ');
    if (!take_number(s, 1, 2, &c->hour) || !take_char(s, ':') || !take_number(s, 1, 2, &c->minute))
        return false;
    if (take_char(s, ':') && !take_number(s, 1, 2, &c->second))
        return false;
    if (!take_char(s, '.') && !take_char(s, ',') && !take_char(s, '|'))
        return true;
    if (at_end(s) || s->end - s->p > 9)
        return false;
    c->micro = take_fraction(s);
    return true;
}

typedef enum CommonDate { COMMON_DAY, COMMON_YEAR, COMMON_TIME_ONLY } CommonDate;

static bool parse_common_as(Str text, CommonDate date, Time now, Civil *c)
{
    Scan s = scan_of(text);
    *c = (Civil){ .month = 1, .day = 1 };
    if (date == COMMON_TIME_ONLY)
        set_today(c, now);
    else if (!take_common_date(&s, c, date == COMMON_DAY))
        return false;
    return ((at_end(&s) && date != COMMON_TIME_ONLY) || take_common_clock(&s, c)) && at_end(&s);
}

static bool parse_common(Str text, Time now, Civil *c)
{
    if (text.n > 0 && text.p[text.n - 1] == '\n') /* "$" in Python's patterns matches before it */
        text.n--;
    /* The first form that fits decides, even if its date is not valid. */
    for (CommonDate date = COMMON_DAY; date <= COMMON_TIME_ONLY; date++)
        if (parse_common_as(text, date, now, c))
            return civil_is_valid(c);
    return false;
}

/* "2016/1001" is an interval from one year to another, not a time. */
static bool is_interval(Str text)
{
    const char *slash = memchr(text.p, '/', text.n);
    if (!slash)
        return false;
    size_t n = (size_t)(slash - text.p);
    Civil from, to;
    return parse_iso((Str){ text.p, n }, TIME_NULL, &from) &&
           parse_iso((Str){ slash + 1, text.n - n - 1 }, TIME_NULL, &to);
}

bool moment_parse(Str text, Time now, Moment *ret)
{
    if (!text.p)
        return false;
    if (str_is(text, "now")) {
        *ret = MOMENT(now);
        return now != TIME_NULL;
    }
    Civil c;
    if (!parse_iso(text, now, &c) && (is_interval(text) || !parse_common(text, now, &c)))
        return false;
    Moment m = { civil_to_time(&c), c.offset };
    Civil utc = civil_from_time(m.us, 0);
    if (utc.year < 1 || utc.year > 9999) /* could be neither stored nor shown in UTC */
        return false;
    *ret = m;
    return true;
}
