/* tests/unit/test_log.c -- base/log.c: whatever a client sent, an entry is one line that controls nothing. */
#include "unit.h"

#include <unistd.h>

#include "base/log.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_ends_lines_or_controls_terminals_is_blank),
        cmocka_unit_test(other_texts_stay),
        cmocka_unit_test(a_long_text_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
