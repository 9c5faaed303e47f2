/* tests/fuzz/fuzz_proxies.c -- what says from where a request came: a line with the setting's list of trusted
 * proxies, a line with the peer's address, the path, then a header in each line. Addresses that were read are
 * written as text that reads the same; what pages and redirects show of headers holds nothing that could be taken
 * for more. */
#include "fuzz.h"

#include "api/address.h"
#include "api/origin.h"
#include "base/text.h"
#include "config/setting_proxies.h"

static const Settings *the_settings(void)
{
    static const Settings *settings;
    Error error = { .code = ERR_NONE };
    if (!settings)
        settings = settings_load(NULL, &error);
    must_not_fail(&error);
    return settings;
}

static void check_address(Arena *arena, const struct in6_addr *address)
{
    struct in6_addr again;
    must(address_parse(address_text(arena, address), &again) && memcmp(&again, address, sizeof again) == 0);
}

static bool bit_of(const struct in6_addr *address, unsigned i)
{
    return address->s6_addr[i / 8] >> (7 - i % 8) & 1;
}

/* Bit by bit. */
static bool is_inside(const struct in6_addr *address, const Network *network)
{
    unsigned i = 0;
    while (i < network->bits && bit_of(address, i) == bit_of(&network->address, i))
        i++;
    return i == network->bits;
}

static void check_member(const struct in6_addr *address, const Network *networks, size_t count)
{
    bool inside = false;
    for (size_t i = 0; i < count; i++)
        inside = inside || is_inside(address, &networks[i]);
    must(networks_have(networks, count, address) == inside);
}

/* Each network is written as "address/bits", and holds its own address. */
static void check_networks(Arena *arena, const Network *networks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        Network *again;
        size_t n;
        Error error = { .code = ERR_NONE };
        const Network *one = &networks[i];
        bool four = IN6_IS_ADDR_V4MAPPED(&one->address) && one->bits >= 96;
        Str text = arena_printf(arena, "%.*s/%u", STR_ARG(address_text(arena, &one->address)),
                                four ? one->bits - 96 : one->bits);
        check_address(arena, &one->address);
        must(networks_have(networks, count, &one->address));
        if (IN6_IS_ADDR_V4MAPPED(&one->address) && !four) /* is written as an IPv4 address */
            continue;
        must(networks_parse(arena, text, &again, &n, &error) && n == 1);
        must(again->bits == one->bits && memcmp(&again->address, &one->address, sizeof one->address) == 0);
    }
}

static bool holds_any(Str text, const char *set)
{
    for (size_t i = 0; i < text.n; i++)
        if (char_in(text.p[i], set) || (unsigned char)text.p[i] < '!' || (unsigned char)text.p[i] > '~')
            return true;
    return false;
}

static void check_shown(Req *req)
{
    Str address = request_address(req), root = request_root_path(req), peer = request_peer(req);
    struct in6_addr client;
    must(address_parse(peer, &client));
    must(!holds_any(address, "\"'<>&\\` @?#%") && !holds_any(root, "\"'<>&\\` @?#%"));
    must(address.n == 0 || str_starts(address, "http://") || str_starts(address, "https://"));
    must(root.n == 0 || (root.p[0] == '/' && root.p[root.n - 1] != '/' && !str_starts(root, "//")));
    request_strip_root_path(req);
    must(req->http->path.n > 0 && req->http->path.p[0] == '/');
    if (!origin_check(req))
        must(req->error.code == ERR_BAD_REQUEST || req->error.code == ERR_FORBIDDEN);
}

static void read_headers(HttpRequest *http, Str rest)
{
    enum { HEADERS_MAX = 32 };
    HttpHeader *headers = arena_zalloc(http->arena, HEADERS_MAX * sizeof *headers);
    http->headers = headers;
    while (rest.n && http->header_count < HEADERS_MAX) {
        Str line = cut_line(&rest);
        size_t colon = str_find(line, ':');
        if (colon < line.n && !memchr(line.p, '\0', line.n)) /* as the parser of heads refuses them */
            headers[http->header_count++] = (HttpHeader){ str_cut(line, 0, colon),
                                                          str_trim(str_cut(line, colon + 1, line.n)) };
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arena *arena = arena_new();
    Str rest = { (const char *)data, size }, list = cut_line(&rest), peer = cut_line(&rest), path = cut_line(&rest);
    HttpRequest http = { .arena = arena, .method = HTTP_GET, .path = arena_printf(arena, "/%.*s", STR_ARG(path)) };
    Error error = { .code = ERR_NONE };
    Network *networks = NULL;
    Proxies proxies = { .text = list };
    if (networks_parse(arena, list, &networks, &proxies.count, &error))
        check_networks(arena, networks, proxies.count);
    else
        must(error.message[0] != '\0');
    proxies.trusted = networks;
    if (address_parse(peer, &http.peer))
        check_address(arena, &http.peer);
    check_member(&http.peer, networks, networks ? proxies.count : 0);
    read_headers(&http, rest);
    const App app = { .settings = the_settings(), .proxies = &proxies, .root_path = STR("/prefect"),
                      .on_loopback = size % 2 };
    Req req = { .http = &http, .arena = arena, .app = &app };
    check_shown(&req);
    arena_free(arena);
    return 0;
}
