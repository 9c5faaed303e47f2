/* notify/alerts.c -- PagerDuty and Opsgenie. */
#include "notify/message.h"

#include "base/str_list.h"

#include <strings.h>

static void write_member(JsonWriter *w, const char *key, Str value)
{
    json_key(w, key);
    json_str(w, value);
}

/* Only where there is something to write. */
static void write_if_any(JsonWriter *w, const char *key, Str value)
{
    if (value.n > 0)
        write_member(w, key, value);
}

/* A text that begins with something, trimmed at its end. */
static bool usable(Message *message, const char *what, Str *text)
{
    if (text->n == 0 || is_blank(text->p[0]))
        return fail(message->error, ERR_INVALID, "the block's %s is not usable", what);
    *text = trimmed(*text);
    return true;
}

/* ---- PagerDuty ---- */

typedef struct Incident {
    Str routing_key, api_key, source, component, group, class_id, click;
    const Json *details;
    bool europe;
} Incident;

/* The reference carries source and component through a path: slashes in them part it. */
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
    if (!ok || !usable(message, "source", &source) || !usable(message, "component", &component))
        return ok ? false : message_fail(message, "the block's source or component is not a text");
    Str path = arena_printf(message->arena, "%.*s/%.*s", STR_ARG(source), STR_ARG(component));
    incident->source = next_part(&path);
    incident->component = next_part(&path);
    incident->component = incident->component.n ? incident->component : STR("Notification");
    return usable(message, "source", &incident->source) && usable(message, "component", &incident->component);
}

static bool is_web_address(Str url)
{
    bool has_scheme = url.n > 7 && (strncasecmp(url.p, "http://", 7) == 0 || (url.n > 8 && strncasecmp(url.p, "https://", 8) == 0));
    return has_scheme && !memchr(url.p, ' ', url.n);
}

