/* notify/message.h -- what the services of notify/ share: the message, reading a block's data, making requests. */
#ifndef ORION_NOTIFY_MESSAGE_H
#define ORION_NOTIFY_MESSAGE_H

#include "notify/notify.h"

#define NOTIFY_SENDER "Prefect Notifications"

enum NotifyType { NOTIFY_DEFAULT, NOTIFY_INFO, NOTIFY_SUCCESS, NOTIFY_WARNING, NOTIFY_FAILURE, NOTIFY_TYPES };
extern const char *const notify_type_names[NOTIFY_TYPES];
extern const char *const notify_colors[NOTIFY_TYPES]; /* "#3AA3E3"; NULL for the default */

/* One notification being turned into requests: on the stack of notify_requests, its parts in the arena. */
typedef struct Message {
    Arena *arena;
    const Json *data;      /* of the block */
    Str title, body;
    enum NotifyType type;
    Time now;
    NotifyRequest *first, **end;
    Error *error;
} Message;

/* A service: adds its requests. False: message->error. */
typedef bool MessageMaker(Message *message);
MessageMaker webhook_message, pagerduty_message, twilio_message, opsgenie_message;

/* Adds a request; the caller fills in the rest. */
NotifyRequest *message_request(Message *message, Str url);
/* Begins a JSON body in *buf; once it is written, the caller gives the buffer's view to the request. */
void message_json(Message *message, Buf *buf, JsonWriter *w);
bool message_fail(Message *message, const char *why);
/* The address of the picture for the message's type; null if that has none. */
Str message_image(const Message *message, const char *size);

/* A member of the data as pydantic reads a str: numbers count as texts. Null: absent or null, or something else
 * (*ok = false). */
Str data_text(const Message *message, const char *key, bool *ok);
/* The same for one that is required. False: message->error. */
bool data_required(Message *message, const char *key, Str *ret);
bool data_flag(const Message *message, const char *key, bool fallback);
/* One of two words, as region names are. False: something else. */
bool data_second(const Message *message, const char *key, const char *first, const char *second, bool *ret_second);
const Json *data_member(const Message *message, const char *key); /* NULL: absent or null */

/* The reference carries these values through a query string that turns blanks into plus signs, and trims them. */
Str message_query_value(Arena *arena, Str text);
/* Trims a text. False: it is empty or begins with white space; `what` is its name in the error. */
bool message_usable(Message *message, const char *what, Str *text) MUST_CHECK;

/* A member of the object that is open. */
void message_write(JsonWriter *w, const char *key, Str value);
void message_write_if_any(JsonWriter *w, const char *key, Str value); /* only if it is not empty */
/* {"key": "value"} with values as message_query_value has them, as members of the object that is open. False:
 * `details` is not such an object. */
bool message_write_details(Message *message, JsonWriter *w, const Json *details) MUST_CHECK;

#endif
