/* db/libpq.h -- libpq, loaded when a database's URL asks for PostgreSQL: with all that it needs it takes as much
 * memory as an idle server. */
#ifndef ORION_LIBPQ_H
#define ORION_LIBPQ_H

#include "base/base.h"

#include <libpq-fe.h>

/* The functions by their names without "PQ", with the types of libpq's header. */
#define LIBPQ_FUNCTIONS(X) \
    X(libVersion) X(connectStartParams) X(connectPoll) X(conndefaults) X(conninfo) X(conninfoFree) X(finish) X(status) \
    X(errorMessage) X(serverVersion) X(user) X(socket) X(setnonblocking) X(flush) X(consumeInput) X(isBusy) \
    X(getResult) X(clear) X(setNoticeProcessor) X(getCancel) X(cancel) X(freeCancel) \
    X(enterPipelineMode) X(exitPipelineMode) X(pipelineSync) X(sendFlushRequest) X(setSingleRowMode) \
    X(sendQuery) X(sendQueryParams) X(sendPrepare) X(sendQueryPrepared) \
    X(resultStatus) X(resultErrorField) X(cmdStatus) X(cmdTuples) X(ntuples) X(ftype) X(getisnull) X(getvalue) \
    X(getlength)

typedef struct Libpq {
#define LIBPQ_MEMBER(name) __typeof__(&PQ##name) name;
    LIBPQ_FUNCTIONS(LIBPQ_MEMBER)
#undef LIBPQ_MEMBER
} Libpq;

/* False: it is not installed, or too old for pipelines (before 14). */
bool libpq_load(Libpq *pq, Error *error) MUST_CHECK;

#endif
