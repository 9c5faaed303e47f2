/* cli/cmd_status.c -- `orion status`: a running server on one screen, once or again and again. */
#include <unistd.h>

#include "base/clock.h"
#include "cli/api_client.h"
#include "cli/cli.h"
#include "cli/full_screen.h"
#include "cli/status_picture.h"
#include "config/setting_value.h"

enum { ROWS_PRINTED = 50, ROWS_LEAST = 3, ROWS_AROUND = 24 }; /* of a list; lines that are not of lists */

/* ---- options ---- */

/* Seconds; 0, or the exit status after a usage error. */
static int read_time(const Cli *cli, const char *option, double otherwise, double least, double *ret)
{
    static const Setting row = { "--", SETTING_TIME, NULL };
    const double most = 86400;
    Str text = str_from(cli_option(cli, option));
    SettingValue value = { .number = otherwise };
    SettingProblem problem;
    if ((text.p && !setting_parse(&row, TOML_STRING, text, cli->arena, &value, &problem)) || value.number < least ||
        value.number > most)
        return cli_usage(cli, cli->command,
                         "Invalid value for '--%s': %s is not a time from %g seconds to a day, as in 500ms or 10s.",
                         option, cli_quoted(cli, text), least);
    *ret = value.number;
    return 0;
}

/* 0, or the exit status. */
static int apply_options(Cli *cli)
{
    Error error = { .code = ERR_NONE };
    const CliOption *option = cli->command->options;
    for (size_t i = 0; option[i].name; i++)
        if (cli->values[i] && option[i].setting &&
            !settings_override(cli->settings, option[i].setting, str_from(cli->values[i]), &error))
            return cli_bad(cli, "%s", error.message);
    int64_t port = settings_int(cli->settings, "PREFECT_ORION_API_PORT");
    if (port < 1 || port > 65535)
        return cli_usage(cli, cli->command, "Invalid value for '--port': %lld is not a port.", (long long)port);
    if (cli_option(cli, "url") && (cli_option(cli, "host") || cli_option(cli, "port")))
        return cli_usage(cli, cli->command, "Give either --url, or --host and --port.");
    if (cli_switch(cli, "check", false) && (cli_switch(cli, "watch", false) || cli_switch(cli, "json", false)))
        return cli_usage(cli, cli->command, "--check takes neither --watch nor --json.");
    if (cli_option(cli, "every") && !cli_switch(cli, "watch", false))
        return cli_usage(cli, cli->command, "--every is for --watch.");
    return 0;
}

/* Where a server with these settings listens. An address for all of the machine's own is reached by the loopback. */
static Str own_url(const Cli *cli)
{
    const Settings *settings = cli->settings;
    Str host = settings_text(settings, "PREFECT_ORION_API_HOST"), root = settings_text(settings, "ORION_ROOT_PATH");
    if (str_is(host, "0.0.0.0") || host.n == 0)
        host = STR("127.0.0.1");
    else if (str_is(host, "::"))
        host = STR("::1");
    bool is_v6 = memchr(host.p, ':', host.n) != NULL;
    return arena_printf(cli->arena, "http://%s%.*s%s:%lld%.*s/api", is_v6 ? "[" : "", STR_ARG(host), is_v6 ? "]" : "",
                        (long long)settings_int(settings, "PREFECT_ORION_API_PORT"), STR_ARG(root));
}

/* What this machine's own server is signed in to with is sent to no other. */
static ApiTarget target_of(const Cli *cli)
{
    const Settings *settings = cli->settings;
    Str url = settings_text(settings, "PREFECT_API_URL");
    bool own = !url.n || cli_option(cli, "host") || cli_option(cli, "port");
    ApiTarget target = {
        .url = own ? own_url(cli) : url,
        .key = settings_text(settings, "PREFECT_API_KEY"),
        .user = own ? settings_text(settings, "ORION_AUTH_STRING") : STR_NULL,
        .any_certificate = settings_bool(settings, "PREFECT_API_TLS_INSECURE_SKIP_VERIFY"),
    };
    if (!target.key.n)
        target.key = STR_NULL;
    target.shown = str_from(cli_shown_url(cli, target.url));
    return target;
}

/* ---- asking ---- */

/* The text of the first of these members, where errors have theirs. */
static Str reason_of(const Json *answer)
{
    static const char *const places[] = { "reason", "detail", "exception_message", "message" };
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        const Json *found = json_get(answer, places[i]);
        if (found && found->kind == JSON_STRING)
            return found->text;
    }
    return STR_NULL;
}

static bool ask(const ApiTarget *target, Arena *arena, ApiAnswer *answer, const Json **ret, Error *error)
{
    if (!api_get(target, arena, "/../orion/status", answer, error))
        return false;
    *ret = json_read(arena, answer->body);
    if (answer->status == 404 || (answer->status == 200 && (!*ret || (*ret)->kind != JSON_OBJECT)))
        return fail(error, ERR_NOT_FOUND, "%.*s is not an Orion server, or one of an earlier version: it has no "
                    "/orion/status.", STR_ARG(target->shown));
    if (answer->status == 200)
        return true;
    Str reason = reason_of(*ret);
    return fail(error, ERR_INTERNAL, "%.*s answered %ld%s%.*s", STR_ARG(target->shown), answer->status,
                reason.n ? ": " : ".", STR_ARG(reason));
}

