/* tests/fuzz/fuzz_keys.c -- keys: a line with an Authorization header, then the text of keys.toml. What is read of
 * the file keeps to the rules; only the two credentials that there are open anything; no message shows a key. */
#include "fuzz.h"

#include <unistd.h>

#include "access/access.h"
#include "access/keys.h"
#include "base/text.h"
#include "base/log.h"

#define PASSWORD "user:pass"
#define PASSWORD_BASE64 "dXNlcjpwYXNz"
#define KEY "orion_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static const Time NOW = INT64_C(1795940000123456);

/* One key, read-only, in a file that is gone when this returns; and one user. */
static Access *the_access(void)
{
    static Access *access;
    Error error = { .code = ERR_NONE };
    if (access)
        return access;
    char path[] = "/tmp/orion-fuzz-XXXXXX";
    Arena *arena = arena_new();
    int fd = mkstemp(path);
    Str digest = sha256_hex(arena, STR(KEY));
    must(fd >= 0);
    dprintf(fd, "[keys.a]\nscope = \"read-only\"\nsha256 = \"%.*s\"\n", STR_ARG(digest));
    close(fd);
    setenv("ORION_KEYS_FILE", path, 1);
    setenv("ORION_AUTH_STRING", PASSWORD, 1);
    Settings *settings = settings_load(NULL, &error);
    must_not_fail(&error);
    access = access_new(settings, &error);
    unlink(path);
    must_not_fail(&error);
    arena_free(arena);
    return access;
}

static void check_header(Arena *arena, Str header)
{
    AccessGrant grant = { 0 };
    AccessVerdict verdict = access_judge(the_access(), arena, header, NOW, &grant);
    bool has_key = memmem(header.p, header.n, KEY, sizeof KEY - 1) != NULL;
    bool has_password = memmem(header.p, header.n, PASSWORD_BASE64, sizeof PASSWORD_BASE64 - 1) != NULL;
    must(grant.writes == (verdict == ACCESS_GRANTED && has_password));
    must(verdict != ACCESS_GRANTED || has_key || has_password);
    if (str_is(header, "Bearer " KEY) || str_is(header, "Basic " PASSWORD_BASE64))
        must(verdict == ACCESS_GRANTED && grant.reads);
}

static void check_key(const Keys *keys, const Key *key)
{
    must(key->name.n > 0 && key->name.n <= 64 && keys_find(keys, key->name) == key);
    for (size_t i = 0; i < key->name.n; i++)
        must(char_is_letter(key->name.p[i]) || char_is_digit(key->name.p[i]) || char_in(key->name.p[i], "-_.@"));
    must(key->expires == TIME_NULL || (key->expires >= TIME_FIRST && key->expires < TIME_END));
}

/* A key pasted where a name belongs: at the beginning of a line or of a table's header, quoted or not. */
static bool is_pasted(Str text)
{
    for (size_t i = 0; i + sizeof KEY - 1 <= text.n; i++) {
        if (memcmp(text.p + i, KEY, sizeof KEY - 1) != 0)
            continue;
        size_t before = i - (i > 0 && char_in(text.p[i - 1], "\"'"));
        if (before == 0 || char_in(text.p[before - 1], "\n[") || (before == i && text.p[before - 1] == '.'))
            return true;
    }
    return false;
}

static void check_file(Arena *arena, Str text)
{
    Keys keys;
    Error error = { .code = ERR_NONE };
    if (!keys_parse(arena, text, &keys, &error)) {
        must(error.message[0] != '\0' && keys.first == NULL);
        must(!is_pasted(text) || !strstr(error.message, KEY));
        return;
    }
    Str scope = STR("read-only");
    size_t restricted = 0;
    for (const Key *key = keys.first; key; key = key->next) {
        check_key(&keys, key);
        restricted += key->read_only;
    }
    must(restricted == 0 || memmem(text.p, text.n, scope.p, scope.n) || memchr(text.p, '\\', text.n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arena *arena = arena_new();
    Str rest = { (const char *)data, size }, header = cut_line(&rest);
    log_set_level(LOG_CRITICAL);
    check_header(arena, header);
    check_file(arena, rest);
    arena_free(arena);
    return 0;
}
