/* tests/unit/test_crypto.c -- Fernet and SHA-256 against values of Python's cryptography and hashlib. */
#include "unit.h"

#include "base/crypto.h"

#define KEY "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

static void sha256_of_known_texts(void **state)
{
    Arena *arena = arena_new();
    assert_true(str_is(sha256_hex(arena, STR("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    assert_true(
        str_is(sha256_hex(arena, STR("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    arena_free(arena);
    (void)state;
}

static void key_survives_its_text(void **state)
{
    Arena *arena = arena_new();
    FernetKey key, again;
    fernet_key_new(&key);
    assert_true(fernet_key_parse(fernet_key_text(arena, &key), &again));
    assert_memory_equal(key.bytes, again.bytes, sizeof key.bytes);
    assert_false(fernet_key_parse(STR("too short"), &again));
    assert_false(fernet_key_parse(STR("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZ*Y="), &again));
    assert_false(fernet_key_parse(STR("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZGY"), &again));
    assert_true(fernet_key_parse(STR("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZGY=\n"), &again));
    assert_true(fernet_key_parse(STR("++//Mzc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZGY4OTA="), &key));
    assert_true(fernet_key_parse(STR("--__Mzc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZGY4OTA="), &again));
    assert_memory_equal(key.bytes, again.bytes, sizeof key.bytes);
    arena_free(arena);
    (void)state;
}

static void token_comes_back(void **state)
{
    Arena *arena = arena_new();
    FernetKey key;
    Str plain;
    assert_true(fernet_key_parse(STR(KEY), &key));
    Str token = fernet_encrypt(arena, &key, STR("{\"a\": 1}"), 1700000000 * SECOND);
    assert_true(fernet_decrypt(arena, &key, token, &plain));
    assert_true(str_is(plain, "{\"a\": 1}"));
    arena_free(arena);
    (void)state;
}

static void changed_token_is_refused(void **state)
{
    Arena *arena = arena_new();
    FernetKey key;
    Str plain;
    assert_true(fernet_key_parse(STR(KEY), &key));
    Str token = fernet_encrypt(arena, &key, STR("{\"a\": 1}"), 1700000000 * SECOND);
    char *changed = arena_cstr(arena, token);
    changed[40] = changed[40] == 'A' ? 'B' : 'A';
    assert_false(fernet_decrypt(arena, &key, str_from(changed), &plain));
    assert_false(fernet_decrypt(arena, &key, STR("gAAAA"), &plain));
    arena_free(arena);
    (void)state;
}

static void token_of_python_is_read(void **state)
{
    Arena *arena = arena_new();
    FernetKey key;
    Str plain;
    assert_true(fernet_key_parse(STR(KEY), &key));
    Str token = STR(
        "gAAAAABlU_EAMDEyMzQ1Njc4OWFiY2RlZnby4h1EZxpeGprgT5A03eJKQD4iz5lE1rVqw9al57l7RX0t_ujOsoXVF363gprp0w==");
    assert_true(fernet_decrypt(arena, &key, token, &plain));
    assert_true(str_is(plain, "{\"a\": \"\xC3\xA9\"}"));
    arena_free(arena);
    (void)state;
}

static void base64_is_decoded_strictly(void **state)
{
    static const struct { const char *text, *bytes; } rows[] = {
        { "YQ==", "a" }, { "YWI=", "ab" }, { "YWJj", "abc" }, { "+/+/", "\xfb\xff\xbf" }, { "", NULL }, { "Y", NULL },
        { "YQ", NULL }, { "YQ=", NULL }, { "Y===", NULL }, { "====", NULL }, { "YQ==YQ==", NULL }, { "Y=Q=", NULL },
        { " YQ=", NULL }, { "YQ= ", NULL }, { "YW\nJ", NULL }, { "-_-_", NULL }, { "YQ==\n", NULL },
    };
    Arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        Str bytes;
        bool ok = base64_decode(arena, str_from(rows[i].text), &bytes);
        if (ok != (rows[i].bytes != NULL))
            print_error("%s\n", rows[i].text);
        assert_true(ok == (rows[i].bytes != NULL));
        assert_true(!ok || str_is(bytes, rows[i].bytes));
    }
    assert_true(str_is(base64url_text(arena, (const unsigned char *)"\xfb\xff\xbf" "a", 4), "-_-_YQ"));
    assert_true(bytes_are_equal("abc", "abd", 2) && !bytes_are_equal("abc", "abd", 3));
    arena_free(arena);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_of_known_texts),
        cmocka_unit_test(base64_is_decoded_strictly),
        cmocka_unit_test(key_survives_its_text),
        cmocka_unit_test(token_comes_back),
        cmocka_unit_test(changed_token_is_refused),
        cmocka_unit_test(token_of_python_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
