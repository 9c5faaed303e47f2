/* access/access.c -- the live table of keys: checked from any thread, reloaded by its own thread. */
#include "access/access.h"

#include <unistd.h>

#include "access/keys.h"
#include "base/log.h"
#include "base/thread.h"
#include "config/file_write.h"

static const char auth_setting[] = "ORION_AUTH_STRING", keys_setting[] = "ORION_KEYS_FILE", logger[] = "orion.access";

enum { WATCH_MS = 500, CREDENTIAL_MAX = 4096 };

struct Access {
    const char *path;                    /* the key file */
    bool has_password;
    unsigned char password[SHA256_SIZE]; /* of "user:password" */
    char *user;
    Refusals *refusals;
    unsigned char seen[SHA256_SIZE];     /* digest of the last content or error seen; watcher thread only */

    pthread_mutex_t lock;                /* protects the next three members */
    pthread_cond_t changed;              /* signalled when `stopping` is set */
    bool stopping;
    Keys keys;                           /* freed through their arena */

    bool watching;
    pthread_t thread;
};

/* ---- settings ---- */

static Str auth_string(const Settings *settings)
{
    return settings_text(settings, auth_setting);
}

bool access_check_settings(const Settings *settings, Error *error)
{
    const char *first, *second;
    if (!settings_names_agree(settings, auth_setting, &first, &second))
        return fail(error, ERR_INVALID,
                    "%s and %s are two names of one setting and have different values: remove one of them.", first,
                    second);
    Str text = auth_string(settings);
    if (!text.p)
        return true;
    const char *colon = memchr(text.p, ':', text.n);
    if (!colon || colon == text.p || colon == text.p + text.n - 1)
        return fail(error, ERR_INVALID, "not of the form user:password, with neither of them empty.");
    return true;
}

Str access_keys_path(const Settings *settings)
{
    return settings_text(settings, keys_setting);
}

/* ---- the file ---- */

static size_t count_keys(const Keys *keys)
{
    size_t n = 0;
    for (const Key *key = keys->first; key; key = key->next)
        n++;
    return n;
}

/* Whether the content or the error differs from the last look. */
static bool is_news(Access *access, Arena *arena, bool ok, Str text, const Error *error)
{
    unsigned char found[SHA256_SIZE];
    const char *kind = !ok ? "error" : text.p ? "text" : "nothing";
    sha256(arena_printf(arena, "%s %.*s", kind, STR_ARG(ok ? text : str_from(error->message))), found);
    bool news = memcmp(found, access->seen, sizeof found) != 0;
    memcpy(access->seen, found, sizeof found);
    return news;
}

/* Makes `keys` the keys in use; takes ownership of their arena. */
static void replace(Access *access, Keys keys)
{
    pthread_mutex_lock(&access->lock);
    Arena *old = access->keys.arena;
    access->keys = keys;
    pthread_mutex_unlock(&access->lock);
    arena_free(old);
}

static bool parse(const char *path, Arena *arena, Str text, Keys *ret, Error *error)
{
    Error cause = { .code = ERR_NONE };
    return keys_parse(arena, text, ret, &cause) || fail(error, ERR_INVALID, "%s: %s.", path, cause.message);
}

/* True: the new table owns the arena. */
static bool take_over(Access *access, Arena *arena, Str text)
{
    Error error = { .code = ERR_NONE };
    Keys keys;
    size_t before = count_keys(&access->keys), after;
    if (!text.p && before) {
        log_error(logger, "%s is gone. Its keys stay valid until the server ends; to have none, revoke them.",
                  access->path);
        return false;
    }
    if (!parse(access->path, arena, text, &keys, &error)) {
        log_error(logger, "The keys that were read before stay valid: %s", error.message);
        return false;
    }
    replace(access, keys);
    after = count_keys(&keys);
    if (before && !after && !access->has_password)
        log_warning(logger, "There are no keys left: anyone who can reach this server can do everything.");
    else if (before || after)
        log_info(logger, "Keys read from %s: %zu", access->path, after);
    return true;
}

/* Without the file lock, which another program may hold for a long time. A half-written file is corrected on the next
 * check. */
