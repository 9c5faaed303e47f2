/* cli/cmd_block.c -- `orion block import`: the block types of a file, registered in the database. */
#include <errno.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "blocks/block_registration.h"

enum { FILE_MAX = 64 << 20 };

typedef struct Import {
    Str text, report;
} Import;

static bool step_import(Tx *tx, void *arg)
{
    Import *import = arg;
    return block_registration_import(tx, import->text, &import->report);
}

/* False: *error is a line for the user. */
static bool read_file(Arena *arena, const char *path, Str *ret, Error *error)
{
    FILE *file = fopen(path, "rb");
    struct stat found;
    bool ok = file && fstat(fileno(file), &found) == 0;
    if (ok && (!S_ISREG(found.st_mode) || found.st_size > FILE_MAX)) {
        fclose(file);
        return fail(error, ERR_INVALID, "not a regular file, or larger than %d bytes", FILE_MAX);
    }
    if (ok) {
        char *text = arena_alloc(arena, (size_t)found.st_size + 1);
        size_t n = fread(text, 1, (size_t)found.st_size, file);
        ok = !ferror(file);
        *ret = (Str){ text, n };
    }
    if (!ok)
        (void)!fail(error, ERR_INVALID, "%s", strerror(errno));
    if (file)
        fclose(file);
    return ok;
}

int cmd_block_import(Cli *cli)
{
    Error error = { .code = ERR_NONE };
    Import import = { .text = STR_NULL };
    const char *path = cli->args[0];
    if (!read_file(cli->arena, path, &import.text, &error))
        return cli_bad(cli, "%s cannot be read: %s", path, error.message);
    Db *db = cli_open_database(cli, &error);
    bool ok = db && cli_change(cli, db, step_import, &import, &error);
    db_close(db);
    if (!ok)
        return cli_bad(cli, error.code == ERR_INVALID ? "%s was not imported: %s" : "Importing %s failed. %s", path,
                       error.message);
    printf("%.*s", STR_ARG(import.report));
    cli_good(cli, "Imported the block types of %s.", path);
    return 0;
}
