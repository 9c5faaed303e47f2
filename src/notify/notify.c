/* notify/notify.c -- the table of services that take notifications, and what they share. */
#include "notify/message.h"

#include <strings.h>

#include "base/text.h"
#include "notify/transport.h"

const char *const notify_type_names[NOTIFY_TYPES] = { "prefect_default", "info", "success", "warning", "failure" };
const char *const notify_colors[NOTIFY_TYPES] = { NULL, "#3AA3E3", "#3AA337", "#CACF29", "#A32037" };

typedef struct NotifyService {
    const char *slug;
    MessageMaker *make;
    enum NotifyType fallback;
    bool title_in_body;        /* it has no field for a title */
} NotifyService;

static const NotifyService services[] = {
    { "slack-webhook", webhook_message, NOTIFY_DEFAULT, false },
    { "ms-teams-webhook", webhook_message, NOTIFY_DEFAULT, false },
    { "pager-duty-webhook", pagerduty_message, NOTIFY_INFO, true },
    { "twilio-sms", twilio_message, NOTIFY_DEFAULT, true },
    { "opsgenie-webhook", opsgenie_message, NOTIFY_DEFAULT, false },
};

static Str trimmed_end(Str text)
{
    while (text.n > 0 && char_is_space(text.p[text.n - 1]))
        text.n--;
    return text;
}

Str message_query_value(Arena *arena, Str text)
{
    Buf out;
    buf_init(&out, arena, text.n);
    for (size_t i = 0; i < text.n; i++)
        buf_char(&out, text.p[i] == ' ' ? '+' : text.p[i]);
    return str_trim(buf_view(&out));
}

bool message_fail(Message *message, const char *why)
{
    return fail(message->error, ERR_INVALID, "%s", why);
}

NotifyRequest *message_request(Message *message, Str url)
{
    NotifyRequest *request = arena_new_of(message->arena, NotifyRequest);
    *request = (NotifyRequest){
        .url = url, .content_type = STR("application/json"), .accept = STR("*/*"), .status_max = 200
    };
    *message->end = request;
    message->end = &request->next;
    return request;
}

void message_json(Message *message, Buf *buf, JsonWriter *w)
{
    buf_init(buf, message->arena, message->body.n + 512);
    json_writer_init(w, buf, JSON_STORED);
}

Str message_image(const Message *message, const char *size)
{
    if (message->type == NOTIFY_DEFAULT)
        return STR_NULL;
    return arena_printf(message->arena,
                        "https://github.com/caronc/apprise/raw/master/apprise/assets/themes/default/apprise-%s-%s.png",
                        notify_type_names[message->type], size);
}

const Json *data_member(const Message *message, const char *key)
{
    const Json *json = json_get(message->data, key);
    return json_is_null(json) ? NULL : json;
}

static bool text_of(const Json *json, Str *ret)
{
    bool is_text = json->kind == JSON_STRING || json->kind == JSON_INT || json->kind == JSON_FLOAT;
    *ret = is_text ? json->text : STR_NULL;
    return is_text;
}

Str data_text(const Message *message, const char *key, bool *ok)
{
    const Json *json = data_member(message, key);
    Str text = STR_NULL;
    if (json && !text_of(json, &text))
        *ok = false;
    return text;
}

bool data_required(Message *message, const char *key, Str *ret)
{
    bool ok = true;
    *ret = data_text(message, key, &ok);
    return ret->p || fail(message->error, ERR_INVALID, "the block has no usable %s", key);
}

bool data_flag(const Message *message, const char *key, bool fallback)
{
    const Json *json = data_member(message, key);
    if (!json)
        return fallback;
    if (json->kind == JSON_STRING)
        return json->text.n > 0 && char_in(json->text.p[0], "1tTyY")
                   ? true
                   : json->text.n > 1 && strncasecmp(json->text.p, "on", 2) == 0;
    return json->kind == JSON_TRUE || (json->kind == JSON_INT && !str_is(json->text, "0"));
}

