/* cli/cmd_key_rotate.c -- `orion key rotate-encryption`: re-encrypts all block documents with a new key, or none. */
#include "blocks/encryption.h"
#include "cli/cli.h"

static bool rotate(Tx *tx, void *arg)
{
    return encryption_rotate(tx, arg);
}

/* One transaction over all documents, however long it takes. */
static bool rotate_all(const Cli *cli, KeyRotation *rotation, Error *error)
{
    DbConfig config = db_config(cli->settings);
    config.timeout = 0;
    config.readers = config.connections = 1;
    config.must_exist = true;
    Arena *arena = arena_new();
    Db *db = db_open(&config, error);
    bool ok = db && db_run(db, true, arena, rotate, rotation, error);
    db_close(db);
    arena_free(arena);
    return ok;
}

/* A key not stored in the database is printed before anything depends on it. */
static bool show_key(const Cli *cli, const FernetKey *key)
{
    printf("ORION_ENCRYPTION_KEY=%.*s\n", STR_ARG(fernet_key_text(cli->arena, key)));
    return fflush(stdout) == 0;
}

static int report_failure(const Cli *cli, const KeyRotation *rotation, bool given, const Error *error)
{
    for (int64_t i = 0; i < rotation->unreadable && i < ROTATION_NAMED_MAX; i++)
        cli_bad(cli, "Cannot be decrypted: %.*s", STR_ARG(rotation->named[i]));
    if (rotation->unreadable > ROTATION_NAMED_MAX)
        cli_bad(cli, "… and %lld more", (long long)(rotation->unreadable - ROTATION_NAMED_MAX));
    int status = cli_bad(cli, "%s.", error->message);
    if (rotation->unreadable && given)
        cli_bad(cli, "The key in ORION_ENCRYPTION_KEY was tried. Unset it if the servers run without it.");
    else if (rotation->unreadable)
        cli_bad(cli, "If the servers have a key in ORION_ENCRYPTION_KEY, set it for this command too; otherwise delete "
                     "these documents first.");
    if (!rotation->was_committing)
        cli_bad(cli, "Nothing was changed%s.", given ? ": the new key is not in use" : "");
    else if (given)
        cli_bad(cli, "Keep both keys: it is not known which of them is in use.");
    return status;
}

int cmd_key_rotate(Cli *cli)
{
    Error error = { .code = ERR_NONE };
    KeyRotation rotation = { .arena = cli->arena };
    if (!encryption_use(cli->settings, &error))
        return cli_bad(cli, "%s", error.message);
    bool given = encryption_key_is_given();
    const char *url = cli_shown_url(cli, settings_text(cli->settings, "PREFECT_ORION_DATABASE_CONNECTION_URL"));
    Str question = arena_printf(cli->arena,
                                "Are you sure you want to encrypt all block documents in the Orion database located at "
                                "\"%s\" with a new key?%s",
                                url, given ? " Its servers then need that key in ORION_ENCRYPTION_KEY." : "");
    int status = cli_ask(cli, question.p, "Rotation of the encryption key aborted");
    if (status)
        return status;
    fernet_key_new(&rotation.key);
    if (given && !show_key(cli, &rotation.key))
        return cli_bad(cli, "The new key cannot be printed, so nothing was changed: %m.");
    if (!rotate_all(cli, &rotation, &error))
        return report_failure(cli, &rotation, given, &error);
    cli_good(cli, "Encrypted %lld block documents with a new key.", (long long)rotation.documents);
    if (given)
        puts("Set ORION_ENCRYPTION_KEY to the key above for all servers and restart them: until then they cannot read "
             "block documents.");
    else
        puts("Running servers of Orion use it already. Restart those of Prefect, which keep the old key in memory.");
    return 0;
}
