/* services/service.c -- the table, and the thread that runs what is due. */
#include "services/service.h"
