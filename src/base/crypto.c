/* base/crypto.c -- SHA-256, SHA-1 and Fernet over OpenSSL's libcrypto. */
#include "base/crypto.h"

/* SHA256_* for the plain digest: getting it through EVP loads the providers, 3 MB resident at every first start */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "base/buf.h"
#include "base/random.h"

/* A token: version, time stamp and IV (the head), blocks of ciphertext, and the MAC of all that. SIGN is where the
 * key's signing half ends and its encrypting half begins. */
enum { SIGN = 16, VERSION = 0x80, STAMP = 8, IV = 16, BLOCK = 16, MAC = 32, HEAD = 1 + STAMP + IV, KEY_TEXT = 44 };

void sha256(Str bytes, unsigned char ret[SHA256_SIZE])
{
    SHA256_CTX context;
    SHA256_Init(&context); /* none of the three can fail */
    SHA256_Update(&context, bytes.p, bytes.n);
    SHA256_Final(ret, &context);
}

Str sha256_hex(Arena *arena, Str bytes)
{
    unsigned char digest[SHA256_SIZE];
    char *text = arena_alloc(arena, 65);
    sha256(bytes, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", digest[i]);
    return (Str){ text, 64 };
}

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static Str base64url_encode(Arena *arena, const unsigned char *in, size_t n)
{
    Buf out;
    buf_init(&out, arena, n * 4 / 3 + 8);
    for (size_t i = 0; i < n; i += 3) {
        uint32_t v = (uint32_t)in[i] << 16 | (i + 1 < n ? (uint32_t)in[i + 1] << 8 : 0) | (i + 2 < n ? in[i + 2] : 0);
        buf_char(&out, alphabet[v >> 18 & 63]);
        buf_char(&out, alphabet[v >> 12 & 63]);
        buf_char(&out, i + 1 < n ? alphabet[v >> 6 & 63] : '=');
        buf_char(&out, i + 2 < n ? alphabet[v & 63] : '=');
    }
    return (Str){ buf_cstr(&out), out.n };
}

static Str base64_encode(Arena *arena, const unsigned char *bytes, size_t n)
{
    Str url = base64url_encode(arena, bytes, n);
    char *text = arena_cstr(arena, url);
    for (char *p = text; *p; p++)
        *p = *p == '-' ? '+' : *p == '_' ? '/' : *p;
    return (Str){ text, url.n };
}

Str sha256_base64(Arena *arena, Str bytes)
{
    unsigned char digest[SHA256_SIZE];
    sha256(bytes, digest);
    return base64_encode(arena, digest, sizeof digest);
}

Str sha1_base64(Arena *arena, Str bytes)
{
    unsigned char digest[SHA_DIGEST_LENGTH];
    SHA_CTX context;
    SHA1_Init(&context);
    SHA1_Update(&context, bytes.p, bytes.n);
    SHA1_Final(digest, &context);
    return base64_encode(arena, digest, sizeof digest);
}

/* Also accepts the digits of plain base64, like Python's decoder: `openssl rand -base64 32` makes such keys. */
static int base64url_digit(char c)
{
    const char *at = c ? strchr(alphabet, c) : NULL;
    if (at)
        return (int)(at - alphabet);
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* `out` has room for text.n bytes. */
static bool base64url_decode(Str text, unsigned char *out, size_t *ret_n)
{
    size_t n = 0;
    while (text.n && text.p[text.n - 1] == '=')
        text.n--;
    if (text.n % 4 == 1)
        return false;
    uint32_t v = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < text.n; i++) {
        int digit = base64url_digit(text.p[i]);
        if (digit < 0)
            return false;
        v = v << 6 | (uint32_t)digit;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out[n++] = (unsigned char)(v >> bits & 0xFF);
        }
    }
    *ret_n = n;
    return true;
}

bool bytes_are_equal(const void *a, const void *b, size_t n)
{
    return CRYPTO_memcmp(a, b, n) == 0;
}

Str base64url_text(Arena *arena, const unsigned char *bytes, size_t n)
{
    Str text = base64url_encode(arena, bytes, n);
    while (text.n && text.p[text.n - 1] == '=')
        text.n--;
    return arena_str(arena, text);
}

