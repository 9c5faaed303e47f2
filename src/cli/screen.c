/* cli/screen.c -- text in columns, with bars and small curves. */
#include "cli/screen.h"

#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <wchar.h>

#include "base/unicode.h"

static const char *const codes[STYLE_COUNT] = {
    [STYLE_PLAIN] = "", [STYLE_BOLD] = "\033[1m", [STYLE_DIM] = "\033[2m", [STYLE_GREEN] = "\033[32m",
    [STYLE_YELLOW] = "\033[33m", [STYLE_RED] = "\033[31m", [STYLE_BLUE] = "\033[34m",
};

bool screen_locale(void)
{
    bool shows = setlocale(LC_CTYPE, "") && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    if (!shows)
        (void)setlocale(LC_CTYPE, "C.UTF-8");
    return shows;
}

/* ---- text ---- */

static unsigned columns_of(uint32_t c)
{
    int n = wcwidth((wchar_t)c);
    return n < 0 ? 1 : (unsigned)n;
}

unsigned screen_columns(Str text)
{
    unsigned columns = 0;
    size_t size;
    for (size_t i = 0; i < text.n; i += size)
        columns += columns_of(unicode_at(text, i, &size));
    return columns;
}

/* The bytes that fit into so many columns, of which *ret_columns are taken. */
static size_t fitting(Str text, unsigned columns, unsigned *ret_columns)
{
    size_t n = 0, size;
    *ret_columns = 0;
    for (; n < text.n; n += size) {
        unsigned more = columns_of(unicode_at(text, n, &size));
        if (*ret_columns + more > columns)
            break;
        *ret_columns += more;
    }
    return n;
}

static Str cleaned(Screen *screen, Str text)
{
    Str copy = arena_str(screen->out.arena, text.p ? text : STR(""));
    utf8_blank_strange((char *)(uintptr_t)copy.p, copy.n);
    return copy;
}

/* Text without strange characters. Returns the columns taken, at most so many: a mark ends what was cut. */
static unsigned put_cut(Screen *screen, Style style, Str text, unsigned columns)
{
    unsigned taken;
    unsigned room = screen->column < screen->width ? screen->width - screen->column : 0;
    columns = columns < room ? columns : room;
    if (columns == 0 || text.n == 0)
        return 0;
    size_t n = fitting(text, columns, &taken);
    bool cut = n < text.n;
    if (cut)
        n = fitting(text, columns - 1, &taken);
    buf_text(&screen->out, screen->colour ? codes[style] : "");
    buf_add(&screen->out, text.p, n);
    if (cut)
        buf_text(&screen->out, screen->unicode ? "…" : "~");
    buf_text(&screen->out, screen->colour && style != STYLE_PLAIN ? "\033[0m" : "");
    screen->column += taken + cut;
    return taken + cut;
}

void screen_put(Screen *screen, Style style, Str text)
{
    (void)put_cut(screen, style, cleaned(screen, text), screen->width);
}

void screen_printf(Screen *screen, Style style, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    screen_put(screen, style, arena_vprintf(screen->out.arena, format, values));
    va_end(values);
}

static void put_spaces(Screen *screen, unsigned count)
{
    for (; count > 0 && screen->column < screen->width; count--, screen->column++)
        buf_char(&screen->out, ' ');
}

void screen_cell(Screen *screen, Style style, unsigned columns, Str text)
{
    put_spaces(screen, columns - put_cut(screen, style, cleaned(screen, text), columns));
}

const char *screen_padded(Arena *arena, Str text, unsigned columns, unsigned most)
{
    Screen screen = { .width = most, .unicode = screen_locale() };
    buf_init(&screen.out, arena, text.n + columns + 8);
    unsigned taken = screen_columns(cleaned(&screen, text));
    screen_cell(&screen, STYLE_PLAIN, taken < columns ? columns : taken, text);
    return buf_cstr(&screen.out);
}

void screen_number(Screen *screen, Style style, unsigned columns, Str text)
{
    unsigned taken = screen_columns(text);
    put_spaces(screen, taken < columns ? columns - taken : 0);
    (void)put_cut(screen, style, text, columns);
}

void screen_to(Screen *screen, unsigned column)
{
    put_spaces(screen, screen->column < column ? column - screen->column : screen->column > 0);
}

