/* notify/pagerduty.c -- incidents for PagerDuty. */
#include "notify/message.h"

#include <strings.h>

typedef struct Incident {
    Str routing_key, api_key, source, component, group, class_id, click;
    const Json *details;
    bool europe;
} Incident;

/* The reference carries source and component through a path: slashes in them split it. */
static Str next_part(Str *path)
{
    while (path->n > 0 && path->p[0] == '/')
        *path = (Str){ path->p + 1, path->n - 1 };
    const char *slash = path->n ? memchr(path->p, '/', path->n) : NULL;
    Str part = { path->p, slash ? (size_t)(slash - path->p) : path->n };
    *path = (Str){ path->p + part.n, path->n - part.n };
    return part;
}

static bool read_origin(Message *message, Incident *incident)
{
    bool ok = true;
    Str source = json_get(message->data, "source") ? data_text(message, "source", &ok) : STR("Prefect");
    Str component = data_text(message, "component", &ok);
    source = source.n ? source : STR("Apprise");
    component = component.n ? component : STR("Notification");
    if (!ok || !message_usable(message, "source", &source) || !message_usable(message, "component", &component))
        return ok ? false : message_fail(message, "the block's source or component is not a text");
    Str path = arena_printf(message->arena, "%.*s/%.*s", STR_ARG(source), STR_ARG(component));
    incident->source = next_part(&path);
    incident->component = next_part(&path);
    incident->component = incident->component.n ? incident->component : STR("Notification");
    return message_usable(message, "source", &incident->source) &&
           message_usable(message, "component", &incident->component);
}

static bool is_web_address(Str url)
{
    bool is_http = url.n > 7 && strncasecmp(url.p, "http://", 7) == 0;
    bool is_https = url.n > 8 && strncasecmp(url.p, "https://", 8) == 0;
    return (is_http || is_https) && !memchr(url.p, ' ', url.n);
}

static bool read_incident(Message *message, Incident *incident)
{
    bool ok = true;
    if (!data_required(message, "integration_key", &incident->routing_key)
        || !data_required(message, "api_key", &incident->api_key)
        || !message_usable(message, "integration_key", &incident->routing_key)
        || !message_usable(message, "api_key", &incident->api_key) || !read_origin(message, incident))
        return false;
    incident->group = message_query_value(message->arena, data_text(message, "group", &ok));
    incident->class_id = message_query_value(message->arena, data_text(message, "class_id", &ok));
    incident->click = data_text(message, "clickable_url", &ok);
    incident->details = data_member(message, "custom_details");
    ok = ok && (!incident->click.p || is_web_address(incident->click));
    return (ok && data_second(message, "region_name", "us", "eu", &incident->europe))
           || message_fail(message, "the block's group, class_id, clickable_url or region_name is not usable");
}

static bool write_incident(Message *message, JsonWriter *w, const Incident *incident)
{
    static const char *const severities[NOTIFY_TYPES] = { "info", "info", "info", "warning", "critical" };
    json_object(w);
    message_write(w, "summary", message->body);
    message_write(w, "severity", str_from(severities[message->type]));
    message_write(w, "source", incident->source);
    message_write(w, "component", incident->component);
    message_write_if_any(w, "group", incident->group);
    message_write_if_any(w, "class", incident->class_id);
    if (incident->details && incident->details->count > 0) {
        json_key(w, "custom_details");
        json_object(w);
        if (!message_write_details(message, w, incident->details))
            return false;
        json_object_end(w);
    }
    json_object_end(w);
    return true;
}

static void write_one(JsonWriter *w, const char *key, const char *member, Str value, Str alt)
{
    json_key(w, key);
    json_array(w);
    json_object(w);
    message_write(w, member, value);
    if (alt.p)
        message_write(w, "alt", alt);
    json_object_end(w);
    json_array_end(w);
}

bool pagerduty_message(Message *message)
{
    Incident incident = { .routing_key = STR_NULL };
    Buf buf;
    JsonWriter w;
    if (!read_incident(message, &incident))
        return false;
    message_json(message, &buf, &w);
    json_object(&w);
    message_write(&w, "routing_key", incident.routing_key);
    json_key(&w, "payload");
    if (!write_incident(message, &w, &incident))
        return false;
    message_write(&w, "client", STR(NOTIFY_SENDER));
    message_write(&w, "event_action", STR("trigger"));
    if (incident.click.p)
        write_one(&w, "links", "href", incident.click, STR_NULL);
    if (data_flag(message, "include_image", true))
        write_one(&w, "images", "src", message_image(message, "128x128"), str_from(notify_type_names[message->type]));
    json_object_end(&w);
    Str url = incident.europe ? STR("https://events.eu.pagerduty.com/v2/enqueue")
                              : STR("https://events.pagerduty.com/v2/enqueue");
    NotifyRequest *request = message_request(message, url);
    request->authorization = arena_printf(message->arena, "Token token=%.*s", STR_ARG(incident.api_key));
    request->body = buf_view(&buf);
    request->status_max = 202;
    return true;
}