bool base64_decode(Arena *arena, Str text, Str *ret)
{
    Str digits = text;
    while (digits.n && text.n - digits.n < 2 && digits.p[digits.n - 1] == '=')
        digits.n--;
    for (size_t i = 0; i < digits.n; i++)
        if (char_in(digits.p[i], "= \t\r\n")) /* OpenSSL counts '=' as a digit and skips white space */
            return false;
    if (text.n == 0 || text.n % 4 != 0 || text.n > INT32_MAX)
        return false;
    unsigned char *out = arena_alloc(arena, text.n / 4 * 3 + 1);
    int n = EVP_DecodeBlock(out, (const unsigned char *)text.p, (int)text.n);
    if (n < 0)
        return false;
    *ret = (Str){ (char *)out, (size_t)n - (text.n - digits.n) };
    return true;
}

bool fernet_key_parse(Str text, FernetKey *ret)
{
    while (text.n && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r' || text.p[text.n - 1] == ' '))
        text.n--; /* the line end of a key that was read from a file */
    if (text.n != KEY_TEXT || text.p[text.n - 1] != '=')
        return false; /* Python requires the padding, and the database may go back to the reference */
    unsigned char bytes[64];
    size_t n;
    if (!base64url_decode(text, bytes, &n) || n != sizeof ret->bytes)
        return false;
    memcpy(ret->bytes, bytes, n);
    return true;
}

Str fernet_key_text(Arena *arena, const FernetKey *key)
{
    return base64url_encode(arena, key->bytes, sizeof key->bytes);
}

void fernet_key_new(FernetKey *ret)
{
    random_bytes(ret->bytes, sizeof ret->bytes);
}

static bool mac_of(const FernetKey *key, const unsigned char *bytes, size_t n, unsigned char mac[MAC])
{
    unsigned length = MAC;
    return HMAC(EVP_sha256(), key->bytes, SIGN, bytes, n, mac, &length) != NULL;
}

/* AES-128-CBC with PKCS7 padding, either way; -1 on failure. */
static int crypt_cbc(bool encrypt, const FernetKey *key, const unsigned char *iv, const unsigned char *in, int n,
                     unsigned char *out)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int first = 0, last = 0;
    bool ok = context && EVP_CipherInit_ex(context, EVP_aes_128_cbc(), NULL, key->bytes + SIGN, iv, encrypt) &&
              EVP_CipherUpdate(context, out, &first, in, n) && EVP_CipherFinal_ex(context, out + first, &last);
    EVP_CIPHER_CTX_free(context);
    return ok ? first + last : -1;
}

Str fernet_encrypt(Arena *arena, const FernetKey *key, Str plain, Time now)
{
    unsigned char *token = arena_alloc(arena, HEAD + plain.n + BLOCK + MAC);
    uint64_t seconds = (uint64_t)(now / SECOND);
    token[0] = VERSION;
    for (int i = 0; i < STAMP; i++)
        token[1 + i] = (unsigned char)(seconds >> (8 * (STAMP - 1 - i)) & 0xFF);
    random_bytes(token + 1 + STAMP, IV);
    int n = crypt_cbc(true, key, token + 1 + STAMP, (const unsigned char *)plain.p, (int)plain.n, token + HEAD);
    if (n < 0 || !mac_of(key, token, HEAD + (size_t)n, token + HEAD + n))
        return STR_NULL;
    return base64url_encode(arena, token, HEAD + (size_t)n + MAC);
}

bool fernet_decrypt(Arena *arena, const FernetKey *key, Str text, Str *ret_plain)
{
    unsigned char *token = arena_alloc(arena, text.n + 1);
    unsigned char mac[MAC];
    size_t n;
    if (!base64url_decode(text, token, &n) || n < HEAD + BLOCK + MAC || token[0] != VERSION)
        return false;
    /* Nothing is decrypted before its MAC has been compared, in constant time. */
    if (!mac_of(key, token, n - MAC, mac) || CRYPTO_memcmp(mac, token + n - MAC, MAC) != 0)
        return false;
    char *plain = arena_alloc(arena, n + BLOCK);
    int length = crypt_cbc(false, key, token + 1 + STAMP, token + HEAD, (int)(n - MAC - HEAD), (unsigned char *)plain);
    if (length < 0)
        return false;
    *ret_plain = (Str){ plain, (size_t)length };
    return true;
}
