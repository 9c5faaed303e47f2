/* config/setting_value.c -- one reader for each kind of setting. */
#include "config/setting_value.h"

#include <ctype.h>
#include <math.h>
#include <strings.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/unicode.h"

#define QUANTITY_MAX 1e12 /* bytes or seconds; sums of it fit into 64 bits, in milliseconds too */

/* What a reader is given; lasts for one call of setting_parse. */
typedef struct Input {
    const Setting *setting;
    TomlKind kind;
    Str text;
    Arena *arena;
    SettingProblem *problem;
} Input;

static bool refuse(const Input *in, const char *type, const char *message)
{
    *in->problem = (SettingProblem){ .name = in->setting->name, .type = type, .message = str_from(message) };
    return false;
}

/* A number as Python's int() and float() see it at first: ASCII digits for those of any script, no spaces around it,
 * and no underscores, which may only come between two digits. Terminated. NULL: an underscore elsewhere, or nothing
 * at all. */
static char *plain_digits(const Input *in)
{
    Str s = str_trim(unicode_to_ascii(in->arena, in->text, true));
    char *out = arena_alloc(in->arena, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        bool between = i > 0 && i + 1 < s.n && isdigit((unsigned char)s.p[i - 1]) && isdigit((unsigned char)s.p[i + 1]);
        if (s.p[i] == '_' && !between)
            return NULL;
        if (s.p[i] != '_')
            out[n++] = s.p[i];
    }
    out[n] = '\0';
    return n > 0 ? out : NULL;
}

static bool parse_text(const Input *in, SettingValue *ret)
{
    if (in->kind == TOML_OTHER || in->kind == TOML_TABLE)
        return refuse(in, "type_error.str", "str type expected");
    ret->text = in->text;
    return true;
}

static bool parse_bool(const Input *in, SettingValue *ret)
{
    static const struct { const char *word; bool value; } words[] = {
        { "0", false }, { "off", false }, { "f", false }, { "false", false }, { "n", false }, { "no", false },
        { "1", true }, { "on", true }, { "t", true }, { "true", true }, { "y", true }, { "yes", true },
    };
    Str text = in->text;
    if (in->kind == TOML_FLOAT && (str_is(text, "0.0") || str_is(text, "1.0")))
        text.n = 1;
    for (size_t i = 0; i < COUNT_OF(words) && in->kind != TOML_OTHER; i++) {
        if (text.n != strlen(words[i].word) || strncasecmp(text.p, words[i].word, text.n) != 0)
            continue;
        ret->integer = words[i].value;
        ret->number = (double)ret->integer;
        ret->text = words[i].value ? STR("True") : STR("False");
        return true;
    }
    return refuse(in, "type_error.bool", "value could not be parsed to a boolean");
}

static bool read_number(const Input *in, double *ret)
{
    if (in->kind == TOML_BOOL) {
        *ret = str_is(in->text, "True");
        return true;
    }
    char *digits = in->kind == TOML_OTHER ? NULL : plain_digits(in), *end;
    if (!digits)
        return false;
    const char *word = digits + (digits[0] == '-' || digits[0] == '+');
    bool special = strcasecmp(word, "inf") == 0 || strcasecmp(word, "infinity") == 0 || strcasecmp(word, "nan") == 0;
    if (!special && strspn(digits, "0123456789+-.eE") != strlen(digits))
        return false; /* strtod would take hexadecimal too */
    *ret = strtod(digits, &end);
    return *end == '\0';
}

/* int() of a boolean or a TOML float: the fraction is dropped, and every digit before it is kept. */
static bool cut_number(const Input *in, SettingValue *ret)
{
    double number;
    if (!read_number(in, &number) || !isfinite(number))
        return refuse(in, "type_error.integer", "value is not a valid integer");
    number = trunc(number) + 0.0; /* -0 becomes 0 */
    ret->number = number;
    ret->text = arena_printf(in->arena, "%.0f", number);
    ret->integer = strtoll(ret->text.p, NULL, 10); /* the nearest one, beyond 64 bits */
    return true;
}

static bool parse_int(const Input *in, SettingValue *ret)
{
    enum { DIGITS_MAX = 4300 }; /* Python's limit */
    if (in->kind == TOML_BOOL || in->kind == TOML_FLOAT)
        return cut_number(in, ret);
    const char *digits = in->kind == TOML_OTHER ? NULL : plain_digits(in);
    const char *p = digits ? digits + (digits[0] == '-' || digits[0] == '+') : "";
    if (*p == '\0' || strspn(p, "0123456789") != strlen(p) || strlen(p) > DIGITS_MAX)
        return refuse(in, "type_error.integer", "value is not a valid integer");
    while (p[0] == '0' && p[1] != '\0')
        p++;
    bool negative = digits[0] == '-' && !(p[0] == '0' && p[1] == '\0');
    ret->text = arena_printf(in->arena, "%s%s", negative ? "-" : "", p);
    ret->integer = strtoll(ret->text.p, NULL, 10);
    ret->number = (double)ret->integer;
    return true;
}

