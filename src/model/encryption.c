/* model/encryption.c -- the key of encrypted block data. It is read for each use: another process may replace or delete its row. */
#include "model/encryption.h"

#include "base/crypto.h"
#include "base/ident.h"
#include "base/json.h"

/* *ret_row: the row that is there, whether its value is a key or not. */
static bool stored_key(Tx *tx, FernetKey *ret, Str *ret_row)
{
    Rows *rows = DB_QUERY(tx, "SELECT id, value FROM configuration WHERE key = $1", v_text(STR("ENCRYPTION_KEY")));
    bool there = db_next(rows);
    Str value = there ? row_text(rows, 1) : STR_NULL;
    const Json *json;
    JsonError unused;
    *ret_row = there ? row_text(rows, 0) : STR_NULL;
    db_done(rows);
    if (!value.p || !json_parse(tx->arena, value, &json, &unused))
        return false;
    const Json *key = json_get(json, "fernet_key");
    return key && key->kind == JSON_STRING && fernet_key_parse(key->text, ret);
}

/* *ret_given: whether there is one; it is the only key then, a bad one too. */
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

static bool find_key(Tx *tx, FernetKey *ret, bool *ret_found, Str *ret_row)
{
    *ret_row = STR_NULL;
    if (!environment_key(ret, ret_found, tx->error))
        return false;
    if (*ret_found)
        return true;
    *ret_found = stored_key(tx, ret, ret_row);
    return tx->error->code == ERR_NONE;
}

/* Puts a new key in the place of a row that holds none. Where another server is quicker, its key is the one: data may be encrypted with
 * it already. */
static bool create_key(Tx *tx, Str useless_row, FernetKey *ret)
{
    Str row;
    fernet_key_new(ret);
    Str value = arena_printf(tx->arena, "{\"fernet_key\": \"%.*s\"}", STR_ARG(fernet_key_text(tx->arena, ret)));
    if (useless_row.p)
        DB_SEND(tx, "DELETE FROM configuration WHERE id = $1", v_uuid(useless_row));
    int64_t rows = DB_EXEC(tx, "INSERT INTO configuration (id, created, updated, key, value) VALUES ($1, $2, $2, $3, $4) ON CONFLICT (key) DO NOTHING",
                           v_uuid(uuid_new(tx->arena)), v_time(tx->now), v_text(STR("ENCRYPTION_KEY")), v_json(value));
    return rows > 0 || stored_key(tx, ret, &row) || fail(tx->error, ERR_INTERNAL, "the encryption key can be neither read nor made");
}

Str encrypt_data(Tx *tx, Str json_text)
{
    FernetKey key;
    bool found;
    Str row;
    if (!find_key(tx, &key, &found, &row) || (!found && !create_key(tx, row, &key)))
        return STR_NULL;
    Str token = fernet_encrypt(tx->arena, &key, json_text, tx->now);
    if (!token.p)
        (void)fail(tx->error, ERR_INTERNAL, "block data could not be encrypted");
    return token;
}

Str decrypt_data(Tx *tx, Str token)
{
    FernetKey key;
    bool found;
    Str plain, row;
    if (!find_key(tx, &key, &found, &row))
        return STR_NULL;
    if (found && fernet_decrypt(tx->arena, &key, token, &plain))
        return plain;
    (void)fail(tx->error, ERR_INTERNAL, "block data cannot be decrypted: %s",
               found ? "it was encrypted with another key" : "the encryption key is not in the database");
    return STR_NULL;
}
