/* python/python_regex.c -- Python's regular expressions by means of the C library's: what schemas use means the same
 * there, though some of it is written differently. */
#include "python/python_values.h"

#include <ctype.h>
#include <locale.h>
#include <regex.h>

enum {
    PATTERN_MAX = 1000,   /* bytes */
    REPEATS_MAX = 1000,   /* all counted repetitions multiplied: the library writes them out */
    NODES_MAX = 20000,    /* bytes of a pattern with its repetitions written out */
    STATES_MAX = 4000000, /* those times the text's bytes: the library may build a state of that size at each byte */
    SEARCH_COST = 1000,   /* steps that any search takes */
    ANCHORS_MAX = 12,     /* "^", "$", "\b" in a pattern: at worst 3 ms */
    ANCHOR_COST = 100,    /* steps, doubled by each of them */
    ANCHORS_MEETING = 4   /* of these with no character between them */
};

/* A pattern being translated; `rest` is still to come. `is_beyond`: it cannot be said in the library's language. */
typedef struct Translation {
    Buf out;
    Str rest;
    int64_t repeats;
    int depth, anchor_depth; /* of groups; of the last anchor, as far as its groups are open */
    unsigned anchors, meeting;
    bool in_brackets, is_beyond;
} Translation;

static const char *class_of(char c, bool in_brackets)
{
    switch (c) {
    case 'd': return in_brackets ? "0-9" : "[0-9]";
    case 'w': return in_brackets ? "_[:alnum:]" : "[_[:alnum:]]";
    case 's': return in_brackets ? "[:space:]" : "[[:space:]]";
    case 'D': return in_brackets ? NULL : "[^0-9]";
    case 'W': return in_brackets ? NULL : "[^_[:alnum:]]";
    case 'S': return in_brackets ? NULL : "[^[:space:]]";
    case 'n': return "\n";
    case 't': return "\t";
    case 'r': return "\r";
    case 'A': return in_brackets ? NULL : "^";
    case 'Z': return in_brackets ? NULL : "$";
    default: return NULL;
    }
}

static void take_escape(Translation *t)
{
    char c = t->rest.n > 1 ? t->rest.p[1] : '\0';
    const char *text = class_of(c, t->in_brackets);
    bool is_letter = isalnum((unsigned char)c) || c == '\0';
    if (text)
        buf_text(&t->out, text);
    else if (is_letter && !(c == 'b' && !t->in_brackets))
        t->is_beyond = true;
    else if (t->in_brackets || char_in(c, "<>`'")) /* escaped, these mean something else to the library */
        buf_char(&t->out, c); /* brackets have no escapes in ERE; a ']' or '^' would have to move */
    else
        buf_printf(&t->out, "\\%c", c);
    t->is_beyond = t->is_beyond || (t->in_brackets && char_in(c, "]^-[\\"));
    size_t taken = t->rest.n > 1 ? 2 : 1;
    t->rest.p += taken;
    t->rest.n -= taken;
}

/* "{2,5}" is a repetition; any other brace is literal. */
static void take_brace(Translation *t)
{
    size_t n = 1;
    int64_t most = 0;
    while (n < t->rest.n && (isdigit((unsigned char)t->rest.p[n]) || t->rest.p[n] == ','))
        n++;
    bool counts = n > 1 && n < t->rest.n && t->rest.p[n] == '}';
    if (!counts) {
        buf_text(&t->out, "\\{");
        n = 0;
    } else {
        const char *comma = memchr(t->rest.p, ',', n);
        most = strtoll(comma && isdigit((unsigned char)comma[1]) ? comma + 1 : t->rest.p + 1, NULL, 10);
        buf_text(&t->out, t->rest.p[1] == ',' ? "{0" : "{");
        buf_add(&t->out, t->rest.p + 1, n);
    }
    if (most > REPEATS_MAX || t->repeats * (most ? most : 1) > REPEATS_MAX)
        t->is_beyond = true;
    else
        t->repeats *= most ? most : 1;
    t->rest.p += n + 1;
    t->rest.n -= n + 1;
}

static void take_group(Translation *t)
{
    size_t n = 1;
    if (t->rest.n > 1 && t->rest.p[1] == '?') {
        if (t->rest.n > 2 && t->rest.p[2] == ':')
            n = 3;
        else
            t->is_beyond = true;
    }
    buf_char(&t->out, '(');
    t->rest.p += n;
    t->rest.n -= n;
}