void screen_line(Screen *screen)
{
    while (screen->out.n && screen->out.p[screen->out.n - 1] == ' ')
        screen->out.n--;
    buf_char(&screen->out, '\n');
    screen->column = 0;
}

/* ---- pictures ---- */

enum { EIGHTHS = 8 };

/* Blocks of 0 to 8 eighths, growing to the right and upwards; and what stands for them in ASCII. */
static const char *const across[EIGHTHS + 1] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█" };
static const char *const upward[EIGHTHS + 1] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
static const char *const upward_ascii[EIGHTHS + 1] = { " ", ".", ".", ":", ":", "-", "=", "+", "#" };

void screen_bar(Screen *screen, Style style, double share, unsigned columns)
{
    Buf bar;
    double bounded = share > 1 ? 1 : share > 0 ? share : 0;
    unsigned eighths = (unsigned)ceil(bounded * columns * EIGHTHS);
    buf_init(&bar, screen->out.arena, 3 * columns + 1);
    for (unsigned i = 0; i < (screen->unicode ? eighths / EIGHTHS : (eighths + EIGHTHS - 1) / EIGHTHS); i++)
        buf_text(&bar, screen->unicode ? across[EIGHTHS] : "#");
    if (screen->unicode)
        buf_text(&bar, across[eighths % EIGHTHS]);
    screen_cell(screen, style, columns, buf_view(&bar));
}

void screen_curve(Screen *screen, Style style, const double *values, size_t count, double most)
{
    Buf curve;
    buf_init(&curve, screen->out.arena, 3 * count + 1);
    for (size_t i = 0; i < count; i++) {
        double share = most > 0 ? values[i] / most : 0;
        size_t eighths = share > 1 ? EIGHTHS : share > 0 ? (size_t)ceil(share * EIGHTHS) : 0;
        buf_text(&curve, screen->unicode ? upward[eighths] : upward_ascii[eighths]);
    }
    screen_put(screen, style, buf_view(&curve));
}

/* ---- numbers ---- */

Str human_count(Arena *arena, double count)
{
    Buf out;
    Str digits = arena_printf(arena, "%.0f", count);
    buf_init(&out, arena, 2 * digits.n);
    for (size_t i = 0; i < digits.n; i++) {
        if (i > 0 && (digits.n - i) % 3 == 0 && digits.p[i - 1] != '-')
            buf_char(&out, ',');
        buf_char(&out, digits.p[i]);
    }
    return buf_view(&out);
}

Str human_bytes(Arena *arena, double bytes)
{
    static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB" };
    size_t unit = 0;
    for (; bytes >= 999.5 && unit + 1 < COUNT_OF(units); unit++)
        bytes /= 1000;
    return arena_printf(arena, "%.*f %s", unit > 0 && bytes < 99.95 ? 1 : 0, bytes, units[unit]);
}

Str human_time(Arena *arena, double seconds)
{
    static const struct { double seconds; const char *name; } units[] = {
        { 7 * 86400, "w" }, { 86400, "d" }, { 3600, "h" }, { 60, "m" }, { 1, "s" },
    };
    double left = seconds > 0 && seconds < 1e12 ? floor(seconds) : 0;
    size_t unit = 0;
    while (unit + 1 < COUNT_OF(units) && left < units[unit].seconds)
        unit++;
    double first = floor(left / units[unit].seconds);
    if (unit + 1 == COUNT_OF(units))
        return arena_printf(arena, "%.0f s", first);
    double second = floor((left - first * units[unit].seconds) / units[unit + 1].seconds);
    return second > 0 ? arena_printf(arena, "%.0f %s %.0f %s", first, units[unit].name, second, units[unit + 1].name)
                      : arena_printf(arena, "%.0f %s", first, units[unit].name);
}

Str human_duration(Arena *arena, double seconds)
{
    double ms = seconds * 1e3;
    if (seconds >= 99.95)
        return human_time(arena, seconds);
    if (ms >= 999.5)
        return arena_printf(arena, "%.1f s", seconds);
    return arena_printf(arena, "%.*f ms", ms <= 0 || ms >= 99.95 ? 0 : ms < 9.995 ? 2 : 1, ms);
}