static bool parse_float(const Input *in, SettingValue *ret)
{
    char repr[32];
    if (!read_number(in, &ret->number))
        return refuse(in, "type_error.float", "value is not a valid float");
    if (!isfinite(ret->number) && !(in->setting->flags & SETTING_CLIENT))
        return refuse(in, "value_error.number.not_finite_number", "the server accepts only finite numbers here");
    if (!isfinite(ret->number)) {
        ret->text = isnan(ret->number) ? STR("nan") : ret->number > 0 ? STR("inf") : STR("-inf");
        return true;
    }
    size_t n = json_float_repr(ret->number, repr);
    ret->text = arena_str(in->arena, (Str){ repr, n });
    ret->integer = fabs(ret->number) < 9e18 ? (int64_t)ret->number : 0;
    return true;
}

/* str(timedelta): "100 days, 0:00:00", "-1 day, 23:59:59", "0:00:05.500000" */
static Str timedelta_text(Arena *arena, int64_t us)
{
    const int64_t day = 86400 * SECOND;
    int64_t days = us / day - (us % day < 0), rest = us - days * day, seconds = rest / SECOND;
    Buf out;
    buf_init(&out, arena, 32);
    if (days)
        buf_printf(&out, "%lld day%s, ", (long long)days, days == 1 || days == -1 ? "" : "s");
    buf_printf(&out, "%lld:%02lld:%02lld", (long long)(seconds / 3600), (long long)(seconds / 60 % 60),
               (long long)(seconds % 60));
    if (rest % SECOND)
        buf_printf(&out, ".%06lld", (long long)(rest % SECOND));
    return buf_view(&out);
}

static bool parse_seconds(const Input *in, SettingValue *ret)
{
    int64_t us = 0;
    double number;
    bool ok;
    if (in->kind == TOML_OTHER)
        return refuse(in, "type_error", "invalid type; expected timedelta, string, bytes, int or float");
    if (in->kind == TOML_STRING) {
        ok = duration_parse(unicode_to_ascii(in->arena, in->text, false), &us);
    } else {
        ok = read_number(in, &number) && fabs(number) < 9e12;
        us = ok ? (int64_t)llround(number * (double)SECOND) : 0;
    }
    if (!ok)
        return refuse(in, "value_error.duration", "invalid duration format");
    ret->number = (double)us / (double)SECOND;
    ret->integer = us / SECOND;
    ret->text = timedelta_text(in->arena, us);
    return true;
}

typedef struct Unit { const char *name; double size; } Unit;

/* "10s", "1.5 MB", "30": a number and a unit; without one, the first unit. */
static bool read_quantity(const Input *in, const Unit *units, size_t count, double *ret)
{
    Str text = str_trim(in->text);
    char digits[32] = "", *end;
    size_t n = 0;
    while (n < text.n && n + 1 < sizeof digits && char_in(text.p[n], "0123456789."))
        n++;
    memcpy(digits, text.p, n);
    double number = strtod(digits, &end);
    Str unit = str_trim((Str){ text.p + n, text.n - n });
    for (size_t i = 0; i < count; i++) {
        if (!str_is(unit, units[i].name) && !(unit.n == 0 && i == 0))
            continue;
        *ret = number * units[i].size;
        return end != digits && *end == '\0' && *ret > 0 && *ret <= QUANTITY_MAX;
    }
    return false;
}

/* For this server's own settings: the unit is part of the value, and the text stays as it was given. */
static bool parse_quantity(const Input *in, const Unit *units, size_t count, const char *message, SettingValue *ret)
{
    bool plain = in->kind == TOML_STRING || in->kind == TOML_INT || in->kind == TOML_FLOAT;
    if (!plain || !read_quantity(in, units, count, &ret->number))
        return refuse(in, "value_error.quantity", message);
    ret->integer = (int64_t)ret->number;
    ret->text = in->text;
    return true;
}

static bool parse_time(const Input *in, SettingValue *ret)
{
    static const Unit units[] = {
        { "s", 1 }, { "ms", 0.001 }, { "m", 60 }, { "h", 3600 }, { "d", 86400 }, { "w", 7 * 86400 },
    };
    return parse_quantity(in, units, COUNT_OF(units),
                          "value is not a time above zero: a number with ms, s, m, h, d or w, as in 10s", ret);
}

