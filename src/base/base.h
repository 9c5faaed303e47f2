/* base/base.h -- what every file may rely on: integer types, attributes, Str, errors, banned functions. */
#ifndef ORION_BASE_H
#define ORION_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

extern const char orion_commit[]; /* "4e89c7812f", with "-dirty" if files had changed since; or "unknown" */

/* A slice of bytes, not necessarily terminated. p == NULL means "no value" (SQL NULL, JSON null); an empty
 * string has p != NULL. A Str never owns: its bytes live in an arena, a literal, or a row (see there). */
typedef struct Str {
    const char *p;
    size_t n;
} Str;

#define STR(literal) ((Str){ "" literal, sizeof(literal) - 1 })
#define STR_NULL ((Str){ NULL, 0 })
/* For printf: printf("%.*s", STR_ARG(s)) */
#define STR_ARG(s) (int)(s).n, (s).p ? (s).p : ""

Str str_from(const char *c_string);         /* NULL gives STR_NULL; borrows */
bool str_eq(Str a, Str b);                  /* two nulls are equal; null and empty are not */
bool str_is(Str a, const char *c_string);
bool str_starts(Str s, const char *prefix);
Str str_trim(Str s);                        /* without leading and trailing white space */
/* Cuts what precedes the separator off *rest and returns it, trimmed; without a separator that is all of it. */
Str str_next_item(Str *rest, char separator);
bool str_same_word(Str a, Str b);           /* equal except for the case of ASCII letters */
bool char_in(char c, const char *set);      /* whether c is one of the set's characters; U+0000 never is, although
                                             * strchr would find the terminator */

/* Why something failed. The API maps each code to a status and a body (api/reply.c). */
typedef enum ErrorCode {
    ERR_NONE = 0,
    ERR_INVALID,          /* 422 {"detail": message} */
    ERR_BAD_REQUEST,      /* 400 {"detail": message} */
    ERR_UNAUTHORIZED,     /* 401 {"detail": message}, with WWW-Authenticate */
    ERR_FORBIDDEN,        /* 403 {"detail": message} */
    ERR_NOT_FOUND,        /* 404 {"detail": message} */
    ERR_OBJECT_NOT_FOUND, /* 404 {"exception_message": message}: the reference's ObjectNotFoundError */
    ERR_CONFLICT,         /* 409 {"detail": message}, message chosen by the handler */
    ERR_INTEGRITY,        /* 409 with the reference's text: a unique or foreign key constraint was violated */
    ERR_TOO_LARGE,        /* 413 {"detail": message} */
    ERR_ANSWER_TOO_LARGE, /* 507 {"exception_message": message}: the answer exceeds what the server can store */
    ERR_OVERLOADED,       /* 503 with Retry-After: others take all there is of something */
    ERR_BUSY,             /* 503: another process holds the database's lock, a read ran too long, the disk is full, … */
    ERR_SPOILED,          /* 500 {"exception_message": message}: a row holds a value that is not of its column's kind */
    ERR_INTERNAL          /* 500: message goes to the log, never to the client */
} ErrorCode;

typedef struct Error {
    ErrorCode code;
    char message[496]; /* UTF-8, terminated, cut between characters if too long */
} Error;

/* Records the first failure in *error (later ones are ignored) and returns false, so that a caller can
 * `return fail(error, ERR_NOT_FOUND, "Flow not found");`. */
bool fail(Error *error, ErrorCode code, const char *format, ...) PRINTF(3, 4);

/* The allocation functions used everywhere: out of memory ends the process in one place (base/arena.c). */
void *xmalloc(size_t n) MUST_CHECK;
void *xcalloc(size_t count, size_t n) MUST_CHECK;
void *xrealloc(void *p, size_t n) MUST_CHECK;

/* Unbounded string functions are banned: using one is a compile error. */
#undef strcpy
#undef strcat
#undef sprintf
#undef vsprintf
#define strcpy(a, b) orion_banned_strcpy
#define strcat(a, b) orion_banned_strcat
#define sprintf(...) orion_banned_sprintf
#define vsprintf(...) orion_banned_vsprintf

#endif
