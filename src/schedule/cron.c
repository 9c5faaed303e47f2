/* schedule/cron.c -- reads cron expressions as croniter does: five fields, or six with seconds, or seven with years. */
#include "schedule/cron.h"

#include "base/text.h"

static const struct { int least, most, all; } ranges[CRON_FIELDS] = {
    { 0, 59, 60 }, { 0, 23, 24 }, { 1, 31, 31 }, { 1, 12, 12 }, { 0, 6, 7 }, { 0, 59, 60 }, { 1970, 2099, 130 },
};

static const char *const months[] = {
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
};
static const char *const weekdays[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat" };

enum { TOO_LARGE = 100000000 }; /* numbers are read up to here: more than any field has */

/* One field while it is read. */
typedef struct Reading {
    Arena *arena;
    Cron *cron;
    int index;
    CronField *field;
    bool present[130];
    bool star;
    bool single; /* the field is not a list */
} Reading;

static bool all_digits(Str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!char_is_digit(s.p[i]))
            return false;
    }
    return s.n > 0;
}

static int number(Str digits)
{
    int value = 0;
    for (size_t i = 0; i < digits.n && value < TOO_LARGE; i++)
        value = 10 * value + (digits.p[i] - '0');
    return value;
}

static int find_name(Str s, const char *const *names, int count)
{
    for (int i = 0; i < count; i++) {
        if (str_is(s, names[i]))
            return i;
    }
    return -1;
}

/* A number, or the name of a month or weekday; 7 is Sunday. */
static bool take_value(int index, Str s, int *ret)
{
    int value;
    if (all_digits(s))
        value = number(s);
    else if (index == CRON_MONTH)
        value = find_name(s, months, 12) + 1;
    else if (index == CRON_WEEKDAY)
        value = find_name(s, weekdays, 7);
    else
        return false;
    if (!all_digits(s) && value < (index == CRON_MONTH))
        return false;
    *ret = index == CRON_WEEKDAY && value == 7 ? 0 : value;
    return true;
}

/* nth: -1 none, 0 the last one of a month, 1 to 5. */
static bool add_value(Reading *r, int value, int nth)
{
    if (value < ranges[r->index].least || value > ranges[r->index].most)
        return false;
    r->present[value - ranges[r->index].least] = true;
    if (nth >= 0) {
        r->cron->nth[value] |= 1u << nth;
        r->cron->has_nth = true;
    }
    return true;
}

static bool add_range(Reading *r, int low, int high, int step, int nth)
{
    for (int value = low; value <= high; value += step) {
        if (!add_value(r, value, nth))
            return false;
    }
    return true;
}

/* A range past the field's end, such as "sat-tue": it wraps around, and the last step goes on from there. */
static bool add_wrapped_range(Reading *r, int low, int high, int step, int nth)
{
    int least = ranges[r->index].least, most = ranges[r->index].most;
    if (!add_range(r, low, most, step, nth))
        return false;
    int reached = low + (most - low) / step * step;
    int left = most - reached, skip = 0;
    if (reached - least + (int64_t)step > most - least + 1 && left < step)
        skip = step - left;
    return add_range(r, least + skip, high, step, nth);
}

/* "low-high", "low-high/step", and if `open` "low/step". */
static bool take_range(Reading *r, Str low_text, Str high_text, Str step_text, bool open, int nth)
{
    int low, high, step = step_text.p ? number(step_text) : 1;
    if (r->index == CRON_DAY && str_is(high_text, "l"))
        high_text = STR("31");
    if (!take_value(r->index, low_text, &low) || step == 0)
        return false;
    high = ranges[r->index].most;
    if (!open && !take_value(r->index, high_text, &high))
        return false;
    if (low > ranges[r->index].most || high > ranges[r->index].most)
        return false;
    if (low == high && open)
        return add_value(r, low, nth);
    if (low == high) { /* "mon-mon" is the whole week */
        low = ranges[r->index].least;
        high = ranges[r->index].most;
    }
    return low > high ? add_wrapped_range(r, low, high, step, nth) : add_range(r, low, high, step, nth);
}

static bool take_single(Reading *r, Str s, int nth)
{
    int value;
    if (str_is(s, "*")) {
        r->star = true;
        return true;
    }
    if (r->index == CRON_DAY && str_is(s, "l")) {
        r->field->last = true;
        return true;
    }
    return take_value(r->index, s, &value) && add_value(r, value, nth);
}