static bool parse_size(const Input *in, SettingValue *ret)
{
    static const Unit units[] = { { "B", 1 }, { "kB", 1e3 }, { "MB", 1e6 }, { "GB", 1e9 } };
    return parse_quantity(in, units, COUNT_OF(units),
                          "value is not a size above zero: a number with kB, MB or GB, as in 1kB", ret);
}

/* As pathlib writes a path: no empty parts, no ".", no trailing slash; exactly two leading slashes stay. */
static bool parse_path(const Input *in, SettingValue *ret)
{
    if (in->kind != TOML_STRING)
        return refuse(in, "type_error.path", "value is not a valid path");
    Buf out;
    Str s = in->text;
    buf_init(&out, in->arena, s.n + 2);
    size_t leading = 0;
    while (leading < s.n && s.p[leading] == '/')
        leading++;
    buf_text(&out, leading == 0 ? "" : leading == 2 ? "//" : "/");
    bool first = true;
    for (size_t i = leading; i < s.n;) {
        size_t n = 0;
        while (i + n < s.n && s.p[i + n] != '/')
            n++;
        bool skipped = n == 0 || (n == 1 && s.p[i] == '.');
        if (!skipped && !first)
            buf_char(&out, '/');
        if (!skipped)
            buf_add(&out, s.p + i, n);
        first = first && skipped;
        i += n + 1;
    }
    ret->text = out.n ? buf_view(&out) : STR(".");
    return true;
}

static bool parse_level(const Input *in, SettingValue *ret)
{
    static const char *const names[] = { "CRITICAL", "FATAL", "ERROR", "WARN", "WARNING", "INFO", "DEBUG", "NOTSET" };
    if (!parse_text(in, ret))
        return false;
    char *upper = arena_cstr(in->arena, in->text);
    for (char *p = upper; *p; p++)
        *p = (char)toupper((unsigned char)*p);
    ret->text = (Str){ upper, in->text.n };
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (str_is(ret->text, names[i]))
            return true;
    Str message = arena_printf(in->arena, "Unknown level: %.*s", STR_ARG(json_python_repr(in->arena, ret->text)));
    return refuse(in, "value_error", arena_cstr(in->arena, message));
}

static bool parse_choice(const Input *in, SettingValue *ret)
{
    Buf permitted;
    buf_init(&permitted, in->arena, 64);
    ret->text = in->text;
    bool is_number = in->kind == TOML_INT || in->kind == TOML_FLOAT; /* ORION_GENERATION = 3 */
    for (const char *word = in->setting->choices; *word;) {
        size_t n = strcspn(word, " ");
        if ((in->kind == TOML_STRING || is_number) && str_eq(in->text, (Str){ word, n }))
            return true;
        buf_printf(&permitted, "%s'%.*s'", permitted.n ? ", " : "", (int)n, word);
        word += n + (word[n] == ' ');
    }
    Str list = buf_view(&permitted);
    Str type = arena_printf(in->arena, "value_error.const; given=%.*s; permitted=(%.*s)", STR_ARG(in->text),
                            STR_ARG(list));
    Str message = arena_printf(in->arena, "unexpected value; permitted: %.*s", STR_ARG(list));
    return refuse(in, arena_cstr(in->arena, type), arena_cstr(in->arena, message));
}

bool setting_parse(const Setting *setting, TomlKind kind, Str text, Arena *arena, SettingValue *ret,
                   SettingProblem *problem)
{
    static bool (*const readers[])(const Input *, SettingValue *) = {
        [SETTING_TEXT] = parse_text, [SETTING_BOOL] = parse_bool, [SETTING_INT] = parse_int,
        [SETTING_FLOAT] = parse_float,
        [SETTING_SECONDS] = parse_seconds, [SETTING_PATH] = parse_path, [SETTING_URL] = parse_text,
        [SETTING_LEVEL] = parse_level,
        [SETTING_CHOICE] = parse_choice, [SETTING_TIME] = parse_time, [SETTING_SIZE] = parse_size,
    };
    Input in = { .setting = setting, .kind = kind, .text = text, .arena = arena, .problem = problem };
    SettingValue value = { .text = STR_NULL };
    if (!utf8_is_valid(text))
        return refuse(&in, "value_error.encoding", "value is not UTF-8");
    if (!readers[setting->kind](&in, &value))
        return false;
    *ret = value;
    return true;
}
