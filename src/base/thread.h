/* base/thread.h -- threads that leave signals to the main thread. */
#ifndef ORION_THREAD_H
#define ORION_THREAD_H

#include <pthread.h>

#include "base/base.h"

/* With all signals blocked. False: there can be no more threads. */
bool thread_start(pthread_t *ret_thread, void *(*run)(void *), void *arg) MUST_CHECK;

#endif