static bool take_simple(Reading *r, Str s, int nth)
{
    size_t slash = str_find(s, '/'), dash = str_find(s, '-');
    Str step = slash < s.n ? str_cut(s, slash + 1, s.n) : STR_NULL;
    if (step.p && !all_digits(step))
        return false;
    Str head = str_cut(s, 0, slash);
    if (dash < head.n)
        return dash > 0 && dash + 1 < head.n &&
               take_range(r, str_cut(head, 0, dash), str_cut(head, dash + 1, head.n), step, false, nth);
    if (!step.p)
        return take_single(r, s, nth);
    if (!str_is(head, "*"))
        return take_range(r, head, STR(""), step, true, nth);
    return number(step) > 0 && add_range(r, ranges[r->index].least, ranges[r->index].most, number(step), nth);
}

/* "5#2", "mon-fri#1": the second Friday, the first of each workday. "l5": the last Friday. */
static bool take_weekday(Reading *r, Str s)
{
    size_t mark = str_find(s, '#');
    if (mark < s.n) {
        Str nth = str_cut(s, mark + 1, s.n);
        return all_digits(nth) && number(nth) >= 1 && number(nth) <= 5 && str_find(s, '/') == s.n && s.p[0] != '*' &&
               (str_find(str_cut(s, 0, mark), '-') == mark ||
                !(char_is_digit(s.p[0]) || char_is_digit(s.p[mark - 1]))) &&
               take_simple(r, str_cut(s, 0, mark), number(nth));
    }
    if (s.n > 1 && s.p[0] == 'l' && all_digits(str_cut(s, 1, s.n)))
        return take_simple(r, str_cut(s, 1, s.n), 0);
    return take_simple(r, s, -1);
}

/* "15w", "w15": the workday nearest to that day, and nothing else in the field. */
static bool take_nearest(Reading *r, Str day)
{
    if (!r->single || number(day) < 1 || number(day) > 31)
        return false;
    r->cron->nearest_weekday = number(day);
    return add_value(r, number(day), -1);
}

static bool take_item(Reading *r, Str s)
{
    if (r->index == CRON_WEEKDAY)
        return take_weekday(r, s);
    if (r->index == CRON_DAY && s.n > 1 && s.p[0] == 'w' && all_digits(str_cut(s, 1, s.n)))
        return take_nearest(r, str_cut(s, 1, s.n));
    if (r->index == CRON_DAY && s.n > 1 && s.p[s.n - 1] == 'w' && all_digits(str_cut(s, 0, s.n - 1)))
        return take_nearest(r, str_cut(s, 0, s.n - 1));
    return take_simple(r, s, -1);
}

/* ---- random values: "r(0-29)", "r/15", "r(0-29)/10" ---- */

/* croniter draws again on each call, so that every pass of the scheduler would plan other dates; here the draw depends
 * only on the expression and the field. */
static uint32_t draw(Str expression, int index)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < expression.n; i++)
        hash = (hash ^ (unsigned char)expression.p[i]) * 16777619u;
    hash ^= hash >> 15;
    return hash >> index;
}

static bool take_bounds(int index, Str inner, int *low, int *high)
{
    size_t dash = str_find(inner, '-');
    if (dash == inner.n || !all_digits(str_cut(inner, 0, dash)) || !all_digits(str_cut(inner, dash + 1, inner.n)))
        return false;
    *low = number(str_cut(inner, 0, dash));
    *high = number(str_cut(inner, dash + 1, inner.n));
    int alias = index == CRON_WEEKDAY && *high == 7 ? 0 : *high;
    return *low < *high && *low >= ranges[index].least && alias >= ranges[index].least && alias <= ranges[index].most;
}

/* *ret_text: the field with its random part drawn; other fields as they are. False: it is malformed, or an "h". */
static bool expand_random(Arena *arena, Str expression, int index, Str s, Str *ret_text)
{
    int low = ranges[index].least, high = ranges[index].most;
    *ret_text = s;
    if (s.n == 0 || (s.p[0] != 'r' && s.p[0] != 'h'))
        return true;
    Str rest = str_cut(s, 1, s.n);
    if (rest.n && rest.p[0] == '(') {
        size_t end = str_find(rest, ')');
        if (end == rest.n || !take_bounds(index, str_cut(rest, 1, end), &low, &high))
            return false;
        rest = str_cut(rest, end + 1, rest.n);
    }
    int step = 0;
    if (rest.n) {
        if (rest.p[0] != '/' || !all_digits(str_cut(rest, 1, rest.n)) || (step = number(str_cut(rest, 1, rest.n))) == 0)
            return false;
    }
    if (s.p[0] == 'h') /* a hash needs a name, and there is none */
        return false;
    int most = step && low + step - 1 < high ? low + step - 1 : high;
    int value = low + (int)(draw(expression, index) % (uint32_t)(most - low + 1));
    if (step && value != high)
        *ret_text = arena_printf(arena, "%d-%d/%d", value, high, step);
    else
        *ret_text = arena_printf(arena, "%d", value);
    return true;
}

