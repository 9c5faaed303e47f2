/* base/log_format.c -- a log entry as one line. What comes after the message is written first, elsewhere, so that the
 * message gets the room that is left. */
#include "base/log_format.h"

#include "base/unicode.h"

const char *const log_format_names[LOG_FORMAT_COUNT] = { "text", "json", "logfmt" };

enum { TAIL_MAX = 3072 }; /* more than all fields of a request can take */

/* Bytes in a buffer of fixed size: what does not fit is not written. */
typedef struct Line {
    char *p;
    size_t n, room;
} Line;

/* What differs between JSON and logfmt. */
typedef struct Style {
    const char *opens, *before_name, *after_name, *separator, *closes;
    bool quotes_all; /* texts are always in quotes */
} Style;

static const Style styles[] = {
    [LOG_JSON] = { "{", "\"", "\":", ",", "}", true },
    [LOG_LOGFMT] = { "", "", "=", " ", "", false },
};

static void put(Line *line, const char *bytes, size_t n)
{
    if (n > line->room - line->n)
        return;
    memcpy(line->p + line->n, bytes, n);
    line->n += n;
}

static void put_text(Line *line, const char *text)
{
    put(line, text, strlen(text));
}

/* How many bytes of whole characters fit. */
static size_t cut(Str text, size_t room)
{
    if (text.n <= room)
        return text.n;
    while (room > 0 && ((unsigned char)text.p[room] & 0xC0) == 0x80)
        room--;
    return room;
}

/* Whether logfmt needs quotes around it. */
static bool is_word(Str text)
{
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] <= ' ' || char_in(text.p[i], "\"\\="))
            return false;
    return text.n > 0;
}

/* Valid UTF-8 without control characters; cut between characters where only `kept` bytes would be left. */
static void put_value(Line *line, const Style *style, Str text, size_t kept)
{
    if (!style->quotes_all && is_word(text) && text.n + kept <= line->room - line->n) {
        put(line, text.p, text.n);
        return;
    }
    put(line, "\"", 1);
    for (size_t i = 0, size; i < text.n; i += size) {
        bool escaped = text.p[i] == '"' || text.p[i] == '\\';
        size = 1;
        if ((unsigned char)text.p[i] >= 0x80)
            (void)unicode_at(text, i, &size);
        if (size + escaped + 1 + kept > line->room - line->n)
            break;
        if (escaped)
            line->p[line->n++] = '\\';
        memcpy(line->p + line->n, text.p + i, size);
        line->n += size;
    }
    put(line, "\"", 1);
}

static void put_name(Line *line, const Style *style, const char *name)
{
    put_text(line, style->before_name);
    put_text(line, name);
    put_text(line, style->after_name);
}

/* The part of a client's text that fits, without what could end or disturb a line. */
static Str cleaned(Str text, char out[LOG_FIELD_MAX])
{
    size_t n = text.n < LOG_FIELD_MAX ? text.n : LOG_FIELD_MAX;
    memcpy(out, text.p, n);
    utf8_blank_strange(out, n);
    return (Str){ out, n };
}

/* All of it or nothing. */
static void put_field(Line *tail, const Style *style, const LogField *field)
{
    char bytes[2 * LOG_FIELD_MAX + 128], text[LOG_FIELD_MAX], number[64];
    Line one = { .p = bytes, .room = sizeof bytes };
    put_text(&one, style->separator);
    put_name(&one, style, field->name);
    if (field->text.p) {
        put_value(&one, style, cleaned(field->text, text), 0);
    } else {
        (void)snprintf(number, sizeof number, "%.*f", field->decimals, field->number);
        put_text(&one, number);
    }
    put(tail, one.p, one.n);
}

static void put_time(Line *line, const struct timespec *time)
{
    char text[64];
    struct tm utc;
    gmtime_r(&time->tv_sec, &utc);
    size_t n = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    (void)snprintf(text + n, sizeof text - n, ".%03dZ", (int)(time->tv_nsec / 1000000));
    put_text(line, text);
}

static void write_fields(const Style *style, const LogEntry *entry, Line *line)
{
    char bytes[TAIL_MAX];
    Line tail = { .p = bytes, .room = sizeof bytes - 1 }; /* for what closes */
    if (entry->request.n)
        put_field(&tail, style, &(LogField){ .name = "request_id", .text = entry->request });
    for (size_t i = 0; i < entry->count; i++)
        put_field(&tail, style, &entry->fields[i]);
    tail.room = sizeof bytes;
    put_text(&tail, style->closes);

    const char *quote = style->quotes_all ? "\"" : "";
    put_text(line, style->opens);
    put_name(line, style, "timestamp");
    put_text(line, quote);
    put_time(line, &entry->time);
    put_text(line, quote);
    put_text(line, style->separator);
    put_name(line, style, "level");
    put_value(line, style, str_from(entry->level), tail.n);
    put_text(line, style->separator);
    put_name(line, style, "logger");
    put_value(line, style, str_from(entry->logger), tail.n);
    put_text(line, style->separator);
    put_name(line, style, "message");
    put_value(line, style, entry->message, tail.n);
    put(line, tail.p, tail.n);
}

/* Local time, as the reference's lines have it. */
static void write_text(const LogEntry *entry, Line *line)
{
    char head[256];
    struct tm local;
    localtime_r(&entry->time.tv_sec, &local);
    (void)snprintf(head, sizeof head, "%02d:%02d:%02d.%03d | %-7s | %s - ", local.tm_hour, local.tm_min, local.tm_sec,
                   (int)(entry->time.tv_nsec / 1000000), entry->level, entry->logger);
    put_text(line, head);
    size_t kept = entry->request.n ? entry->request.n + strlen(" []") : 0, room = line->room - line->n - kept;
    put(line, entry->message.p, cut(entry->message, room));
    if (!kept)
        return;
    put_text(line, " [");
    put(line, entry->request.p, entry->request.n);
    put_text(line, "]");
}

size_t log_format_write(LogFormat format, const LogEntry *entry, char *p)
{
    Line line = { .p = p, .room = LOG_LINE_MAX - 1 };
    if (format == LOG_TEXT)
        write_text(entry, &line);
    else
        write_fields(&styles[format], entry, &line);
    p[line.n++] = '\n';
    return line.n;
}
