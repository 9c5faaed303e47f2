/* http/handshake.c -- the opening of a WebSocket: what a request must say, and the 101. */
#include "base/crypto.h"
#include "base/text.h"
#include "http/ws.h"

static const char magic[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; /* of RFC 6455 */

/* Whether one of the headers of that name, lists of words, has the word; `same` compares. */
static bool has_word(const HttpRequest *request, const char *lower_case_name, const char *word, bool (*same)(Str, Str))
{
    for (size_t i = 0; i < request->header_count; i++) {
        Str rest = request->headers[i].value;
        if (!str_is(request->headers[i].name, lower_case_name))
            continue;
        while (rest.n)
            if (same(str_next_item(&rest, ','), str_from(word)))
                return true;
    }
    return false;
}

bool ws_is_wanted(const HttpRequest *request)
{
    return has_word(request, "connection", "upgrade", str_same_word) &&
           has_word(request, "upgrade", "websocket", str_same_word);
}

bool ws_offers(const HttpRequest *request, const char *subprotocol)
{
    return has_word(request, "sec-websocket-protocol", subprotocol, str_eq);
}

static bool is_key(Arena *arena, Str key)
{
    Str bytes;
    return base64_decode(arena, key, &bytes) && bytes.n == 16;
}

/* How often a header comes. */
static unsigned count_of(const HttpRequest *request, const char *lower_case_name)
{
    unsigned count = 0;
    for (size_t i = 0; i < request->header_count; i++)
        count += str_is(request->headers[i].name, lower_case_name);
    return count;
}

int ws_check(const HttpRequest *request, const char **ret_why)
{
    const Exchange *exchange = (const Exchange *)request;
    static const char key[] = "sec-websocket-key", version[] = "sec-websocket-version";
    const struct { bool is_wrong; int status; const char *why; } checks[] = {
        { request->method != HTTP_GET, 405, "A WebSocket is opened by GET." },
        { exchange->framing.version_10, 400, "A WebSocket needs HTTP/1.1." },
        { exchange->framing.length || exchange->framing.chunked, 400, "The request for a WebSocket has a body." },
        { count_of(request, key) != 1, 400, "Sec-WebSocket-Key must be sent once." },
        { !is_key(request->arena, http_header(request, key)), 400, "Sec-WebSocket-Key must be 16 bytes in base64." },
        { count_of(request, version) != 1, 400, "Sec-WebSocket-Version must be sent once." },
        { !str_is(http_header(request, version), "13"), 426, "Only version 13 of WebSocket is spoken here." },
    };
    for (size_t i = 0; i < COUNT_OF(checks); i++)
        if (checks[i].is_wrong) {
            *ret_why = checks[i].why;
            return checks[i].status;
        }
    return 0;
}

void ws_set_reply(Exchange *exchange, const char *subprotocol)
{
    HttpRequest *request = &exchange->request;
    Str key = http_header(request, "sec-websocket-key");
    HttpHeader headers[4] = {
        { STR("upgrade"), STR("websocket") },
        { STR("connection"), STR("Upgrade") },
        { STR("sec-websocket-accept"),
          sha1_base64(request->arena, arena_printf(request->arena, "%.*s%s", STR_ARG(key), magic)) },
        { STR("sec-websocket-protocol"), str_from(subprotocol) },
    };
    exchange->framing.keep_alive = true;
    exchange_set_reply(exchange, 101, headers, subprotocol ? 4 : 3, STR(""));
}