static bool read_incident(Message *message, Incident *incident)
{
    bool ok = true;
    if (!data_required(message, "integration_key", &incident->routing_key) || !data_required(message, "api_key", &incident->api_key)
        || !usable(message, "integration_key", &incident->routing_key) || !usable(message, "api_key", &incident->api_key)
        || !read_origin(message, incident))
        return false;
    incident->group = plussed(message->arena, data_text(message, "group", &ok));
    incident->class_id = plussed(message->arena, data_text(message, "class_id", &ok));
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
    write_member(w, "summary", message->body);
    write_member(w, "severity", str_from(severities[message->type]));
    write_member(w, "source", incident->source);
    write_member(w, "component", incident->component);
    write_if_any(w, "group", incident->group);
    write_if_any(w, "class", incident->class_id);
    if (incident->details && incident->details->count > 0) {
        json_key(w, "custom_details");
        json_object(w);
        if (!write_details(message, w, incident->details))
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
    write_member(w, member, value);
    if (alt.p)
        write_member(w, "alt", alt);
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
    write_member(&w, "routing_key", incident.routing_key);
    json_key(&w, "payload");
    if (!write_incident(message, &w, &incident))
        return false;
    write_member(&w, "client", STR(NOTIFY_SENDER));
    write_member(&w, "event_action", STR("trigger"));
    if (incident.click.p)
        write_one(&w, "links", "href", incident.click, STR_NULL);
    if (data_flag(message, "include_image", true))
        write_one(&w, "images", "src", message_image(message, "128x128"), str_from(notify_type_names[message->type]));
    json_object_end(&w);
    NotifyRequest *request = message_request(message, incident.europe ? STR("https://events.eu.pagerduty.com/v2/enqueue") : STR("https://events.pagerduty.com/v2/enqueue"));
    request->authorization = arena_printf(message->arena, "Token token=%.*s", STR_ARG(incident.api_key));
    request->body = buf_view(&buf);
    request->status_max = 202;
    return true;
}

/* ---- Opsgenie ---- */

enum { OPSGENIE_BATCH = 50, OPSGENIE_TITLE_MAX = 130, TARGETS_MAX = 10000 };

static void add_word(Arena *arena, StrList *words, Str word)
{
    if (word.n > 0 && words->count < TARGETS_MAX)
        str_list_add(words, arena, word);
}

/* A text is parted where the reference's library parts lists; targets at slashes too. */
static void add_words(Arena *arena, StrList *words, Str text, const char *also)
{
    size_t begin = 0;
    for (size_t i = 0; i <= text.n; i++) {
        if (i < text.n && !is_blank(text.p[i]) && !char_in(text.p[i], "[];,") && !char_in(text.p[i], also))
            continue;
        add_word(arena, words, (Str){ text.p + begin, i - begin });
        begin = i + 1;
    }
}

typedef struct TargetKind {
    const char *key;
    char mark;
    const char *type, *name;
} TargetKind;

static const TargetKind target_kinds[] = {
    { "target_user", '@', "user", "username" },
    { "target_team", '#', "team", "name" },
    { "target_schedule", '*', "schedule", "name" },
    { "target_escalation", '^', "escalation", "name" },
};

static bool read_targets(Message *message, StrList *targets)
{
    for (size_t i = 0; i < COUNT_OF(target_kinds); i++) {
        const Json *list = data_member(message, target_kinds[i].key);
        if (list && list->kind != JSON_ARRAY)
            return message_fail(message, "a list of targets of the block is not a list");
        for (const Json *item = list ? list->child : NULL; item; item = item->next)
            add_words(message->arena, targets, arena_printf(message->arena, "%c%.*s", target_kinds[i].mark, STR_ARG(item->text)), "/");
    }
    str_list_sort(targets);
    size_t kept = 0;
    for (size_t i = 0; i < targets->count; i++)
        if (targets->items[i].n > 1)
            targets->items[kept++] = targets->items[i];
    targets->count = kept;
    return true;
}

/* Does it begin as a UUID of version 4 does? */
static bool begins_as_uuid(Str s)
{
    static const char shape[] = "xxxxxxxx-xxxx-4xxx-vxxx-xxxxxxxxxxxx";
    if (s.n < sizeof shape - 1)
        return false;
    for (size_t i = 0; i < sizeof shape - 1; i++) {
        const char *allowed = shape[i] == 'x' ? "0123456789abcdefABCDEF" : shape[i] == 'v' ? "89abAB" : shape[i] == '4' ? "4" : "-";
        if (!char_in(s.p[i], allowed))
            return false;
    }
    return true;
}

static void write_target(JsonWriter *w, Str target)
{
    const TargetKind *kind = &target_kinds[0];
    bool marked = false;
    for (size_t i = 0; i < COUNT_OF(target_kinds); i++) {
        if (target.p[0] == target_kinds[i].mark) {
            kind = &target_kinds[i];
            marked = true;
        }
    }
    if (marked)
        target = (Str){ target.p + 1, target.n - 1 };
    json_object(w);
    write_member(w, "type", str_from(kind->type));
    write_member(w, begins_as_uuid(target) ? "id" : kind->name, target);
    json_object_end(w);
}

static int64_t read_priority(Message *message, bool *ok)
{
    static const struct { const char *begin; int64_t level; } levels[] = {
        { "l", 1 }, { "m", 2 }, { "n", 3 }, { "h", 4 }, { "e", 5 }, { "1", 1 }, { "2", 2 }, { "3", 3 }, { "4", 4 }, { "5", 5 },
        { "p1", 1 }, { "p2", 2 }, { "p3", 3 }, { "p4", 4 }, { "p5", 5 },
    };
    Str text = data_text(message, "priority", ok);
    for (size_t i = 0; i < COUNT_OF(levels); i++) {
        size_t n = strlen(levels[i].begin);
        if (text.n >= n && strncasecmp(text.p, levels[i].begin, n) == 0)
            return levels[i].level;
    }
    return 3;
}

/* At most so many characters, the last three being dots where it was longer. */
static Str shortened(Arena *arena, Str text, size_t most)
{
    size_t chars = 0, cut = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (((unsigned char)text.p[i] & 0xC0) == 0x80)
            continue;
        if (chars == most - 3)
            cut = i;
        chars++;
    }
    return chars > most ? arena_printf(arena, "%.*s...", (int)cut, text.p) : text;
}

