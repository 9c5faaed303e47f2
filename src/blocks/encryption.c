/* blocks/encryption.c -- the key of encrypted block data, and its rotation. Unless the settings provide it, the key is
 * read for each use, since another process may replace or delete its row. */
#include "blocks/encryption.h"

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

/* The key from the settings; if set, no other is used. */
static FernetKey given_key;
static bool is_given;

/* *ret_given: whether the setting is set. */
static bool read_given(const Settings *settings, FernetKey *ret, bool *ret_given, Error *error)
{
    Str text = settings_text(settings, "ORION_ENCRYPTION_KEY");
    *ret_given = text.n > 0;
    return text.n == 0 || fernet_key_parse(text, ret) ||
           fail(error, ERR_INVALID, "not a Fernet key (32 bytes as base64url)");
}

bool encryption_use(const Settings *settings, Error *error)
{
    Error cause = { .code = ERR_NONE };
    return read_given(settings, &given_key, &is_given, &cause) ||
           fail(error, ERR_INVALID, "ORION_ENCRYPTION_KEY: %s", cause.message);
}

bool encryption_key_is_given(void)
{
    return is_given;
}

bool encryption_check(const Settings *settings, Error *error)
{
    FernetKey key;
    bool given;
    return read_given(settings, &key, &given, error);
}

