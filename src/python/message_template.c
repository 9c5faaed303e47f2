/* python/message_template.c -- messages with {fields}, read as Python's str.format reads them. */
#include "python/message_template.h"

#include "base/json.h"
#include "base/text.h"

enum {
    WIDTH_MAX = 100000,
    DEPTH_MAX = 2,
    MESSAGE_MAX = 256 << 10 /* bytes: more than any service accepts, and little memory */
};

/* One call of message_template_fill: what all functions below need. */
typedef struct Reader {
    Arena *arena;
    const TemplateValue *values;
    size_t value_count;
    TemplateFault *fault;
} Reader;

/* A field between its braces. */
typedef struct Markup {
    Str name, spec;
    Str conversion;   /* the character; null: none */
    bool spec_nested; /* the spec has fields of its own */
} Markup;

static bool refuse(Reader *r, const char *type, Str message)
{
    *r->fault = (TemplateFault){ .type = type, .message = message };
    return false;
}

#define REFUSE(r, ...) refuse((r), "value_error", arena_printf((r)->arena, __VA_ARGS__))

/* ---- characters, which width and precision count ---- */

static size_t char_bytes(Str s, size_t at)
{
    size_t n = 1;
    while (at + n < s.n && ((unsigned char)s.p[at + n] & 0xC0) == 0x80)
        n++;
    return n;
}

static size_t char_count(Str s)
{
    size_t count = 0;
    for (size_t at = 0; at < s.n; at += char_bytes(s, at))
        count++;
    return count;
}

static size_t char_offset(Str s, size_t chars)
{
    size_t at = 0;
    while (chars-- > 0 && at < s.n)
        at += char_bytes(s, at);
    return at;
}

/* A character as Python's messages show it: itself, or \\x and its code point. */
static Str char_told(Arena *arena, Str s)
{
    unsigned char c = (unsigned char)s.p[0];
    if (c < 128)
        return c > 32 ? (Str){ s.p, 1 } : arena_printf(arena, "\\x%x", c);
    unsigned point = c & (0x7Fu >> char_bytes(s, 0));
    for (size_t i = 1; i < char_bytes(s, 0); i++)
        point = point << 6 | ((unsigned char)s.p[i] & 0x3F);
    return arena_printf(arena, "\\x%x", point);
}

/* ---- the format specification of a string: [[fill]align][0][width][.precision][s] ---- */

typedef struct Spec {
    Str fill;
    char align;
    int64_t width, precision; /* -1: none */
} Spec;

static bool is_align(char c)
{
    return c == '<' || c == '>' || c == '^' || c == '=';
}

/* *ret is -1 if there is no digit. */
static bool read_number(Reader *r, Str s, size_t *at, int64_t *ret)
{
    size_t begin = *at;
    int64_t value = 0;
    for (; *at < s.n && char_is_digit(s.p[*at]); (*at)++) {
        value = value * 10 + (s.p[*at] - '0');
        if (value > WIDTH_MAX)
            return REFUSE(r, "Too many decimal digits in format string");
    }
    *ret = *at > begin ? value : -1;
    return true;
}

static void read_fill(Str s, size_t *at, Spec *spec)
{
    size_t first = s.n > 0 ? char_bytes(s, 0) : 0;
    if (first > 0 && first < s.n && is_align(s.p[first])) {
        spec->fill = (Str){ s.p, first };
        spec->align = s.p[first];
        *at = first + 1;
    } else if (s.n > 0 && is_align(s.p[0])) {
        spec->align = s.p[0];
        *at = 1;
    }
}

/* What numbers may have between alignment and width, and strings may not. Refused last, as in Python. */
typedef struct NumberOnly {
    char sign;
    bool alternate, no_negative_zero;
    char separator;
} NumberOnly;

static bool read_spec_parts(Reader *r, Str s, size_t *at, Spec *spec, NumberOnly *other)
{
    read_fill(s, at, spec);
    if (*at < s.n && (s.p[*at] == '+' || s.p[*at] == '-' || s.p[*at] == ' '))
        other->sign = s.p[(*at)++];
    if (*at < s.n && s.p[*at] == 'z') {
        other->no_negative_zero = true;
        (*at)++;
    }
    if (*at < s.n && s.p[*at] == '#') {
        other->alternate = true;
        (*at)++;
    }
    if (!spec->fill.p && *at < s.n && s.p[*at] == '0') {
        spec->fill = STR("0");
        (*at)++;
    }
    if (!read_number(r, s, at, &spec->width))
        return false;
    if (*at < s.n && (s.p[*at] == ',' || s.p[*at] == '_'))
        other->separator = s.p[(*at)++];
    if (*at < s.n && (s.p[*at] == ',' || s.p[*at] == '_'))
        return s.p[*at] == other->separator ? REFUSE(r, "Cannot specify '%c' with '%c'.", s.p[*at], s.p[*at])
                                            : REFUSE(r, "Cannot specify both ',' and '_'.");
    if (*at >= s.n || s.p[*at] != '.')
        return true;
    (*at)++;
    return read_number(r, s, at, &spec->precision) &&
           (spec->precision >= 0 || REFUSE(r, "Format specifier missing precision"));
}