typedef struct Alert {
    StrList targets, tags;
    Str entity, alias;
    const Json *details;
    int64_t priority;
} Alert;

static bool read_alert(Message *message, Alert *alert)
{
    bool ok = true;
    *alert = (Alert){ .details = data_member(message, "details") };
    const Json *tags = data_member(message, "tags");
    if (tags && tags->kind != JSON_ARRAY)
        return message_fail(message, "the block's tags are not a list");
    for (const Json *tag = tags ? tags->child : NULL; tag; tag = tag->next)
        if (tag->kind == JSON_STRING)
            add_words(message->arena, &alert->tags, tag->text, "");
    str_list_sort(&alert->tags);
    alert->entity = plussed(message->arena, data_text(message, "entity", &ok));
    alert->alias = plussed(message->arena, data_text(message, "alias", &ok));
    alert->priority = read_priority(message, &ok);
    return (ok || message_fail(message, "the block's entity, alias or priority is not a text")) && read_targets(message, &alert->targets);
}

static bool write_alert(Message *message, JsonWriter *w, const Alert *alert)
{
    write_member(w, "source", STR(NOTIFY_SENDER));
    write_member(w, "message", shortened(message->arena, message->title.n ? message->title : message->body, OPSGENIE_TITLE_MAX));
    write_member(w, "description", message->body);
    json_key(w, "details");
    json_object(w);
    if (alert->details && !write_details(message, w, alert->details))
        return false;
    if (!json_get(alert->details, "type"))
        write_member(w, "type", str_from(notify_type_names[message->type]));
    json_object_end(w);
    write_member(w, "priority", arena_printf(message->arena, "P%d", (int)alert->priority));
    if (alert->tags.count > 0) {
        json_key(w, "tags");
        json_array(w);
        for (size_t i = 0; i < alert->tags.count; i++)
            json_str(w, alert->tags.items[i]);
        json_array_end(w);
    }
    write_if_any(w, "entity", alert->entity);
    write_if_any(w, "alias", alert->alias);
    return true;
}

/* One request for some of the targets, or for none where the alert has none. */
static bool add_alert(Message *message, const Alert *alert, Str url, Str api_key, size_t begin, size_t end)
{
    Buf buf;
    JsonWriter w;
    message_json(message, &buf, &w);
    json_object(&w);
    if (!write_alert(message, &w, alert))
        return false;
    if (begin < end) {
        json_key(&w, "responders");
        json_array(&w);
        for (size_t i = begin; i < end; i++)
            write_target(&w, alert->targets.items[i]);
        json_array_end(&w);
    }
    json_object_end(&w);
    NotifyRequest *request = message_request(message, url);
    request->authorization = arena_printf(message->arena, "GenieKey %.*s", STR_ARG(api_key));
    request->body = buf_view(&buf);
    request->status_max = 202;
    return true;
}

bool opsgenie_message(Message *message)
{
    Alert alert;
    Str api_key;
    bool europe;
    if (!data_required(message, "apikey", &api_key) || !usable(message, "apikey", &api_key) || !read_alert(message, &alert))
        return false;
    if (!data_second(message, "region_name", "us", "eu", &europe))
        return message_fail(message, "the block's region_name is unknown");
    Str url = europe ? STR("https://api.eu.opsgenie.com/v2/alerts") : STR("https://api.opsgenie.com/v2/alerts");
    size_t step = data_flag(message, "batch", false) ? OPSGENIE_BATCH : 1, count = alert.targets.count;
    size_t begin = 0;
    do {
        size_t end = begin + step < count ? begin + step : count;
        if (!add_alert(message, &alert, url, api_key, begin, end))
            return false;
        begin += step;
    } while (begin < count);
    return true;
}
