/* db/postgres_cancel.h -- ends what runs on a connection. */
#ifndef ORION_POSTGRES_CANCEL_H
#define ORION_POSTGRES_CANCEL_H

#include "db/libpq.h"

/* Asks the server to end it, without waiting for that: the connection must not be used again. NULL is fine. */
void pg_cancel(const Libpq *pq, PGconn *pg);

#endif
