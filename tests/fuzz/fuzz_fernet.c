/* tests/fuzz/fuzz_fernet.c -- encrypted block data: a line with a key, then a token or what is in one. A token that
 * was changed is refused; one whose signature is right but whose contents are arbitrary is decrypted or refused; and
 * so it is with a key and a document in the database, also when the key is rotated. */
#include "fuzz_db.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/text.h"
#include "blocks/encryption.h"

enum { HEAD = 25, MAC = 32 };
static const Time NOW = INT64_C(1795940000123456);

static void check_key_text(Arena *arena, Str text)
{
    FernetKey key, again;
    if (!fernet_key_parse(text, &key))
        return;
    must(fernet_key_parse(fernet_key_text(arena, &key), &again));
    must(memcmp(key.bytes, again.bytes, sizeof key.bytes) == 0);
}

static void check_round_trip(Arena *arena, const FernetKey *key, Str plain, size_t sum)
{
    Str token = fernet_encrypt(arena, key, plain, NOW), back, changed;
    must(token.p && fernet_decrypt(arena, key, token, &back));
    must(back.n == plain.n && (plain.n == 0 || memcmp(back.p, plain.p, plain.n) == 0));
    changed = arena_str(arena, token);
    char *digit = (char *)(uintptr_t)changed.p + sum % (token.n - 4); /* the last digits may have bits to spare */
    *digit = *digit == 'A' ? 'B' : 'A';
    must(!fernet_decrypt(arena, key, changed, &back));
}

/* Signed by us, as only one who has the key can. */
static void check_signed(Arena *arena, const FernetKey *key, Str bytes)
{
    unsigned length = MAC;
    Str plain;
    unsigned char *token = arena_zalloc(arena, bytes.n + MAC + 1);
    memcpy(token, bytes.n ? bytes.p : "", bytes.n);
    if (bytes.n)
        token[0] = bytes.p[0] == 'x' ? token[0] : 0x80;
    must(HMAC(EVP_sha256(), key->bytes, 16, token, bytes.n, token + bytes.n, &length) != NULL);
    Str text = base64url_text(arena, token, bytes.n + MAC);
    if (!fernet_decrypt(arena, key, text, &plain))
        return;
    must(bytes.n > HEAD && (bytes.n - HEAD) % 16 == 0 && token[0] == 0x80);
    must(plain.n < bytes.n - HEAD && plain.n + 16 >= bytes.n - HEAD);
}

typedef struct Stored {
    Str key, data;
} Stored;

static void check_stored(Tx *tx, void *arg)
{
    const Stored *stored = arg;
    must(DB_EXEC(tx, "UPDATE configuration SET value = $1 WHERE key = 'ENCRYPTION_KEY'", v_json(stored->key)) == 1);
    Str plain = block_data_decrypt(tx, stored->data);
    must((plain.p != NULL) == (tx->error->code == ERR_NONE));
    tx->error->code = ERR_NONE;
    Str token = block_data_encrypt(tx, stored->data);
    if (!token.p) {
        must(tx->error->code == ERR_INTERNAL && tx->error->message[0]);
        return;
    }
    plain = block_data_decrypt(tx, token);
    must(plain.n == stored->data.n && (plain.n == 0 || memcmp(plain.p, stored->data.p, plain.n) == 0));
}

/* All documents are readable with the new key, or those that are not are counted and nothing is promised. */
static void check_rotation(Tx *tx, void *arg)
{
    const Stored *stored = arg;
    KeyRotation rotation = { .key = { { 1 } }, .arena = tx->arena };
    Str plain;
    must(DB_EXEC(tx, "UPDATE block_document SET data = $1 WHERE id = $2", v_json(stored->data),
                 v_uuid(STR(FUZZ_ID))) == 1);
    bool done = encryption_rotate(tx, &rotation);
    must(done == (tx->error->code == ERR_NONE) && rotation.documents == 2);
    must(done == (rotation.unreadable == 0));
    if (!done)
        return;
    const Json *token = json_read(tx->arena, DB_TEXT(tx, "SELECT data FROM block_document WHERE id = $1",
                                                     v_uuid(STR(FUZZ_ID))));
    must(token && token->kind == JSON_STRING && fernet_decrypt(tx->arena, &rotation.key, token->text, &plain));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arena *arena = arena_new();
    Str rest = { (const char *)data, size }, line = cut_line(&rest), plain;
    FernetKey key = { { 0 } };
    size_t sum = size;
    check_key_text(arena, line);
    (void)!fernet_key_parse(line, &key);
    for (size_t i = 0; i < line.n; i++)
        sum += (unsigned char)line.p[i];
    (void)!fernet_decrypt(arena, &key, rest, &plain);
    check_round_trip(arena, &key, rest, sum);
    check_signed(arena, &key, rest);
    fuzz_run(arena, check_stored, &(Stored){ line, rest });
    fuzz_run(arena, check_rotation, &(Stored){ line, rest });
    arena_free(arena);
    return 0;
}
