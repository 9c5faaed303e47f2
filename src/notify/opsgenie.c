/* notify/opsgenie.c -- alerts for Opsgenie. */
#include "notify/message.h"

#include <strings.h>

#include "base/str_list.h"
#include "base/text.h"

enum { BATCH_SIZE = 50, TITLE_MAX = 130, TARGETS_MAX = 10000 };

static void add_word(Arena *arena, StrList *words, Str word)
{
    if (word.n > 0 && words->count < TARGETS_MAX)
        str_list_add(words, arena, word);
}

/* Splits a text where the reference's library splits lists, and at the characters of `also`. */
static void add_words(Arena *arena, StrList *words, Str text, const char *also)
{
    size_t begin = 0;
    for (size_t i = 0; i <= text.n; i++) {
        if (i < text.n && !char_is_space(text.p[i]) && !char_in(text.p[i], "[];,") && !char_in(text.p[i], also))
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
            add_words(message->arena, targets,
                      arena_printf(message->arena, "%c%.*s", target_kinds[i].mark, STR_ARG(item->text)), "/");
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
        char kind = shape[i];
        bool fits = kind == 'x' ? char_hex_value(s.p[i]) >= 0
                  : kind == 'v' ? char_in(s.p[i], "89abAB") : s.p[i] == kind;
        if (!fits)
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
    message_write(w, "type", str_from(kind->type));
    message_write(w, begins_as_uuid(target) ? "id" : kind->name, target);
    json_object_end(w);
}

static int64_t read_priority(Message *message, bool *ok)
{
    static const struct { const char *begin; int64_t level; } levels[] = {
        { "l", 1 }, { "m", 2 }, { "n", 3 }, { "h", 4 }, { "e", 5 },
        { "1", 1 }, { "2", 2 }, { "3", 3 }, { "4", 4 }, { "5", 5 },
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

/* At most `most` characters, the last three being dots if there were more. */
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
    alert->entity = message_query_value(message->arena, data_text(message, "entity", &ok));
    alert->alias = message_query_value(message->arena, data_text(message, "alias", &ok));
    alert->priority = read_priority(message, &ok);
    return (ok || message_fail(message, "the block's entity, alias or priority is not a text")) &&
           read_targets(message, &alert->targets);
}

static bool write_alert(Message *message, JsonWriter *w, const Alert *alert)
{
    message_write(w, "source", STR(NOTIFY_SENDER));
    Str title = message->title.n ? message->title : message->body;
    message_write(w, "message", shortened(message->arena, title, TITLE_MAX));
    message_write(w, "description", message->body);
    json_key(w, "details");
    json_object(w);
    if (alert->details && !message_write_details(message, w, alert->details))
        return false;
    if (!json_get(alert->details, "type"))
        message_write(w, "type", str_from(notify_type_names[message->type]));
    json_object_end(w);
    message_write(w, "priority", arena_printf(message->arena, "P%d", (int)alert->priority));
    if (alert->tags.count > 0) {
        json_key(w, "tags");
        json_array(w);
        for (size_t i = 0; i < alert->tags.count; i++)
            json_str(w, alert->tags.items[i]);
        json_array_end(w);
    }
    message_write_if_any(w, "entity", alert->entity);
    message_write_if_any(w, "alias", alert->alias);
    return true;
}

/* One request for some of the targets, or without any if the alert has none. */
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
    if (!data_required(message, "apikey", &api_key) || !message_usable(message, "apikey", &api_key) ||
        !read_alert(message, &alert))
        return false;
    if (!data_second(message, "region_name", "us", "eu", &europe))
        return message_fail(message, "the block's region_name is unknown");
    Str url = europe ? STR("https://api.eu.opsgenie.com/v2/alerts") : STR("https://api.opsgenie.com/v2/alerts");
    size_t step = data_flag(message, "batch", false) ? BATCH_SIZE : 1, count = alert.targets.count;
    size_t begin = 0;
    do {
        size_t end = begin + step < count ? begin + step : count;
        if (!add_alert(message, &alert, url, api_key, begin, end))
            return false;
        begin += step;
    } while (begin < count);
    return true;
}
