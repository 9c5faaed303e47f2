/* base/json.h -- JSON in as a tree of slices, JSON out through a writer. Values survive exactly: big integers,
 * \u0000, the text of numbers. What Python's json module accepts or changes is mirrored where noted. */
#ifndef ORION_JSON_H
#define ORION_JSON_H

#include "base/buf.h"

typedef enum JsonKind {
    JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_INT, JSON_FLOAT, JSON_STRING, JSON_ARRAY, JSON_OBJECT
} JsonKind;

typedef struct Json {
    JsonKind kind;
    Str text;           /* JSON_STRING: decoded UTF-8; JSON_INT, JSON_FLOAT: the digits as written; else the raw text */
    Str key;            /* of a member of an object: decoded; else null */
    struct Json *child; /* first element or member */
    struct Json *next;  /* next sibling */
    size_t count;       /* of elements or members */
} Json;

typedef struct JsonError {
    size_t position;     /* in characters, not bytes, as Python's json.JSONDecodeError.pos counts */
    const char *message; /* Python's text: "Expecting value", "Expecting ',' delimiter", "Extra data", … (a literal) */
} JsonError;

enum { JSON_DEPTH_MAX = 512 };

/* Parses a whole document. Accepts what Python's json.loads accepts, except NaN, Infinity and -Infinity, floats
 * beyond the range of doubles (infinities there), lone surrogates and invalid UTF-8 (to which the reference answers
 * 500). A key that comes twice keeps its first place and its last value. Result and slices live in the arena or in
 * `text`. False: *error says where and why. */
bool json_parse(Arena *arena, Str text, const Json **ret_json, JsonError *error) MUST_CHECK;

/* The same for callers that do not need to know what is wrong. NULL: the text is null, or not JSON. */
const Json *json_read(Arena *arena, Str text) MUST_CHECK;
/* Whether json_read would read it. The arena holds no more afterwards than before, and little in between. */
bool json_is_valid(Arena *arena, Str text);

const Json *json_get(const Json *object, const char *key); /* NULL: absent, or not an object */
bool json_is_null(const Json *json);                        /* absent (NULL) or JSON null */
/* What is wrong with JSON text that is neither null nor begins with `opens` ('{' or '['; 0: anything will do), as a
 * literal; NULL: nothing. */
const char *json_shape_fault(Str json_text, char opens);
bool json_is_beyond_int64(const Json *json);                /* an integer beyond 64 bits; false for NULL */
bool json_holds_zero(const Json *json);                     /* whether it has U+0000 in any string or key */

/* JSON_WIRE: compact, raw UTF-8, as the API answers. JSON_STORED: as the reference writes JSON columns, with spaces
 * after commas and colons, and ASCII only (\uXXXX escapes, in surrogate pairs). */
typedef enum JsonStyle { JSON_WIRE, JSON_STORED } JsonStyle;

/* Python's view of a number: ints keep their digits, floats are repr()ed (1.10 -> 1.1, 1e5 -> 100000.0,
 * 1e22 -> 1e+22). */
void json_write_value(Buf *out, const Json *json, JsonStyle style);
Str json_format(Arena *arena, const Json *json, JsonStyle style);
/* JSON text in another style; what does not parse is written as null, and so is a null Str. */
void json_write_text(Buf *out, Str json_text, JsonStyle style);
/* The text as it is, except that characters from U+007F on become escapes. */
void json_write_ascii(Buf *out, Str json_text);

/* Writes to `out` and puts the commas where they belong. It cannot fail (misuse is an assertion), and there is
 * nothing to free. Texts must be UTF-8. */
typedef struct JsonWriter {
    Buf *out;
    JsonStyle style;
    unsigned depth;
    bool comma[64]; /* at each depth: is a separator due? */
    bool after_key;
} JsonWriter;

void json_writer_init(JsonWriter *w, Buf *out, JsonStyle style);
void json_object(JsonWriter *w);
void json_object_end(JsonWriter *w);
void json_array(JsonWriter *w);
void json_array_end(JsonWriter *w);
void json_key(JsonWriter *w, const char *key);
void json_key_str(JsonWriter *w, Str key);
void json_str(JsonWriter *w, Str s);          /* null Str: null */
void json_text(JsonWriter *w, const char *s); /* NULL: null */
void json_int(JsonWriter *w, int64_t v);
void json_float(JsonWriter *w, double v);     /* as Python's repr: 0.0, 1.5, 1e+22 */
void json_bool(JsonWriter *w, bool v);
void json_null(JsonWriter *w);
void json_value(JsonWriter *w, const Json *json);      /* NULL: null */
void json_raw(JsonWriter *w, Str json_text);           /* JSON text in this writer's style:
                                                        * a value, or several with their commas */
void json_stored(JsonWriter *w, Str json_text);        /* JSON text, brought into this writer's style; null Str: null */

/* Python's repr(float) into `out` of at least 32 bytes; returns its length. */
size_t json_float_repr(double v, char *out);
/* Python's repr(str) of a value, for error texts such as "Name 'a/b' contains …". */
Str json_python_repr(Arena *arena, Str s);

#endif
