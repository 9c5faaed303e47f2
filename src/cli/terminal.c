/* cli/terminal.c -- lines, in colour if they go to a terminal, and questions. */
#include "cli/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <strings.h>
#include <unistd.h>

#include "base/json.h"
#include "base/unicode.h"

/* Called before the settings are loaded, for usage errors, and again afterwards: they may turn colours off. */
void cli_colours(Cli *cli)
{
    const char *terminal = getenv("TERM");
    bool wanted = !getenv("NO_COLOR") && terminal && strcmp(terminal, "dumb") != 0 &&
        (!cli->settings || settings_bool(cli->settings, "PREFECT_CLI_COLORS"));
    cli->colour_out = wanted && isatty(STDOUT_FILENO);
    cli->colour_err = wanted && isatty(STDERR_FILENO);
}

static void print_line(FILE *file, const char *colour, const char *format, va_list values)
    __attribute__((format(printf, 3, 0)));
static void print_line(FILE *file, const char *colour, const char *format, va_list values)
{
    char *text;
    if (vasprintf(&text, format, values) < 0)
        return;
    utf8_blank_invalid(text, strlen(text)); /* it may contain what another program stored */
    if (colour)
        fputs(colour, file);
    fputs(text, file);
    free(text);
    fputs(colour ? "\033[0m\n" : "\n", file);
}

void cli_good(const Cli *cli, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    print_line(stdout, cli->colour_out ? "\033[32m" : NULL, format, values);
    va_end(values);
}

void cli_note(const Cli *cli, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    print_line(stdout, cli->colour_out ? "\033[33m" : NULL, format, values);
    va_end(values);
}

int cli_bad(const Cli *cli, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    fflush(stdout);
    print_line(stderr, cli->colour_err ? "\033[31m" : NULL, format, values);
    va_end(values);
    return 1;
}

static bool is_one_of(Str word, const char *a, const char *b)
{
    return (word.n == strlen(a) && strncasecmp(word.p, a, word.n) == 0) ||
           (word.n == strlen(b) && strncasecmp(word.p, b, word.n) == 0);
}

Answer cli_confirm(const char *question)
{
    char line[128];
    for (;;) {
        printf("%s [y/N]: ", question);
        fflush(stdout);
        if (!fgets(line, sizeof line, stdin)) {
            fputs("Aborted.\n", stderr);
            return ANSWER_NONE;
        }
        Str word = { line, strcspn(line, " \r\n") };
        if (is_one_of(word, "y", "yes"))
            return ANSWER_YES;
        if (word.n == 0 || is_one_of(word, "n", "no"))
            return ANSWER_NO;
        puts("Error: invalid input");
    }
}

const char *cli_quoted(const Cli *cli, Str s)
{
    return arena_cstr(cli->arena, json_python_repr(cli->arena, s));
}