static void take_sign(Translation *t)
{
    char c = t->rest.p[0];
    bool repeated = t->out.n && char_in(c, "*+?}") && t->rest.n > 1;
    if (c == '[' && !t->in_brackets)
        t->in_brackets = true;
    else if (c == ']')
        t->in_brackets = false;
    if (c == '$' && !t->in_brackets)
        buf_text(&t->out, "\n?$"); /* '$' also matches before a final line break */
    else
        buf_char(&t->out, c);
    size_t taken = 1;
    if (repeated && !t->in_brackets && t->rest.p[1] == '?')
        taken = 2; /* a lazy repetition matches the same texts */
    else if (repeated && !t->in_brackets && t->rest.p[1] == '+')
        t->is_beyond = true;
    t->rest.p += taken;
    t->rest.n -= taken;
}

static bool is_anchor(Str token)
{
    return token.n > 1 ? token.p[0] == '\\' && char_in(token.p[1], "bAZ") : char_in(token.p[0], "^$");
}

/* With anchors that can meet the library takes time that grows exponentially with their number: 16 times "(\b)*", or
 * 64 times "\b", take more than a minute. So few may, and none inside a repetition. `token` was just taken. */
static void watch_anchors(Translation *t, Str token, bool was_in_brackets)
{
    char next = t->rest.n ? t->rest.p[0] : '\0';
    bool is_repeated = char_in(next, "*+?{");
    if (t->in_brackets)
        return;
    if (!was_in_brackets && is_anchor(token)) {
        t->anchor_depth = t->depth;
        t->is_beyond = t->is_beyond || is_repeated || ++t->anchors > ANCHORS_MAX || ++t->meeting > ANCHORS_MEETING;
    } else if (!was_in_brackets && token.p[0] == '(') {
        t->depth++;
    } else if (!was_in_brackets && token.p[0] == ')') {
        bool holds_anchor = t->anchors && t->anchor_depth >= t->depth;
        t->is_beyond = t->is_beyond || (holds_anchor && is_repeated);
        t->depth--;
        t->anchor_depth = holds_anchor ? t->depth : t->anchor_depth;
    } else if ((was_in_brackets || !char_in(token.p[0], "*+?{|")) && !char_in(next, "*?{")) {
        t->meeting = 0; /* a character that must be there */
    }
}

/* *ret_nodes: the size of the pattern with its repetitions written out. False: it must not be tried. */
static bool translate(Arena *arena, Str pattern, const char **ret, size_t *ret_nodes, unsigned *ret_anchors)
{
    Translation t = { .rest = pattern, .repeats = 1, .anchor_depth = -1 };
    if (pattern.n > PATTERN_MAX)
        return false;
    buf_init(&t.out, arena, pattern.n * 2 + 16);
    while (t.rest.n && !t.is_beyond) {
        char c = t.rest.p[0];
        const char *begin = t.rest.p;
        bool was_in_brackets = t.in_brackets;
        if (c == '\0')
            t.is_beyond = true;
        else if (c == '\\')
            take_escape(&t);
        else if (c == '{' && !t.in_brackets)
            take_brace(&t);
        else if (c == '(' && !t.in_brackets)
            take_group(&t);
        else
            take_sign(&t);
        watch_anchors(&t, (Str){ begin, (size_t)(t.rest.p - begin) }, was_in_brackets);
    }
    *ret = buf_cstr(&t.out);
    *ret_nodes = pattern.n * (size_t)t.repeats;
    *ret_anchors = t.anchors;
    return !t.is_beyond && *ret_nodes <= NODES_MAX;
}

/* A pattern that does not compile counts as found. */
static bool search(const char *pattern, const char *text)
{
    regex_t regex;
    if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
        return true;
    bool found = regexec(&regex, text, 0, NULL, 0) != REG_NOMATCH;
    regfree(&regex);
    return found;
}

/* In a UTF-8 locale, set for this thread only, so that "." is a character. */
bool python_search(Arena *arena, Str pattern, Str text, size_t *steps)
{
    const char *translated;
    size_t nodes;
    unsigned anchors;
    *steps += SEARCH_COST;
    if (memchr(text.p, '\0', text.n) || !translate(arena, pattern, &translated, &nodes, &anchors) ||
        nodes * text.n > STATES_MAX)
        return true;
    *steps += SEARCH_COST * nodes / 100 + nodes * text.n + ((size_t)ANCHOR_COST << anchors);
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", NULL);
    locale_t before = utf8 ? uselocale(utf8) : NULL;
    bool found = search(translated, arena_cstr(arena, text));
    if (utf8) {
        uselocale(before);
        freelocale(utf8);
    }
    return found;
}
