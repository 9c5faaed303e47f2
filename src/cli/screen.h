/* cli/screen.h -- text in columns, with bars and small curves: cut to the terminal's width, in colour if it has any. */
#ifndef ORION_SCREEN_H
#define ORION_SCREEN_H

#include "base/buf.h"
#include "base/clock.h"

typedef enum Style {
    STYLE_PLAIN, STYLE_BOLD, STYLE_DIM, STYLE_GREEN, STYLE_YELLOW, STYLE_RED, STYLE_BLUE, STYLE_COUNT
} Style;

/* All columns are counted from 0. Whoever makes it sets these: */
typedef struct Screen {
    Buf out;
    unsigned width;
    bool colour;
    bool unicode;   /* the terminal shows UTF-8; without it there is only ASCII between texts of others */
    unsigned column; /* where the next text goes */
} Screen;

/* Makes widths of characters known (LC_CTYPE). Returns whether the user's terminal shows UTF-8. */
bool screen_locale(void);

/* Text, cut where the line is full. What comes from elsewhere may hold anything: it controls no terminal. */
void screen_put(Screen *screen, Style style, Str text);
void screen_printf(Screen *screen, Style style, const char *format, ...) PRINTF(3, 4);
/* The same, cut to `columns`, and padded to them: on the right or on the left. */
void screen_cell(Screen *screen, Style style, unsigned columns, Str text);
void screen_number(Screen *screen, Style style, unsigned columns, Str text);
void screen_to(Screen *screen, unsigned column); /* spaces up to there; at least one, if there is text before */
void screen_line(Screen *screen);                /* ends the line */
unsigned screen_columns(Str text);               /* how many it takes */
/* A cell for who prints a line himself: padded to `columns`, cut to `most`. */
const char *screen_padded(Arena *arena, Str text, unsigned columns, unsigned most);

/* A bar of `share` (0 to 1) of `columns`, which are then all taken. What is not nothing shows at least a little. */
void screen_bar(Screen *screen, Style style, double share, unsigned columns);
/* A column for each value, the highest for `most`. */
void screen_curve(Screen *screen, Style style, const double *values, size_t count, double most);

/* For people, in the arena: "1,234,567"; "2.4 GB"; "3 d 4 h", "12 s"; "0.84 ms", "1.2 s". */
Str human_count(Arena *arena, double count);
Str human_bytes(Arena *arena, double bytes);
Str human_time(Arena *arena, double seconds);
Str human_duration(Arena *arena, double seconds);

#endif
