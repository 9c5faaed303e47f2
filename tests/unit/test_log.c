/* tests/unit/test_log.c -- base/log.c and log_format.c: whatever a client sent, an entry is one line that controls
 * nothing, and JSON can be read. */
#include "unit.h"

#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/random.h"
#include "base/unicode.h"

/* What log_line writes for a text, without head and end of line. */
static const char *logged(const char *text)
{
    static char line[8192];
    int ends[2], saved = dup(STDERR_FILENO);
    assert_int_equal(pipe(ends), 0);
    assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
    log_line(LOG_ERROR, "orion.test", "%s", text);
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    ssize_t n = read(ends[0], line, sizeof line - 1);
    close(ends[0]);
    close(ends[1]);
    close(saved);
    assert_true(n > 0 && line[n - 1] == '\n');
    line[n - 1] = 0;
    const char *body = strstr(line, " | ERROR   | orion.test - ");
    assert_non_null(body);
    return body + strlen(" | ERROR   | orion.test - ");
}

static void what_ends_lines_or_controls_terminals_is_blank(void **state)
{
    assert_string_equal(logged("a\r\nb\t\x1b[2J\x7f"), "a  b  [2J ");
    assert_string_equal(logged("\xc2\x85" "2\xc2\x9b" "1m"), "  2  1m");
    assert_string_equal(logged("a\u2028b\u2029c"), "a   b   c");
    assert_string_equal(logged("\u202egnp\u2066x\u200f"), "   gnp   x   ");
    (void)state;
}

static void other_texts_stay(void **state)
{
    assert_string_equal(logged("\u00e9 \u6f22 \U0001f600 \u00a0 %s"), "\u00e9 \u6f22 \U0001f600 \u00a0 %s");
    assert_string_equal(logged("\xc3\x28\xff"), "?(?");
    (void)state;
}

/* The line is cut where it is full, perhaps within a character. */
static void a_long_text_is_cut(void **state)
{
    static char text[9001];
    for (size_t i = 0; i + 3 <= 9000; i += 3)
        memcpy(text + i, "\u6f22", 3);
    const char *line = logged(text);
    assert_true(strlen(line) < 4096);
    assert_memory_equal(line, text, 3000);
    (void)state;
}

/* ---- formats ---- */

static LogEntry entry_of(const char *message, const char *request, const LogField *fields, size_t count)
{
    return (LogEntry){ .time = { 1764514159, 7000000 }, .level = "INFO", .logger = "orion.test",
                       .message = str_from(message), .request = str_from(request), .fields = fields, .count = count };
}

static const char *formatted(LogFormat format, const LogEntry *entry)
{
    static char line[LOG_LINE_MAX + 1];
    line[log_format_write(format, entry, line)] = 0;
    return line;
}

static void each_format_names_time_level_logger_message_and_request(void **state)
{
    const LogField fields[] = { { .name = "path", .text = STR("/a\"b\x1b\\") }, { .name = "status", .number = 200 },
                                { .name = "ms", .number = 1.25, .decimals = 1 } };
    LogEntry entry = entry_of("say \"hi\"", "id-1", fields, COUNT_OF(fields)), bare = entry_of("hi", "", NULL, 0);
    assert_string_equal(formatted(LOG_JSON, &entry),
        "{\"timestamp\":\"2025-11-30T14:49:19.007Z\",\"level\":\"INFO\",\"logger\":\"orion.test\","
        "\"message\":\"say \\\"hi\\\"\",\"request_id\":\"id-1\","
        "\"path\":\"/a\\\"b \\\\\",\"status\":200,\"ms\":1.2}\n");
    assert_string_equal(formatted(LOG_LOGFMT, &entry),
        "timestamp=2025-11-30T14:49:19.007Z level=INFO logger=orion.test message=\"say \\\"hi\\\"\" request_id=id-1 "
        "path=\"/a\\\"b \\\\\" status=200 ms=1.2\n");
    assert_non_null(strstr(formatted(LOG_TEXT, &entry), " | INFO    | orion.test - say \"hi\" [id-1]\n"));
    assert_string_equal(formatted(LOG_JSON, &bare),
        "{\"timestamp\":\"2025-11-30T14:49:19.007Z\",\"level\":\"INFO\",\"logger\":\"orion.test\","
        "\"message\":\"hi\"}\n");
    assert_string_equal(formatted(LOG_LOGFMT, &bare),
        "timestamp=2025-11-30T14:49:19.007Z level=INFO logger=orion.test message=hi\n");
    assert_non_null(strstr(formatted(LOG_TEXT, &bare), " | INFO    | orion.test - hi\n"));
    (void)state;
}

static void assert_is_line(LogFormat format, Str line)
{
    assert_true(line.n <= LOG_LINE_MAX && line.p[line.n - 1] == '\n');
    line.n--;
    assert_true(utf8_is_valid(line));
    for (size_t i = 0; i < line.n; i++)
        assert_true((unsigned char)line.p[i] >= ' ');
    if (format != LOG_JSON)
        return;
    Arena *arena = arena_new();
    assert_true(json_is_valid(arena, line));
    arena_free(arena);
}

/* Of any length, and with any bytes in fields. */
static void every_line_is_bounded_and_can_be_read(void **state)
{
    static const char *const pieces[] = { "\"", "\\", "a", "=", " ", "\u00e9", "\u6f22", "\U0001f600" };
    static char message[LOG_LINE_MAX], strange[LOG_LINE_MAX];
    for (size_t round = 0; round < 3000; round++) {
        size_t most = random_64() % sizeof message, n = 0, bytes = random_64() % sizeof strange;
        for (const char *piece; piece = pieces[random_64() % COUNT_OF(pieces)], n + strlen(piece) <= most;) {
            memcpy(message + n, piece, strlen(piece));
            n += strlen(piece);
        }
        for (size_t i = 0; i < bytes; i++)
            strange[i] = round % 2 ? '"' : (char)random_64();
        const LogField fields[] = { { .name = "one", .text = { strange, bytes } },
                                    { .name = "two", .text = { strange, bytes / 2 } },
                                    { .name = "three", .text = { strange, bytes } }, { .name = "n", .number = 1e300 } };
        LogEntry entry = entry_of("", "request", fields, COUNT_OF(fields));
        entry.message = (Str){ message, n };
        for (LogFormat format = LOG_TEXT; format < LOG_FORMAT_COUNT; format++) {
            char line[LOG_LINE_MAX];
            assert_is_line(format, (Str){ line, log_format_write(format, &entry, line) });
        }
    }
    (void)state;
}

static void lines_name_the_request_they_are_about(void **state)
{
    log_request(STR("r1"));
    assert_string_equal(logged("a"), "a [r1]");
    log_request(STR_NULL);
    assert_string_equal(logged("b"), "b");
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_ends_lines_or_controls_terminals_is_blank),
        cmocka_unit_test(other_texts_stay),
        cmocka_unit_test(a_long_text_is_cut),
        cmocka_unit_test(each_format_names_time_level_logger_message_and_request),
        cmocka_unit_test(every_line_is_bounded_and_can_be_read),
        cmocka_unit_test(lines_name_the_request_they_are_about),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
