/* http/parse.h -- the strict reading of HTTP/1.1: where a head ends, what it says, how its body is framed. No
 * sockets. */
#ifndef ORION_HTTP_PARSE_H
#define ORION_HTTP_PARSE_H

#include "http/http.h"

/* Why a request is refused: the status and a short text for its author. Status 0: nothing is wrong. */
typedef struct HttpFailure {
    int status;
    const char *text; /* a literal */
} HttpFailure;

/* What the head says about the message around it. */
typedef struct HttpFraming {
    bool keep_alive;      /* the connection may carry another request */
    bool version_10;
    bool chunked;
    bool expect_continue; /* the client waits for our 100 Continue before it sends the body */
    uint64_t length;      /* of the body in bytes, if it is not chunked */
} HttpFraming;

/* Looks for the blank line that ends a head. *scanned (0 at first) remembers how far earlier calls got on the same
 * bytes. *ret_length is 0 while more bytes are needed. False: these bytes can never become a request. */
bool http_head_find(Str bytes, size_t *scanned, size_t *ret_length, HttpFailure *failure) MUST_CHECK;

/* Fills method, path, query and headers of *request, and *framing, from a head that http_head_find delimited.
 * All slices live in the arena. */
bool http_head_parse(Arena *arena, Str head, HttpRequest *request, HttpFraming *framing,
                     HttpFailure *failure) MUST_CHECK;

typedef enum HttpBodyState {
    BODY_LENGTH, CHUNK_SIZE, CHUNK_EXTENSION, CHUNK_SIZE_LF, CHUNK_DATA, CHUNK_DATA_CR, CHUNK_DATA_LF,
    TRAILER_START, TRAILER_NAME, TRAILER_VALUE, TRAILER_LF, TRAILER_END_LF, BODY_DONE
} HttpBodyState;

/* A body as it comes in. Its memory grows with what has arrived, never with what was announced. */
typedef struct HttpBody {
    HttpBodyState state;
    bool digits;        /* the chunk's size has at least one */
    uint64_t remaining; /* bytes of the body or of the chunk still to come */
    size_t line;        /* bytes of the size line, or of the trailers, so far */
    char *p;            /* from malloc; http_body_end frees it */
    size_t n, capacity;
    size_t max;
    size_t *budget;     /* bytes that all bodies together may still take */
} HttpBody;

/* False: longer than `max` (413). A body that is done at once has state BODY_DONE. */
bool http_body_begin(HttpBody *body, const HttpFraming *framing, size_t max, size_t *budget,
                     HttpFailure *failure) MUST_CHECK;
/* Takes what belongs to the body; *ret_consumed is less than bytes.n only if the body is done. */
bool http_body_feed(HttpBody *body, Str bytes, size_t *ret_consumed, HttpFailure *failure) MUST_CHECK;
void http_body_end(HttpBody *body); /* gives memory and budget back */

/* Percent-decoded as Python's urllib.parse.unquote does: broken escapes stay, ill-formed UTF-8 becomes U+FFFD. */
Str http_percent_decode(Arena *arena, Str text, bool plus_is_space);

#endif
