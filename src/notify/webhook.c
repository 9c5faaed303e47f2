/* notify/webhook.c -- Slack and Microsoft Teams: the webhook's address says which of them takes the message. */
#include "notify/message.h"

#include <strings.h>

#include "base/text.h"

/* ---- addresses ---- */

static bool eat(Str *rest, const char *word)
{
    size_t n = strlen(word);
    if (rest->n < n || strncasecmp(rest->p, word, n) != 0)
        return false;
    *rest = (Str){ rest->p + n, rest->n - n };
    return true;
}

static bool is_token_char(char c, const char *also)
{
    return char_is_digit(c) || char_is_letter(c) || char_in(c, also);
}

/* The letters and digits that come next, and what `also` has; at least one. */
static bool eat_token(Str *rest, const char *also, Str *ret)
{
    size_t n = 0;
    while (n < rest->n && is_token_char(rest->p[n], also))
        n++;
    *ret = (Str){ rest->p, n };
    *rest = (Str){ rest->p + n, rest->n - n };
    return n > 0;
}

/* What may follow the last token: "/", then a query string. */
static bool eat_end(Str *rest, Str *ret_query)
{
    (void)eat(rest, "/");
    *ret_query = *rest;
    return rest->n == 0 || (rest->n > 1 && rest->p[0] == '?');
}

/* An option in the query string, as the reference's library reads it: whether the message shows something. */
static bool option(Str query, const char *name, bool fallback)
{
    for (size_t i = 0; i + 1 < query.n; i++) {
        Str rest = { query.p + i + 1, query.n - i - 1 };
        if (char_in(query.p[i], "?&;") && eat(&rest, name) && eat(&rest, "="))
            return !(rest.n > 0 && char_in(rest.p[0], "nNfF0")) && !eat(&rest, "of") && !eat(&rest, "de")
                   && !eat(&rest, "di");
    }
    return fallback;
}

/* ---- Slack ---- */

static Str escaped(Arena *arena, Str text)
{
    Buf out;
    buf_init(&out, arena, text.n + 64);
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '&')
            buf_text(&out, "&amp;");
        else if (c == '<')
            buf_text(&out, "&lt;");
        else if (c == '>')
            buf_text(&out, "&gt;");
        else
            buf_char(&out, c);
    }
    return buf_view(&out);
}

typedef struct Link {
    Str whole, url, text; /* text null: none */
} Link;

static Str from(Str s, size_t at)
{
    return (Str){ s.p + at, s.n - at };
}

static void skip_blanks(Str *rest)
{
    while (rest->n > 0 && (rest->p[0] == ' ' || rest->p[0] == '\t'))
        *rest = from(*rest, 1);
}

/* "| text &gt;" after a link's address. */
static bool read_link_text(Str *rest, Str *ret)
{
    skip_blanks(rest);
    if (!eat(rest, "|"))
        return false;
    const char *line_end = memchr(rest->p, '\n', rest->n);
    Str line = { rest->p, line_end ? (size_t)(line_end - rest->p) : rest->n };
    const char *end = memmem(line.p, line.n, "&gt;", 4);
    if (!end)
        return false;
    *ret = str_trim((Str){ line.p, (size_t)(end - line.p) });
    *rest = from(*rest, (size_t)(end - line.p) + 4);
    return true;
}

/* An escaped <address> or <address|text> at the beginning of s; its opening bracket may be missing.
 * What follows an address without an end, up to *ret_hopeless, holds no link either. */
static bool read_link(Str s, Link *ret, const char **ret_hopeless)
{
    Str rest = s;
    (void)eat(&rest, "&lt;");
    skip_blanks(&rest);
    const char *begin = rest.p;
    if (!eat(&rest, "http://") && !eat(&rest, "https://") && !eat(&rest, "mailto://"))
        return false;
    size_t run = 0;
    while (run < rest.n && !char_in(rest.p[run], "| \n"))
        run++;
    Str after = from(rest, run);
    *ret = (Link){ .url = { begin, (size_t)(after.p - begin) } };
    if (run > 0 && read_link_text(&after, &ret->text)) {
        ret->whole = (Str){ s.p, (size_t)(after.p - s.p) };
        return true;
    }
    for (size_t n = run; n > 1; n--) {
        Str tail = from(rest, n - 1);
        if (!eat(&tail, "&gt;") || tail.p > rest.p + run)
            continue;
        *ret = (Link){ .whole = { s.p, (size_t)(tail.p - s.p) },
                       .url = { begin, (size_t)(rest.p + n - 1 - begin) },
                       .text = STR("") };
        return true;
    }
    *ret_hopeless = rest.p + run;
    return false;
}

static void add_link(Buf *out, const Link *link)
{
    buf_char(out, '<');
    for (size_t i = 0; i < link->url.n; i++) {
        Str rest = from(link->url, i);
        buf_char(out, link->url.p[i]);
        if (eat(&rest, "&amp;"))
            i += 4;
    }
    if (link->text.n > 0)
        buf_printf(out, "|%.*s", STR_ARG(link->text));
    buf_char(out, '>');
}