void access_refresh(Access *access)
{
    Error error = { .code = ERR_NONE };
    Arena *arena = arena_new_small(4096);
    Str text = STR_NULL;
    bool kept = false, ok = file_read(arena, access->path, &text, &error);
    if (is_news(access, arena, ok, text, &error)) {
        if (ok)
            kept = take_over(access, arena, text);
        else
            log_error(logger, "The keys that were read before stay valid: %s", error.message);
    }
    if (!kept)
        arena_free(arena);
}

/* Under the lock, so that no command is halfway through writing. */
static bool read_locked(Arena *arena, const char *path, Str *ret, Error *error)
{
    int lock;
    if (!file_lock(arena, path, FILE_READ, &lock, error))
        return false;
    bool ok = file_read(arena, path, ret, error);
    if (lock >= 0)
        close(lock);
    return ok;
}

static bool read_file(Arena *arena, const Settings *settings, Str *ret_text, Keys *ret, Error *error)
{
    Str path = access_keys_path(settings);
    if (!path.n || str_is(path, ".")) /* as an empty path is read */
        return fail(error, ERR_INVALID, "%s is empty: name a file, or remove the setting.", keys_setting);
    if (!read_locked(arena, path.p, ret_text, error) || !parse(path.p, arena, *ret_text, ret, error))
        return false;
    return ret_text->p || settings_source(settings, keys_setting) == FROM_DEFAULT ||
           fail(error, ERR_INVALID,
                "%s names %s, which does not exist. Create it with `orion key create NAME`, or remove the setting.",
                keys_setting, path.p);
}

bool access_check_keys(const Settings *settings, Error *error)
{
    Arena *arena = arena_new_small(4096);
    Str text;
    Keys keys;
    bool ok = read_file(arena, settings, &text, &keys, error);
    arena_free(arena);
    return ok;
}

static bool read_first(Access *access, const Settings *settings, Error *error)
{
    Arena *arena = arena_new_small(4096);
    Str text;
    Keys keys;
    bool ok = read_file(arena, settings, &text, &keys, error);
    if (ok) {
        (void)is_news(access, arena, true, text, error);
        replace(access, keys);
    } else {
        arena_free(arena);
    }
    return ok;
}

/* ---- start and stop ---- */

static void set_password(Access *access, Str text)
{
    if (!text.p)
        return;
    access->has_password = true;
    sha256(text, access->password);
    access->user = xcalloc(1, text.n + 1);
    memcpy(access->user, text.p, (size_t)((const char *)memchr(text.p, ':', text.n) - text.p));
}

Access *access_new(const Settings *settings, Error *error)
{
    if (!access_check_settings(settings, error))
        return NULL;
    Access *access = xcalloc(1, sizeof *access);
    clock_condition_init(&access->changed);
    pthread_mutex_init(&access->lock, NULL);
    access->path = access_keys_path(settings).p;
    access->refusals = refusals_new();
    set_password(access, auth_string(settings));
    if (read_first(access, settings, error))
        return access;
    access_free(access);
    return NULL;
}

/* False: the server is stopping. */
static bool wait_a_while(Access *access)
{
    int64_t until = clock_monotonic() + WATCH_MS * 1000;
    pthread_mutex_lock(&access->lock);
    while (!access->stopping && clock_condition_wait(&access->changed, &access->lock, until))
        ;
    bool stopping = access->stopping;
    pthread_mutex_unlock(&access->lock);
    return !stopping;
}

/* Polls: inotify would miss changes on network file systems and replaced mounts. */
static void *watch(void *arg)
{
    Access *access = arg;
    while (wait_a_while(access))
        access_refresh(access);
    return NULL;
}

bool access_watch(Access *access)
{
    access->watching = thread_start(&access->thread, watch, access);
    return access->watching;
}

void access_free(Access *access)
{
    if (!access)
        return;
    pthread_mutex_lock(&access->lock);
    access->stopping = true;
    pthread_cond_broadcast(&access->changed);
    pthread_mutex_unlock(&access->lock);
    if (access->watching)
        pthread_join(access->thread, NULL);
    pthread_cond_destroy(&access->changed);
    pthread_mutex_destroy(&access->lock);
    arena_free(access->keys.arena);
    refusals_free(access->refusals);
    free(access->user);
    free(access);
}

Refusals *access_refusals(Access *access)
{
    return access->refusals;
}

/* ---- authorization ---- */

