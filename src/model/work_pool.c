/* model/work_pool.c -- work pools and their workers. */
#include "model/work_queue.h"