/* Links in brackets stay links. */
static Str with_links(Arena *arena, Str text)
{
    Buf out;
    const char *hopeless = text.p;
    buf_init(&out, arena, text.n + 64);
    for (size_t i = 0; i < text.n;) {
        Link link;
        if (text.p + i >= hopeless && read_link(from(text, i), &link, &hopeless)) {
            add_link(&out, &link);
            i += link.whole.n;
        } else {
            buf_char(&out, text.p[i++]);
        }
    }
    return buf_view(&out);
}

static bool slack(Message *message, Str address, Str query)
{
    bool footer = option(query, "footer", true);
    Str image = option(query, "image", true) ? message_image(message, "72x72") : STR_NULL;
    Buf buf;
    JsonWriter w;
    message_json(message, &buf, &w);
    json_object(&w);
    message_write(&w, "username", STR(NOTIFY_SENDER));
    json_key(&w, "mrkdwn");
    json_bool(&w, true);
    json_key(&w, "attachments");
    json_array(&w);
    json_object(&w);
    message_write(&w, "title", escaped(message->arena, message->title));
    message_write(&w, "text", with_links(message->arena, escaped(message->arena, message->body)));
    message_write(&w, "color", str_from(notify_colors[message->type]));
    json_key(&w, "ts");
    json_float(&w, (double)message->now / 1e6);
    if (footer && image.p)
        message_write(&w, "footer_icon", image);
    if (footer)
        message_write(&w, "footer", STR(NOTIFY_SENDER));
    json_object_end(&w);
    json_array_end(&w);
    if (image.p)
        message_write(&w, "icon_url", image);
    json_object_end(&w);
    NotifyRequest *request = message_request(message, address);
    request->content_type = STR("application/json; charset=utf-8");
    request->accept = STR("application/json");
    request->body = buf_view(&buf);
    request->answer_ok = true;
    return true;
}

/* ---- Microsoft Teams ---- */

static bool teams(Message *message, Str address, Str query)
{
    Str image = option(query, "image", true) ? message_image(message, "72x72") : STR_NULL;
    Buf buf;
    JsonWriter w;
    message_json(message, &buf, &w);
    json_object(&w);
    message_write(&w, "@type", STR("MessageCard"));
    message_write(&w, "@context", STR("https://schema.org/extensions"));
    message_write(&w, "summary", STR(NOTIFY_SENDER));
    message_write(&w, "themeColor", str_from(notify_colors[message->type]));
    json_key(&w, "sections");
    json_array(&w);
    json_object(&w);
    message_write(&w, "activityImage", image);
    message_write(&w, "activityTitle", message->title);
    message_write(&w, "text", message->body);
    json_object_end(&w);
    json_array_end(&w);
    json_object_end(&w);
    message_request(message, address)->body = buf_view(&buf);
    return true;
}

/* https://hooks.slack.com/services/A/B/C */
static bool is_slack(Message *message, Str rest, Str *ret_address, Str *ret_query)
{
    Str a, b, c;
    if (!eat(&rest, "hooks.slack.com/services/") || !eat_token(&rest, "", &a) || !eat(&rest, "/")
        || !eat_token(&rest, "", &b) || !eat(&rest, "/") || !eat_token(&rest, "", &c) || !eat_end(&rest, ret_query))
        return false;
    *ret_address = arena_printf(message->arena, "https://hooks.slack.com/services/%.*s/%.*s/%.*s", STR_ARG(a),
                                STR_ARG(b), STR_ARG(c));
    return true;
}

/* https://team.webhook.office.com/webhookb2/A@A/IncomingWebhook/B/C, or the older ones without ".webhook",
 * which all go to outlook. */
static bool is_teams(Message *message, Str rest, Str *ret_address, Str *ret_query)
{
    Str team, a, a2, b, c;
    if (!eat_token(&rest, "-_", &team))
        return false;
    bool named = eat(&rest, ".webhook");
    if (!eat(&rest, ".office.com/webhook"))
        return false;
    (void)eat(&rest, "b2");
    if (!eat(&rest, "/") || !eat_token(&rest, "-", &a) || !eat(&rest, "@") || !eat_token(&rest, "-", &a2)
        || !eat(&rest, "/IncomingWebhook/") || !eat_token(&rest, "", &b) || !eat(&rest, "/")
        || !eat_token(&rest, "-", &c) || !eat_end(&rest, ret_query))
        return false;
    Str tokens = arena_printf(message->arena, "%.*s@%.*s/IncomingWebhook/%.*s/%.*s", STR_ARG(a), STR_ARG(a2),
                              STR_ARG(b), STR_ARG(c));
    *ret_address = named ? arena_printf(message->arena, "https://%.*s.webhook.office.com/webhookb2/%.*s", STR_ARG(team),
                                        STR_ARG(tokens))
                         : arena_printf(message->arena, "https://outlook.office.com/webhook/%.*s", STR_ARG(tokens));
    return true;
}

bool webhook_message(Message *message)
{
    Str url, address, query;
    if (!data_required(message, "url", &url))
        return false;
    Str rest = str_trim(url);
    if (!eat(&rest, "https://") && !eat(&rest, "http://"))
        return message_fail(message, "the block's url is not a webhook of Slack or Microsoft Teams");
    if (is_slack(message, rest, &address, &query))
        return slack(message, address, query);
    if (is_teams(message, rest, &address, &query))
        return teams(message, address, query);
    return message_fail(message, "the block's url is not a webhook of Slack or Microsoft Teams");
}