bool data_second(const Message *message, const char *key, const char *first, const char *second, bool *ret_second)
{
    bool ok = true;
    Str word = data_text(message, key, &ok);
    *ret_second = str_is(word, second);
    return ok && (!word.p || *ret_second || str_is(word, first));
}

void message_write(JsonWriter *w, const char *key, Str value)
{
    json_key(w, key);
    json_str(w, value);
}

void message_write_if_any(JsonWriter *w, const char *key, Str value)
{
    if (value.n > 0)
        message_write(w, key, value);
}

bool message_usable(Message *message, const char *what, Str *text)
{
    if (text->n == 0 || char_is_space(text->p[0]))
        return fail(message->error, ERR_INVALID, "the block's %s is not usable", what);
    *text = str_trim(*text);
    return true;
}

bool message_write_details(Message *message, JsonWriter *w, const Json *details)
{
    if (details->kind != JSON_OBJECT)
        return message_fail(message, "the block's details are not an object");
    for (const Json *member = details->child; member; member = member->next) {
        Str value;
        if (!text_of(member, &value))
            return message_fail(message, "the block's details are not texts");
        json_key_str(w, member->key);
        json_str(w, message_query_value(message->arena, value));
    }
    return true;
}

static const NotifyService *find_service(Str slug)
{
    for (size_t i = 0; i < COUNT_OF(services); i++)
        if (str_is(slug, services[i].slug))
            return &services[i];
    return NULL;
}

static bool read_type(Message *message, const NotifyService *service)
{
    bool ok = true;
    Str name = data_text(message, "notify_type", &ok);
    message->type = service->fallback;
    if (!name.p && ok && !json_get(message->data, "notify_type"))
        return true;
    for (unsigned i = service->fallback; i < NOTIFY_TYPES; i++) {
        message->type = (enum NotifyType)i;
        if (str_is(name, notify_type_names[i]))
            return true;
    }
    return message_fail(message, "the block's notify_type is unknown");
}

bool notify_requests(Arena *arena, Str slug, const Json *data, Str subject, Str body, Time now,
                     const NotifyRequest **ret, Error *error)
{
    const NotifyService *service = find_service(slug);
    if (!service)
        return fail(error, ERR_INVALID, "blocks of type %.*s send no notifications", STR_ARG(slug));
    Message message = { .arena = arena, .data = data, .now = now, .error = error };
    message.title = str_trim(subject);
    message.body = trimmed_end(body);
    message.end = &message.first;
    if (!read_type(&message, service))
        return false;
    if (service->title_in_body && message.title.n > 0) {
        message.body = arena_printf(arena, "%.*s\r\n%.*s", STR_ARG(message.title), STR_ARG(message.body));
        message.title = STR("");
    }
    if (!service->make(&message))
        return false;
    *ret = message.first;
    return true;
}

static bool post_one(Transport *transport, const NotifyRequest *request, Error *error)
{
    NotifyAnswer answer = { 0 };
    if (!transport_post(transport, request, &answer, error))
        return false;
    bool accepted = answer.status >= 200 && answer.status <= request->status_max &&
                    (!request->answer_ok || answer.said_ok);
    return accepted ||
           fail(error, ERR_INVALID, "the service answered %ld instead of accepting the message", answer.status);
}

bool notify_send(Arena *arena, Str slug, const Json *data, Str subject, Str body, Time now, const atomic_bool *stopping,
                 Error *error)
{
    const NotifyRequest *request;
    if (!notify_requests(arena, slug, data, subject, body, now, &request, error))
        return false;
    Transport *transport = transport_new(stopping, error);
    bool ok = transport != NULL;
    for (; transport && request && !*stopping; request = request->next)
        ok = post_one(transport, request, error) && ok;
    transport_free(transport);
    return ok && !*stopping;
}
