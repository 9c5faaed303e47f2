/* model/work_queue.c -- queues. */
#include "model/work_queue.h"
