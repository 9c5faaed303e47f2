/* blocks/encryption.c -- the key of encrypted block data. It is read for each use:
 * another process may replace or delete its row. */
#include "blocks/encryption.h"

#include "base/crypto.h"
#include "base/json.h"
#include "base/uuid.h"

typedef enum KeyState {
    KEY_FOUND,
    KEY_NONE,     /* no row: it was never created, or somebody deleted it */
    KEY_BROKEN    /* a row without a valid key */
} KeyState;

static KeyState stored_key(Tx *tx, FernetKey *ret)
{
    Rows *rows = DB_QUERY(tx, "SELECT value FROM configuration WHERE key = $1", v_text(STR("ENCRYPTION_KEY")));
    bool there = db_next(rows);
    Str value = there ? row_text(rows, 0) : STR_NULL;
    db_done(rows);
    if (!there)
        return KEY_NONE;
    const Json *key = json_get(json_read(tx->arena, value), "fernet_key");
    return key && key->kind == JSON_STRING && fernet_key_parse(key->text, ret) ? KEY_FOUND : KEY_BROKEN;
}

/* *ret_given: the variable is set. Then it is the only key, even if it is invalid. */
static bool environment_key(FernetKey *ret, bool *ret_given, Error *error)
{
    const char *text = getenv("ORION_ENCRYPTION_KEY");
    *ret_given = text && *text;
    if (!*ret_given || fernet_key_parse(str_from(text), ret))
        return true;
    return fail(error, ERR_INTERNAL, "ORION_ENCRYPTION_KEY is not a Fernet key (32 bytes as base64url)");
}

bool encryption_check(Error *error)
{
    FernetKey key;
    bool given;
    return environment_key(&key, &given, error);
}

/* False: tx->error. */
static bool find_key(Tx *tx, FernetKey *ret, KeyState *ret_state)
{
    bool given;
    if (!environment_key(ret, &given, tx->error))
        return false;
    *ret_state = given ? KEY_FOUND : stored_key(tx, ret);
    return tx->error->code == ERR_NONE;
}

static const char broken_row[] = "the row ENCRYPTION_KEY of the table configuration does not contain a Fernet key";

/* A row without a valid key may still be repaired, and all documents depend on it: it is only
 * removed if there are none. */
static bool remove_broken(Tx *tx)
{
    if (DB_INT(tx, 1, "SELECT COUNT(*) FROM (SELECT 1 FROM block_document LIMIT 1) AS any_document") > 0)
        return fail(tx->error, ERR_INTERNAL,
                    "block data cannot be encrypted: %s, and the existing block documents need the key that it held. "
                    "Restore it, or delete them",
                    broken_row);
    return DB_SEND(tx, "DELETE FROM configuration WHERE key = $1", v_text(STR("ENCRYPTION_KEY")));
}

/* If another server is quicker, its key is used: data may already be encrypted with it. */
static bool create_key(Tx *tx, FernetKey *ret)
{
    fernet_key_new(ret);
    Str value = arena_printf(tx->arena, "{\"fernet_key\": \"%.*s\"}", STR_ARG(fernet_key_text(tx->arena, ret)));
    int64_t rows = DB_EXEC(tx,
                           "INSERT INTO configuration (id, created, updated, key, value)"
                           " VALUES ($1, $2, $2, $3, $4) ON CONFLICT (key) DO NOTHING",
                           v_uuid(uuid_new(tx->arena)), v_time(tx->now), v_text(STR("ENCRYPTION_KEY")), v_json(value));
    return rows > 0 || stored_key(tx, ret) == KEY_FOUND ||
           fail(tx->error, ERR_INTERNAL, "the encryption key can be neither read nor created");
}

Str block_data_encrypt(Tx *tx, Str json_text)
{
    FernetKey key;
    KeyState state;
    if (!find_key(tx, &key, &state) || (state == KEY_BROKEN && !remove_broken(tx)) ||
        (state != KEY_FOUND && !create_key(tx, &key)))
        return STR_NULL;
    Str token = fernet_encrypt(tx->arena, &key, json_text, tx->now);
    if (!token.p)
        (void)fail(tx->error, ERR_INTERNAL, "block data could not be encrypted");
    return token;
}

Str block_data_decrypt(Tx *tx, Str token)
{
    static const char *const reasons[] = {
        [KEY_FOUND] = "it was encrypted with another key", [KEY_NONE] = "the encryption key is not in the database",
        [KEY_BROKEN] = broken_row,
    };
    FernetKey key;
    KeyState state;
    Str plain;
    if (!find_key(tx, &key, &state))
        return STR_NULL;
    if (state == KEY_FOUND && fernet_decrypt(tx->arena, &key, token, &plain))
        return plain;
    (void)fail(tx->error, ERR_INTERNAL, "block data cannot be decrypted: %s", reasons[state]);
    return STR_NULL;
}
