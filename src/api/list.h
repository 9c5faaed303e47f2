/* api/list.h -- the rows that a list or a count shows, by what was decoded of its body. */
#ifndef ORION_LIST_H
#define ORION_LIST_H

#include "api/request.h"
#include "base/str_list.h"

/* The rows that fit, in order, of the page that was asked for: to be read by codec_next. */
Rows *list_models(Req *req, const Model *model);
/* The same with a SELECT of these columns of the model's table; for the caller to read. */
Rows *list_columns(Req *req, const char *columns, const Model *model);
/* The rows as the answer, except those that cannot be read. False: tx->error. */
bool list_reply(Req *req, Rows *rows, const Model *model) MUST_CHECK;
/* The first column of each row. */
StrList list_ids(Req *req, Rows *rows);
/* What `read` returns for each id, as the answer; what it takes from tx->arena ends with the next id. Rows with a value
 * that cannot be read (ERR_SPOILED) are left out, and logged. False: tx->error. */
typedef const void *ListRead(void *arg, Str id); /* NULL: failed */
bool list_reply_each(Req *req, StrList ids, const Model *model, ListRead *read, void *arg) MUST_CHECK;

#endif