/* --check: one line. */
static int check(const Cli *cli, const ApiTarget *target)
{
    Error error = { .code = ERR_NONE };
    ApiAnswer answer;
    if (!api_get(target, cli->arena, "/ready", &answer, &error))
        return cli_bad(cli, "%s", error.message);
    Str reason = reason_of(json_read(cli->arena, answer.body));
    if (answer.status == 200) {
        cli_good(cli, "%.*s is ready.", STR_ARG(target->shown));
        return 0;
    }
    return cli_bad(cli, "%.*s is not ready: it answered %ld%s%.*s", STR_ARG(target->shown), answer.status,
                   reason.n ? ": " : ".", STR_ARG(reason));
}

/* ---- showing ---- */

static Screen screen_of(const Cli *cli, Arena *arena, bool unicode, unsigned columns)
{
    Screen screen = { .width = columns, .colour = cli->colour_out, .unicode = unicode };
    buf_init(&screen.out, arena, 4096);
    return screen;
}

/* As it was answered, but on one line whatever stands between. */
static Str on_one_line(Arena *arena, Str body, const Json *json)
{
    return memchr(body.p, '\n', body.n) || memchr(body.p, '\r', body.n) ? json_format(arena, json, JSON_WIRE) : body;
}

static int show_once(const Cli *cli, const ApiTarget *target)
{
    Error error = { .code = ERR_NONE };
    ApiAnswer answer;
    const Json *status;
    unsigned columns, rows;
    if (!ask(target, cli->arena, &answer, &status, &error))
        return cli_bad(cli, "%s", error.message);
    if (cli_switch(cli, "json", false)) {
        printf("%.*s\n", STR_ARG(on_one_line(cli->arena, answer.body, status)));
        return 0;
    }
    terminal_size(&columns, &rows);
    Screen screen = screen_of(cli, cli->arena, screen_locale(), columns);
    status_draw(&screen, status, ROWS_PRINTED);
    fwrite(screen.out.p, 1, screen.out.n, stdout);
    return 0;
}

/* The last answer, and what there is to be said since. */
typedef struct Watching {
    const Cli *cli;
    Arena *kept;         /* holds `status` */
    const Json *status;  /* NULL: none yet */
    int64_t answered;    /* when; of the monotonic clock */
    Error error;         /* of the last attempt */
    bool unicode, is_terminal;
} Watching;

static void draw_error(Screen *screen, const Watching *w, Arena *arena)
{
    if (w->error.code == ERR_NONE)
        return;
    screen_put(screen, STYLE_RED, str_from(w->error.message));
    screen_line(screen);
    if (!w->status)
        return;
    Str since = human_time(arena, (double)(clock_monotonic() - w->answered) / 1e6);
    screen_printf(screen, STYLE_RED, "This is %.*s old:", STR_ARG(since));
    screen_line(screen);
}

static void show_picture(const Watching *w, const FullScreen *full)
{
    Arena *arena = arena_new();
    unsigned columns, rows;
    terminal_size(&columns, &rows);
    size_t left = rows > ROWS_AROUND ? (rows - ROWS_AROUND) / 3 : 0; /* there are three lists */
    Screen screen = screen_of(w->cli, arena, w->unicode, columns);
    draw_error(&screen, w, arena);
    if (w->status)
        status_draw(&screen, w->status, !w->is_terminal ? ROWS_PRINTED : left > ROWS_LEAST ? left : ROWS_LEAST);
    if (!w->is_terminal)
        screen_line(&screen);
    full_screen_show(full, buf_view(&screen.out));
    arena_free(arena);
}

static void show_json(const Watching *w, Str body)
{
    if (w->error.code != ERR_NONE)
        (void)cli_bad(w->cli, "%s", w->error.message);
    else
        printf("%.*s\n", STR_ARG(on_one_line(w->kept, body, w->status)));
    fflush(stdout);
}

/* Keeps the earlier answer if there is none now. */
static Str ask_again(Watching *w, const ApiTarget *target)
{
    Arena *arena = arena_new();
    ApiAnswer answer = { .body = STR_NULL };
    const Json *status;
    w->error = (Error){ .code = ERR_NONE };
    if (!ask(target, arena, &answer, &status, &w->error)) {
        arena_free(arena);
        return STR_NULL;
    }
    arena_free(w->kept);
    w->kept = arena;
    w->status = status;
    w->answered = clock_monotonic();
    return answer.body;
}

static int watch(const Cli *cli, ApiTarget *target, double every)
{
    Error error = { .code = ERR_NONE };
    bool json = cli_switch(cli, "json", false);
    Watching w = { .cli = cli, .unicode = screen_locale(), .is_terminal = !json && isatty(STDOUT_FILENO) };
    FullScreen *full = full_screen_enter(w.is_terminal, &error);
    if (!full)
        return cli_bad(cli, "%s", error.message);
    target->is_unwanted = full_screen_is_over;
    for (Woken woken = WOKEN_TIME; woken != WOKEN_END && !ferror(stdout);) {
        int64_t next = clock_monotonic() + (int64_t)(every * 1e6);
        Str body = ask_again(&w, target);
        if (!full_screen_is_over(NULL)) /* else the answer is not wanted any more */
            json ? show_json(&w, body) : show_picture(&w, full);
        while ((woken = full_screen_wait(full, next)) == WOKEN_DRAW)
            if (w.is_terminal)
                show_picture(&w, full);
    }
    full_screen_leave(full);
    arena_free(w.kept);
    return 0;
}

int cmd_status(Cli *cli)
{
    double every, timeout;
    int status;
    if ((status = apply_options(cli)) || (status = read_time(cli, "every", 2, 0.1, &every)) ||
        (status = read_time(cli, "timeout", 5, 0.001, &timeout)))
        return status;
    ApiTarget target = target_of(cli);
    target.seconds = timeout;
    if (cli_switch(cli, "check", false))
        return check(cli, &target);
    return cli_switch(cli, "watch", false) ? watch(cli, &target, every) : show_once(cli, &target);
}