/* ---- fields ---- */

static void finish_field(Reading *r, const Str *texts)
{
    CronField *field = r->field;
    for (int i = 0; i < ranges[r->index].all; i++) {
        if (r->present[i])
            field->values[field->count++] = i + ranges[r->index].least;
    }
    bool all = field->count + field->last + r->star == ranges[r->index].all;
    /* A list of all days counts as "*" only if the other day's field has a "*": else either of the two would do. */
    if (r->index == CRON_DAY)
        all = all && str_find(texts[CRON_WEEKDAY], '*') < texts[CRON_WEEKDAY].n;
    if (r->index == CRON_WEEKDAY)
        all = all && str_find(texts[CRON_DAY], '*') < texts[CRON_DAY].n;
    field->any = r->star || all;
}

static bool parse_field(Arena *arena, Cron *cron, const Str *texts, int index, Str expression)
{
    Str s;
    if (!expand_random(arena, expression, index, texts[index], &s))
        return false;
    if (str_find(s, '?') < s.n) {
        if (s.n != 1 || (index != CRON_DAY && index != CRON_WEEKDAY))
            return false;
        s = STR("*");
    }
    bool is_single = str_find(s, ',') == s.n;
    Reading r = { .arena = arena, .cron = cron, .index = index, .field = &cron->field[index], .single = is_single };
    for (;;) {
        size_t comma = str_find(s, ',');
        if (!take_item(&r, str_cut(s, 0, comma)))
            return false;
        if (comma == s.n)
            break;
        s = str_cut(s, comma + 1, s.n);
    }
    finish_field(&r, texts);
    return true;
}

/* "1#2" and plain weekdays cannot be mixed. */
static bool nth_is_alone(const Cron *cron)
{
    const CronField *field = &cron->field[CRON_WEEKDAY];
    if (!cron->has_nth || field->any || field->count == 7)
        return true;
    for (int i = 0; i < field->count; i++) {
        if (!cron->nth[field->values[i]])
            return false;
    }
    return true;
}

static Str lower(Arena *arena, Str s)
{
    char *out = arena_alloc(arena, s.n + 1);
    for (size_t i = 0; i < s.n; i++)
        out[i] = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] | 0x20) : s.p[i];
    return (Str){ out, s.n };
}

static Str resolve_alias(Str s)
{
    static const struct { const char *name, *meaning; } aliases[] = {
        { "@midnight", "0 0 * * *" }, { "@hourly", "0 * * * *" }, { "@daily", "0 0 * * *" }, { "@weekly", "0 0 * * 0" },
        { "@monthly", "0 0 1 * *" }, { "@yearly", "0 0 1 1 *" }, { "@annually", "0 0 1 1 *" },
    };
    for (size_t i = 0; i < COUNT_OF(aliases); i++) {
        if (str_is(s, aliases[i].name))
            return str_from(aliases[i].meaning);
    }
    return s;
}

/* The next word of *s; false at its end. */
static bool take_word(Str *s, Str *ret)
{
    size_t start = 0, end;
    while (start < s->n && char_is_space(s->p[start]))
        start++;
    for (end = start; end < s->n && !char_is_space(s->p[end]);)
        end++;
    *ret = str_cut(*s, start, end);
    *s = str_cut(*s, end, s->n);
    return end > start;
}

bool cron_parse(Arena *arena, Str text, Cron *ret)
{
    Str expression = resolve_alias(lower(arena, text)), rest = expression, texts[CRON_FIELDS], word;
    *ret = (Cron){ 0 };
    while (take_word(&rest, &word)) {
        if (ret->fields == CRON_FIELDS)
            return false;
        texts[ret->fields++] = word;
    }
    if (ret->fields < 5)
        return false;
    for (int i = 0; i < ret->fields; i++) {
        if (!parse_field(arena, ret, texts, i, expression))
            return false;
    }
    return nth_is_alone(ret);
}

bool cron_check(Arena *arena, Str cron)
{
    Cron parsed;
    return cron_parse(arena, cron, &parsed);
}

bool cron_is_random(Str cron)
{
    Str word;
    while (take_word(&cron, &word)) {
        if (word.n == 1 && char_in(word.p[0], "RrHh"))
            return true;
    }
    return false;
}
