/* model/encryption.c -- the key of encrypted block data. It is read for each use: another process may replace or delete its row. */
#include "model/encryption.h"

#include "base/crypto.h"
#include "base/ident.h"
#include "base/json.h"

static bool stored_key(Tx *tx, FernetKey *ret)
{
    Str value = DB_TEXT(tx, "SELECT value FROM configuration WHERE key = $1", v_text(STR("ENCRYPTION_KEY")));
    const Json *json;
    JsonError unused;
    if (!value.p || !json_parse(tx->arena, value, &json, &unused))
        return false;
    const Json *key = json_get(json, "fernet_key");
    return key && key->kind == JSON_STRING && fernet_key_parse(key->text, ret);
}

static bool find_key(Tx *tx, FernetKey *ret, bool *ret_found)
{
    const char *environment = getenv("ORION_ENCRYPTION_KEY");
    *ret_found = true;
    if (environment && *environment) {
        if (fernet_key_parse(str_from(environment), ret))
            return true;
        return fail(tx->error, ERR_INTERNAL, "ORION_ENCRYPTION_KEY is not a Fernet key (32 bytes as base64url)");
    }
    *ret_found = stored_key(tx, ret);
    return tx->error->code == ERR_NONE;
}

static bool create_key(Tx *tx, FernetKey *ret)
{
    fernet_key_new(ret);
    Str value = arena_printf(tx->arena, "{\"fernet_key\": \"%.*s\"}", STR_ARG(fernet_key_text(tx->arena, ret)));
    DB_EXEC(tx, "DELETE FROM configuration WHERE key = $1", v_text(STR("ENCRYPTION_KEY"))); /* one that is no key */
    return DB_EXEC(tx, "INSERT INTO configuration (id, created, updated, key, value) VALUES ($1, $2, $2, $3, $4)",
                   v_uuid(uuid_new(tx->arena)), v_time(tx->now), v_text(STR("ENCRYPTION_KEY")), v_json(value)) == 1;
}

Str encrypt_data(Tx *tx, Str json_text)
{
    FernetKey key;
    bool found;
    if (!find_key(tx, &key, &found) || (!found && !create_key(tx, &key)))
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
    Str plain;
    if (!find_key(tx, &key, &found))
        return STR_NULL;
    if (found && fernet_decrypt(tx->arena, &key, token, &plain))
        return plain;
    (void)fail(tx->error, ERR_INTERNAL, "block data cannot be decrypted: %s",
               found ? "it was encrypted with another key" : "the encryption key is not in the database");
    return STR_NULL;
}