/* Thousands separators, and the codes of numbers that allow them. */
static bool check_separator(Reader *r, char separator, Str type)
{
    const char *with = separator == ',' ? "deEfFgG%" : "deEfFgG%boxX";
    if (!separator || (type.n > 0 && char_in(type.p[0], with)))
        return true;
    Str told = type.n ? char_told(r->arena, type) : STR("s");
    return REFUSE(r, "Cannot specify '%c' with '%.*s'.", separator, STR_ARG(told));
}

static bool read_spec(Reader *r, Str s, Spec *spec)
{
    size_t at = 0;
    NumberOnly other = { 0 };
    *spec = (Spec){ .fill = STR_NULL, .align = '<', .width = -1, .precision = -1 };
    if (!read_spec_parts(r, s, &at, spec, &other))
        return false;
    Str rest = { s.p + at, s.n - at };
    if (char_count(rest) > 1)
        return REFUSE(r, "Invalid format specifier '%.*s' for object of type 'str'", STR_ARG(s));
    if (!check_separator(r, other.separator, rest))
        return false;
    if (rest.n > 0 && rest.p[0] != 's') {
        Str told = char_told(r->arena, rest);
        return REFUSE(r, "Unknown format code '%.*s' for object of type 'str'", STR_ARG(told));
    }
    if (other.sign == ' ')
        return REFUSE(r, "Space not allowed in string format specifier");
    if (other.sign)
        return REFUSE(r, "Sign not allowed in string format specifier");
    if (other.no_negative_zero)
        return REFUSE(r, "Negative zero coercion (z) not allowed in string format specifier");
    if (other.alternate)
        return REFUSE(r, "Alternate form (#) not allowed in string format specifier");
    return spec->align != '=' || REFUSE(r, "'=' alignment not allowed in string format specifier");
}

static void add_fill(Buf *out, Str fill, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        buf_str(out, fill);
}

static bool fits(Reader *r, const Buf *out, size_t more)
{
    return out->n + more <= MESSAGE_MAX || REFUSE(r, "The message would be longer than %d bytes", MESSAGE_MAX);
}

static bool add_formatted(Reader *r, Buf *out, Str text, Str format)
{
    Spec spec;
    if (format.n == 0) {
        buf_str(out, text);
        return fits(r, out, 0);
    }
    if (!read_spec(r, format, &spec))
        return false;
    if (spec.precision >= 0)
        text.n = char_offset(text, (size_t)spec.precision);
    int64_t padding = spec.width - (int64_t)char_count(text);
    padding = padding > 0 ? padding : 0;
    /* A fill character has up to 4 bytes. */
    if (!fits(r, out, text.n + (size_t)padding * 4))
        return false;
    int64_t left = spec.align == '>' ? padding : spec.align == '^' ? padding / 2 : 0;
    Str fill = spec.fill.p ? spec.fill : STR(" ");
    add_fill(out, fill, left);
    buf_str(out, text);
    add_fill(out, fill, padding - left);
    return true;
}

/* ---- names: {flow_name}, {flow_name[0]} ---- */

static bool is_number(Str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return s.n > 0;
}

static size_t name_end(Str s, size_t from)
{
    while (from < s.n && s.p[from] != '.' && s.p[from] != '[')
        from++;
    return from;
}

static bool take_item(Reader *r, Str index, Str *text)
{
    if (index.n == 0)
        return REFUSE(r, "Empty attribute in format string");
    if (!is_number(index))
        return refuse(r, "type_error", STR("string indices must be integers, not 'str'"));
    size_t at = index.n > 9 ? text->n : char_offset(*text, (size_t)strtoul(arena_cstr(r->arena, index), NULL, 10));
    if (at >= text->n)
        return REFUSE(r, "string index out of range");
    *text = (Str){ text->p + at, char_bytes(*text, at) };
    return true;
}

/* What follows the first name: only items; no attribute exists here. */
static bool take_rest(Reader *r, Str name, size_t at, TemplateValue *value)
{
    while (at < name.n) {
        if (name.p[at] == '.') {
            Str attribute = { name.p + at + 1, name_end(name, at + 1) - at - 1 };
            if (attribute.n == 0)
                return REFUSE(r, "Empty attribute in format string");
            return REFUSE(r, "'str' object has no attribute '%.*s'", STR_ARG(attribute));
        }
        if (name.p[at] != '[')
            return REFUSE(r, "Only '.' or '[' may follow ']' in format field specifier");
        const char *end = memchr(name.p + at, ']', name.n - at);
        if (!end)
            return REFUSE(r, "Missing ']' in format string");
        Str index = { name.p + at + 1, (size_t)(end - name.p) - at - 1 };
        if (!take_item(r, index, &value->text))
            return false;
        value->repr = json_python_repr(r->arena, value->text);
        at = (size_t)(end - name.p) + 1;
    }
    return true;
}