/* False: tx->error. */
static bool find_key(Tx *tx, FernetKey *ret, KeyState *ret_state)
{
    if (is_given)
        *ret = given_key;
    *ret_state = is_given ? KEY_FOUND : stored_key(tx, ret);
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

static Str key_row_value(Arena *arena, const FernetKey *key)
{
    return arena_printf(arena, "{\"fernet_key\": \"%.*s\"}", STR_ARG(fernet_key_text(arena, key)));
}

static int64_t insert_key(Tx *tx, const FernetKey *key)
{
    return DB_EXEC(tx,
                   "INSERT INTO configuration (id, created, updated, key, value)"
                   " VALUES ($1, $2, $2, $3, $4) ON CONFLICT (key) DO NOTHING",
                   v_uuid(uuid_new(tx->arena)), v_time(tx->now), v_text(STR("ENCRYPTION_KEY")),
                   v_json(key_row_value(tx->arena, key)));
}

/* If another server is quicker, its key is used: data may already be encrypted with it. */
static bool create_key(Tx *tx, FernetKey *ret)
{
    fernet_key_new(ret);
    int64_t rows = insert_key(tx, ret);
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

static const char *const unreadable_reasons[] = {
    [KEY_FOUND] = "it was encrypted with another key", [KEY_NONE] = "the encryption key is not in the database",
    [KEY_BROKEN] = broken_row,
};

Str block_data_decrypt(Tx *tx, Str token)
{
    FernetKey key;
    KeyState state;
    Str plain;
    if (!find_key(tx, &key, &state))
        return STR_NULL;
    if (state == KEY_FOUND && fernet_decrypt(tx->arena, &key, token, &plain))
        return plain;
    (void)fail(tx->error, ERR_INTERNAL, "block data cannot be decrypted: %s", unreadable_reasons[state]);
    return STR_NULL;
}

/* ---- checking ---- */

static bool is_readable(Arena *arena, const FernetKey *key, Str data)
{
    const Json *token = json_read(arena, data);
    Str plain;
    return token && token->kind == JSON_STRING && fernet_decrypt(arena, key, token->text, &plain);
}

static Str document_label(Arena *arena, Str type, Str name, Str id)
{
    return arena_printf(arena, "%.*s/%.*s (%.*s)", STR_ARG(type), STR_ARG(name), STR_ARG(id));
}

bool encryption_find_unreadable(Tx *tx, void (*found)(void *arg, Str label), void *arg, const char **ret_reason)
{
    FernetKey key;
    KeyState state;
    if (!find_key(tx, &key, &state))
        return false;
    *ret_reason = unreadable_reasons[state];
    Rows *rows = DB_QUERY(tx, "SELECT document.id, document.name, type.slug, document.data"
                              " FROM block_document AS document"
                              " LEFT JOIN block_type AS type ON type.id = document.block_type_id");
    ArenaMark mark = arena_mark(tx->arena);
    while (db_next(rows)) {
        if (state != KEY_FOUND || !is_readable(tx->arena, &key, row_text(rows, 3)))
            found(arg, document_label(tx->arena, row_text(rows, 2), row_text(rows, 1), row_text(rows, 0)));
        arena_release(tx->arena, mark);
    }
    return tx->error->code == ERR_NONE;
}

/* ---- rotation ---- */

typedef struct Rotating {
    Tx *tx;
    KeyRotation *rotation;
    FernetKey old;
    KeyState state;          /* of the old one */
    char last[UUID_TEXT + 1]; /* the last document read */
} Rotating;

typedef struct StoredDocument {
    Str id, label, data;
} StoredDocument;

/* The next document by id after `last`. False: no more, or tx->error. */
static bool next_document(Rotating *r, StoredDocument *ret)
{
    Tx *tx = r->tx;
    Rows *rows = r->rotation->documents == 0
                     ? DB_QUERY(tx, "SELECT document.id, document.name, type.slug, document.data"
                                    " FROM block_document AS document"
                                    " LEFT JOIN block_type AS type ON type.id = document.block_type_id"
                                    " ORDER BY document.id LIMIT 1")
                     : DB_QUERY(tx, "SELECT document.id, document.name, type.slug, document.data"
                                    " FROM block_document AS document"
                                    " LEFT JOIN block_type AS type ON type.id = document.block_type_id"
                                    " WHERE document.id > $1 ORDER BY document.id LIMIT 1",
                                v_uuid(str_from(r->last)));
    if (!db_next(rows))
        return false;
    ret->id = row_text(rows, 0);
    ret->label = document_label(tx->arena, row_text(rows, 2), row_text(rows, 1), ret->id);
    ret->data = row_text(rows, 3);
    db_done(rows);
    return tx->error->code == ERR_NONE;
}

/* Decrypts the new token as a check before the old one is discarded. Null: the old key does not fit, or tx->error. */
static Str encrypted_anew(const Rotating *r, Str data)
{
    Tx *tx = r->tx;
    const FernetKey *key = &r->rotation->key;
    const Json *token = json_read(tx->arena, data);
    Str plain, again;
    if (r->state != KEY_FOUND || !token || token->kind != JSON_STRING ||
        !fernet_decrypt(tx->arena, &r->old, token->text, &plain))
        return STR_NULL;
    Str made = fernet_encrypt(tx->arena, key, plain, tx->now);
    if (!made.p || !fernet_decrypt(tx->arena, key, made, &again) || !str_eq(plain, again)) {
        (void)fail(tx->error, ERR_INTERNAL, "block data could not be encrypted");
        return STR_NULL;
    }
    return arena_printf(tx->arena, "\"%.*s\"", STR_ARG(made));
}

static bool rotate_document(const Rotating *r, const StoredDocument *document)
{
    Str data = encrypted_anew(r, document->data);
    if (!data.p) {
        r->rotation->unreadable++;
        return r->tx->error->code == ERR_NONE;
    }
    return DB_EXEC(r->tx, "UPDATE block_document SET data = $1 WHERE id = $2", v_json(data), v_uuid(document->id)) >= 0;
}

/* Continues after unreadable documents, so that all of them are counted. */
static bool rotate_documents(Rotating *r)
{
    Tx *tx = r->tx;
    KeyRotation *rotation = r->rotation;
    StoredDocument document;
    for (ArenaMark mark = arena_mark(tx->arena); next_document(r, &document); mark = arena_mark(tx->arena)) {
        int64_t before = rotation->unreadable;
        rotation->documents++;
        snprintf(r->last, sizeof r->last, "%.*s", STR_ARG(document.id));
        if (!rotate_document(r, &document))
            return false;
        if (rotation->unreadable > before && before < ROTATION_NAMED_MAX)
            rotation->named[before] = arena_str(rotation->arena, document.label);
        arena_release(tx->arena, mark);
    }
    return tx->error->code == ERR_NONE;
}

static bool replace_key(Tx *tx, const FernetKey *key)
{
    int64_t rows = DB_EXEC(tx, "UPDATE configuration SET value = $1, updated = $2 WHERE key = $3",
                           v_json(key_row_value(tx->arena, key)), v_time(tx->now), v_text(STR("ENCRYPTION_KEY")));
    return rows > 0 || (rows == 0 && insert_key(tx, key) > 0) ||
           fail(tx->error, ERR_INTERNAL, "the new encryption key could not be stored");
}

bool encryption_rotate(Tx *tx, KeyRotation *rotation)
{
    *rotation = (KeyRotation){ .key = rotation->key, .arena = rotation->arena };
    Rotating r = { .tx = tx, .rotation = rotation };
    db_lock(tx, LOCK_BLOCKS);
    if (!find_key(tx, &r.old, &r.state) || !rotate_documents(&r))
        return false;
    if (rotation->unreadable)
        return fail(tx->error, ERR_CONFLICT, "%lld of %lld block documents cannot be decrypted: %s",
                    (long long)rotation->unreadable, (long long)rotation->documents,
                    r.state == KEY_FOUND ? "they were encrypted with another key" : unreadable_reasons[r.state]);
    rotation->was_committing = encryption_key_is_given() || replace_key(tx, &rotation->key);
    return rotation->was_committing;
}