/* Expired keys count: the server does not open up when its last key expires. */
AccessOffers access_offers(Access *access)
{
    pthread_mutex_lock(&access->lock);
    AccessOffers offers = { .keys = access->keys.first != NULL, .password = access->has_password };
    pthread_mutex_unlock(&access->lock);
    return offers;
}

/* Whether the header uses the scheme; then *ret_rest is what follows it. */
static bool take_scheme(Str authorization, const char *scheme, Str *ret_rest)
{
    Str name = str_from(scheme);
    if (authorization.n <= name.n || authorization.p[name.n] != ' '
        || !str_same_word((Str){ authorization.p, name.n }, name))
        return false;
    *ret_rest = str_trim((Str){ authorization.p + name.n, authorization.n - name.n });
    return ret_rest->n <= CREDENTIAL_MAX;
}

/* Compares every key, even after a match. */
static AccessVerdict judge_key(Access *access, Arena *arena, Str key, Time now, AccessGrant *ret)
{
    unsigned char digest[SHA256_SIZE];
    AccessVerdict verdict = ACCESS_UNKNOWN_KEY;
    sha256(key, digest);
    pthread_mutex_lock(&access->lock);
    for (const Key *known = access->keys.first; known; known = known->next) {
        if (!bytes_are_equal(known->digest, digest, sizeof digest))
            continue;
        bool expired = known->expires != TIME_NULL && now >= known->expires;
        verdict = expired ? ACCESS_EXPIRED_KEY : ACCESS_GRANTED;
        *ret = (AccessGrant){
            .reads = !expired, .writes = !expired && !known->read_only,
            .who = arena_printf(arena, "key %.*s", STR_ARG(known->name)),
        };
        memcpy(ret->key, digest, sizeof digest);
    }
    pthread_mutex_unlock(&access->lock);
    return verdict;
}

/* `text`: user:password. */
static AccessVerdict judge_password(const Access *access, Arena *arena, Str text, AccessGrant *ret)
{
    unsigned char digest[SHA256_SIZE];
    sha256(text, digest);
    if (!bytes_are_equal(digest, access->password, sizeof digest))
        return ACCESS_WRONG_PASSWORD;
    *ret = (AccessGrant){ .reads = true, .writes = true, .who = arena_printf(arena, "user %s", access->user) };
    return ACCESS_GRANTED;
}

/* Whether the server accepts everyone. */
static bool is_open(AccessOffers offers, AccessGrant *ret)
{
    if (offers.keys || offers.password)
        return false;
    *ret = (AccessGrant){ .reads = true, .writes = true, .who = STR_NULL };
    return true;
}

AccessVerdict access_judge(Access *access, Arena *arena, Str authorization, Time now, AccessGrant *ret)
{
    AccessOffers offers = access_offers(access);
    Str rest, text;
    if (is_open(offers, ret))
        return ACCESS_GRANTED;
    if (authorization.p && take_scheme(authorization, "Bearer", &rest))
        return judge_key(access, arena, rest, now, ret);
    if (authorization.p && offers.password && take_scheme(authorization, "Basic", &rest))
        return base64_decode(arena, rest, &text) ? judge_password(access, arena, text, ret) : ACCESS_WRONG_PASSWORD;
    return ACCESS_MISSING;
}

AccessVerdict access_judge_token(Access *access, Arena *arena, Str token, Time now, AccessGrant *ret)
{
    AccessOffers offers = access_offers(access);
    if (is_open(offers, ret))
        return ACCESS_GRANTED;
    if (!token.n || token.n > CREDENTIAL_MAX)
        return ACCESS_MISSING;
    bool is_password = offers.password && (!offers.keys || memchr(token.p, ':', token.n));
    return is_password ? judge_password(access, arena, token, ret) : judge_key(access, arena, token, now, ret);
}

bool access_still_grants(Access *access, const AccessGrant *grant, Time now)
{
    static const unsigned char none[SHA256_SIZE];
    bool is_key = memcmp(grant->key, none, sizeof none) != 0, granted = false;
    AccessOffers offers = access_offers(access);
    if (!is_key)
        return grant->who.p || (!offers.keys && !offers.password);
    pthread_mutex_lock(&access->lock);
    for (const Key *known = access->keys.first; known; known = known->next)
        if (bytes_are_equal(known->digest, grant->key, sizeof grant->key))
            granted = known->expires == TIME_NULL || now < known->expires;
    pthread_mutex_unlock(&access->lock);
    return granted;
}