static bool find_value(Reader *r, Str name, TemplateValue *ret)
{
    Str first = { name.p, name_end(name, 0) };
    if (first.n == 0 || is_number(first))
        return REFUSE(r, "Replacement index %.*s out of range for positional args tuple", first.n ? (int)first.n : 1,
                      first.n ? first.p : "0");
    for (size_t i = 0; i < r->value_count; i++) {
        if (str_is(first, r->values[i].name)) {
            *ret = r->values[i];
            return take_rest(r, name, first.n, ret);
        }
    }
    return REFUSE(r, "Invalid template variable provided: '%.*s'", STR_ARG(first));
}

/* ---- the text between fields ---- */

/* Reads a field's name, and the character that ends it; within brackets, nothing does. */
static bool read_name(Reader *r, Str s, size_t *at, Str *ret_name, char *ret_end)
{
    size_t begin = *at;
    bool bracket = false;
    while (*at < s.n) {
        char c = s.p[(*at)++];
        if (c == '{')
            return REFUSE(r, "unexpected '{' in field name");
        bracket = c == '[' || (bracket && c != ']');
        if (!bracket && (c == '}' || c == ':' || c == '!')) {
            *ret_name = (Str){ s.p + begin, *at - 1 - begin };
            *ret_end = c;
            return true;
        }
    }
    return REFUSE(r, "expected '}' before end of string");
}

static bool read_spec_text(Reader *r, Str s, size_t *at, Markup *markup)
{
    /* Up to the brace that closes the field; those of nested fields are skipped, and filled in later. */
    size_t begin = *at, depth = 1;
    while (*at < s.n) {
        char c = s.p[(*at)++];
        markup->spec_nested = markup->spec_nested || c == '{';
        depth += c == '{';
        depth -= c == '}';
        if (depth == 0) {
            markup->spec = (Str){ s.p + begin, *at - 1 - begin };
            return true;
        }
    }
    return REFUSE(r, "unmatched '{' in format spec");
}

/* Reads a field from behind its "{" up to its "}". */
static bool read_markup(Reader *r, Str s, size_t *at, Markup *markup)
{
    char end;
    *markup = (Markup){ .spec = STR("") };
    if (!read_name(r, s, at, &markup->name, &end))
        return false;
    if (end == '}')
        return true;
    if (end == '!') {
        if (*at >= s.n)
            return REFUSE(r, "end of string while looking for conversion specifier");
        markup->conversion = (Str){ s.p + *at, char_bytes(s, *at) };
        *at += markup->conversion.n;
        if (*at < s.n && s.p[*at] == '}') {
            (*at)++;
            return true;
        }
        if (*at < s.n && s.p[(*at)++] != ':')
            return REFUSE(r, "expected ':' after conversion specifier");
    }
    return read_spec_text(r, s, at, markup);
}

static bool convert(Reader *r, Str conversion, TemplateValue *value)
{
    char c = conversion.p ? conversion.p[0] : 's';
    if (c == 'r' || c == 'a') {
        value->text = value->repr;
        return true;
    }
    if (c == 's')
        return true;
    Str told = char_told(r->arena, conversion);
    return REFUSE(r, "Unknown conversion specifier %.*s", STR_ARG(told));
}

/* `depth`: how many levels of fields are still allowed, that of `s` included. */
static bool fill(Reader *r, Str s, unsigned depth, Buf *out);

static bool add_field(Reader *r, const Markup *markup, unsigned depth, Buf *out)
{
    TemplateValue value;
    Str spec = markup->spec;
    if (!find_value(r, markup->name, &value) || !convert(r, markup->conversion, &value))
        return false;
    if (markup->spec_nested) {
        Buf expanded;
        buf_init(&expanded, r->arena, 64);
        if (!fill(r, spec, depth - 1, &expanded))
            return false;
        spec = buf_view(&expanded);
    }
    return add_formatted(r, out, value.text, spec);
}

static bool fill(Reader *r, Str s, unsigned depth, Buf *out)
{
    if (depth == 0)
        return REFUSE(r, "Max string recursion exceeded");
    for (size_t at = 0; at < s.n;) {
        char c = s.p[at++];
        if (c != '{' && c != '}') {
            buf_char(out, c);
            continue;
        }
        if (at < s.n && s.p[at] == c) { /* doubled: the character itself */
            buf_char(out, c);
            at++;
            continue;
        }
        if (c == '}' || at >= s.n)
            return REFUSE(r, "Single '%c' encountered in format string", c);
        Markup markup;
        if (!read_markup(r, s, &at, &markup) || !add_field(r, &markup, depth, out))
            return false;
    }
    return true;
}

bool message_template_fill(Arena *arena, Str template, const TemplateValue *values, size_t count, Str *ret,
                           TemplateFault *fault)
{
    Reader reader = { .arena = arena, .values = values, .value_count = count, .fault = fault };
    Buf out;
    buf_init(&out, arena, template.n + 256);
    if (!fill(&reader, template, DEPTH_MAX, &out) || !fits(&reader, &out, 0))
        return false;
    *ret = buf_view(&out);
    return true;
}
