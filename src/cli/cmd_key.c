/* cli/cmd_key.c -- `orion key`: creates, lists and revokes keys. A running server picks up changes by itself. */
#include <unistd.h>

#include "access/access.h"
#include "access/keys.h"
#include "base/text.h"
#include "cli/cli.h"
#include "config/file_write.h"
#include "config/setting_value.h"

/* Reads the file; 0, or the exit status after a message. */
static int open_keys(const Cli *cli, Keys *ret)
{
    Error error = { .code = ERR_NONE }, cause = { .code = ERR_NONE };
    const char *path = access_keys_path(cli->settings).p;
    Str text;
    if (!file_read(cli->arena, path, &text, &error))
        return cli_bad(cli, "%s", error.message);
    return keys_parse(cli->arena, text, ret, &cause) ? 0 : cli_bad(cli, "%s: %s.", path, cause.message);
}

/* Also locks the file until *ret_lock is closed or the command ends. */
static int open_keys_to_change(const Cli *cli, Keys *ret, int *ret_lock)
{
    Error error = { .code = ERR_NONE };
    if (!file_lock(cli->arena, access_keys_path(cli->settings).p, FILE_CHANGE, ret_lock, &error))
        return cli_bad(cli, "%s", error.message);
    return open_keys(cli, ret);
}

static int store_keys(const Cli *cli, const Keys *keys, int lock)
{
    Error error = { .code = ERR_NONE };
    bool ok = keys_write(access_keys_path(cli->settings).p, keys, &error);
    if (lock >= 0)
        close(lock);
    return ok ? 0 : cli_bad(cli, "%s", error.message);
}

/* "90d" from now; TIME_NULL without the option. */
static int read_expiry(const Cli *cli, Time now, Time *ret)
{
    const char *text = cli_option(cli, "expires");
    double seconds;
    *ret = TIME_NULL;
    if (!text)
        return 0;
    if (!cli_time(cli, text, &seconds) || seconds < 1 || !time_add_seconds(now - now % SECOND, seconds, ret))
        return cli_usage(cli, cli->command,
                         "Invalid value for '--expires': %s is not a number with s, m, h, d or w, as in 90d, or too "
                         "far ahead.",
                         cli_quoted(cli, str_from(text)));
    return 0;
}

int cmd_key_create(Cli *cli)
{
    Error error = { .code = ERR_NONE };
    Time now = clock_now(), expires;
    Keys keys;
    Str name = str_from(cli->args[0]), key;
    bool read_only = cli_switch(cli, "read-only", false);
    int lock = -1, status;
    if ((status = read_expiry(cli, now, &expires)) || (status = open_keys_to_change(cli, &keys, &lock)))
        return status;
    if (!keys_create(&keys, name, read_only, now, expires, &key, &error))
        return cli_bad(cli, "%s", error.message);
    /* The only output on stdout: KEY=$(orion key create ci). Printed first: nobody could know a key that is not. */
    if (printf("%s\n", key.p) < 0 || fflush(stdout) != 0)
        return cli_bad(cli, "The key cannot be printed, so it was not created: %m.");
    if ((status = store_keys(cli, &keys, lock)))
        return cli_bad(cli, "The key that was printed is not valid.");
    fprintf(stderr,
            "\nThis is the key %s, which %s. It is shown only now. Give it to a client:\n\n"
            "  prefect config set PREFECT_API_KEY=%.*s...\n\n",
            cli->args[0], read_only ? "may only read" : "may do everything", STR_ARG(keys_find(&keys, name)->start));
    if (!settings_text(cli->settings, "ORION_AUTH_STRING").n)
        fprintf(stderr, "Browsers cannot send a key: for the dashboard set ORION_AUTH_STRING to user:password, too.\n");
    return 0;
}

static const char *date(const Cli *cli, Time t)
{
    Str text = time_text(cli->arena, t);
    return arena_printf(cli->arena, "%.*s", (int)(text.n < 16 ? text.n : 16), text.p).p; /* to the minute */
}

int cmd_key_list(Cli *cli)
{
    Keys keys;
    Time now = clock_now();
    int status = open_keys(cli, &keys);
    if (status)
        return status;
    if (!keys.first)
        puts("There are no keys.");
    else
        printf("%-24s %-18s %-10s %-17s %s\n", "NAME", "KEY", "SCOPE", "CREATED (UTC)", "EXPIRES (UTC)");
    for (const Key *key = keys.first; key; key = key->next) {
        bool ends = key->expires != TIME_NULL;
        printf("%-24.*s %.*s%-*s %-10s %-17s %s%s\n", STR_ARG(key->name), STR_ARG(key->start),
               (int)(18 - (key->start.n < 18 ? key->start.n : 18)), "...", key->read_only ? "read-only" : "full",
               key->created ? date(cli, key->created) : "", ends ? date(cli, key->expires) : "never",
               ends && key->expires <= now ? ", expired" : "");
    }
    return 0;
}

int cmd_key_revoke(Cli *cli)
{
    Keys keys;
    Str name = str_from(cli->args[0]);
    int lock = -1;
    int status = open_keys_to_change(cli, &keys, &lock);
    if (status)
        return status;
    const Key *pasted = keys_find_text(&keys, name);
    if (pasted)
        return cli_bad(cli, "That is the key %.*s itself: revoke it by this name.", STR_ARG(pasted->name));
    if (!keys_revoke(&keys, name))
        return cli_bad(cli, "There is no key %s.", cli_quoted(cli, keys_shown(cli->arena, name)));
    /* The environment of this command says nothing about the server's. */
    if (!keys.first && settings_source(cli->settings, "ORION_AUTH_STRING") != FROM_FILE)
        status = cli_ask(cli,
                         "This is the last key, and orion.toml sets no ORION_AUTH_STRING: without both, anyone who "
                         "reaches the server may do everything. Revoke it?", "Nothing was revoked.");
    if (status || (status = store_keys(cli, &keys, lock)))
        return status;
    cli_good(cli, "Revoked the key %.*s. Running servers refuse it within a second.", STR_ARG(name));
    return 0;
}
