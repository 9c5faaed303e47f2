/* http/reply.c -- the exchange: a request with its reply in one arena, and the making of the reply's head. */
#include "base/buf.h"
#include "http/ws.h"

enum {
    KEPT_SIZE = 32 << 10, /* an arena of up to this size is not worth copying the reply for */
    KEPT_MORE = 64        /* for the ends and the alignment of head and body */
};

static const struct { int status; const char *reason; } reasons[] = {
    { 101, "Switching Protocols" },
    { 200, "OK" }, { 201, "Created" }, { 202, "Accepted" }, { 204, "No Content" }, { 206, "Partial Content" },
    { 301, "Moved Permanently" }, { 302, "Found" }, { 303, "See Other" }, { 304, "Not Modified" },
    { 307, "Temporary Redirect" }, { 308, "Permanent Redirect" },
    { 400, "Bad Request" }, { 401, "Unauthorized" }, { 403, "Forbidden" }, { 404, "Not Found" },
    { 405, "Method Not Allowed" }, { 406, "Not Acceptable" }, { 408, "Request Timeout" }, { 409, "Conflict" },
    { 410, "Gone" }, { 412, "Precondition Failed" },
    { 413, "Request Entity Too Large" }, { 415, "Unsupported Media Type" }, { 416, "Requested Range Not Satisfiable" },
    { 417, "Expectation Failed" }, { 422, "Unprocessable Entity" }, { 426, "Upgrade Required" },
    { 428, "Precondition Required" }, { 429, "Too Many Requests" }, { 431, "Request Header Fields Too Large" },
    { 500, "Internal Server Error" }, { 501, "Not Implemented" }, { 502, "Bad Gateway" },
    { 503, "Service Unavailable" },
    { 504, "Gateway Timeout" }, { 505, "HTTP Version Not Supported" }, { 507, "Insufficient Storage" },
};

static const char *reason_of(int status)
{
    for (size_t i = 0; i < COUNT_OF(reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "";
}

/* A value may come from a client, decoded: a line end in it must not begin another header. */
static void add_value(Buf *out, Str value)
{
    size_t start = out->n;
    buf_str(out, value);
    for (size_t i = start; i < out->n; i++)
        if ((unsigned char)out->p[i] < ' ' && out->p[i] != '\t')
            out->p[i] = ' ';
}

static bool is_bodiless(int status)
{
    return status == 204 || status == 304 || status < 200;
}

static void set_head(Exchange *exchange, int status, const HttpHeader *headers, size_t count, size_t length)
{
    Buf head;
    size_t expected = 208 + exchange->request.id.n;
    for (size_t i = 0; i < count; i++)
        expected += headers[i].name.n + headers[i].value.n + 4;
    buf_init(&head, exchange->request.arena, expected);
    buf_printf(&head, "HTTP/1.1 %d %s\r\ndate: ", status, reason_of(status));
    size_t date = head.n;
    buf_printf(&head, "%*s\r\nserver: orion\r\n", DATE_LENGTH, "");
    if (!is_bodiless(status))
        buf_printf(&head, "content-length: %zu\r\n", length);
    buf_text(&head, "x-request-id: ");
    buf_str(&head, exchange->request.id);
    buf_text(&head, "\r\n");
    for (size_t i = 0; i < count; i++) {
        buf_str(&head, headers[i].name);
        buf_text(&head, ": ");
        add_value(&head, headers[i].value);
        buf_text(&head, "\r\n");
    }
    exchange->close = !exchange->framing.keep_alive || atomic_load(&exchange->server->stopping);
    if (exchange->close)
        buf_text(&head, "connection: close\r\n");
    else if (exchange->framing.version_10)
        buf_text(&head, "connection: keep-alive\r\n");
    buf_text(&head, "\r\n");
    exchange->date = head.p + date;
    exchange->reply_head = buf_view(&head);
}

void exchange_set_reply(Exchange *exchange, int status, const HttpHeader *headers, size_t count, Str body)
{
    set_head(exchange, status, headers, count, body.n);
    bool is_sent = body.n && !is_bodiless(status) && exchange->request.method != HTTP_HEAD;
    exchange->reply_body = is_sent ? body : STR("");
}

void exchange_set_file(Exchange *exchange, int status, const HttpHeader *headers, size_t count, HttpFile *file)
{
    set_head(exchange, status, headers, count, (size_t)file->size);
    exchange->reply_body = STR("");
    exchange->file = file;
    exchange->file_sent = is_bodiless(status) || exchange->request.method == HTTP_HEAD ? file->size : 0;
}

/* The date as the head shows it, formatted once a second. */
static const char *date_now(HttpServer *server)
{
    static const char days[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
    static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    time_t now = time(NULL);
    if (now == server->date_second)
        return server->date;
    struct tm t;
    gmtime_r(&now, &t);
    char text[64];
    snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[t.tm_wday], t.tm_mday, months[t.tm_mon],
             t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
    memcpy(server->date, text, DATE_LENGTH);
    server->date_second = now;
    return server->date;
}

void exchange_stamp(Exchange *exchange)
{
    memcpy(exchange->date, date_now(exchange->server), DATE_LENGTH);
}

Exchange *exchange_new(HttpServer *server, Connection *c, size_t expected)
{
    Arena *arena = arena_new_small(sizeof(Exchange) + expected);
    Exchange *exchange = arena_new_of(arena, Exchange);
    exchange->server = server;
    exchange->request = (HttpRequest){ .arena = arena, .connection = c, .peer = c->peer,
                                        .is_gone = &c->is_gone, .body = STR("") };
    return exchange;
}

Exchange *exchange_shrink(Exchange *exchange, size_t written)
{
    size_t of_head = written < exchange->reply_head.n ? written : exchange->reply_head.n, of_body = written - of_head;
    Str head = { exchange->reply_head.p + of_head, exchange->reply_head.n - of_head };
    Str body = { exchange->reply_body.p + of_body, exchange->reply_body.n - of_body };
    if (arena_used(exchange->request.arena) < KEPT_SIZE + 2 * (head.n + body.n)) /* as a rule also for a constant
                                                                                  * body, which is not in the arena */
        return exchange;
    Exchange *kept = exchange_new(exchange->server, exchange->request.connection, head.n + body.n + KEPT_MORE);
    kept->close = exchange->close;
    kept->refused = exchange->refused;
    kept->reply_head = arena_str(kept->request.arena, head);
    kept->reply_body = arena_str(kept->request.arena, body);
    kept->file = exchange->file;
    kept->file_sent = exchange->file_sent;
    exchange->file = NULL;
    kept->ws = exchange->ws;
    exchange->ws = NULL;
    if (exchange->date && of_head == 0)
        kept->date = (char *)(uintptr_t)kept->reply_head.p + (exchange->date - exchange->reply_head.p);
    /* the loop's thread gives it back to the budget */
    kept->body = (HttpBody){ .capacity = exchange->body.capacity, .budget = exchange->body.budget };
    exchange->body.capacity = 0;
    exchange_free(exchange);
    return kept;
}

void exchange_free(Exchange *exchange)
{
    if (!exchange)
        return;
    http_body_end(&exchange->body);
    if (exchange->file)
        exchange->file->close(exchange->file);
    ws_detach(exchange->ws);
    arena_free(exchange->request.arena); /* which holds the exchange itself */
}
