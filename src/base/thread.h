/* base/thread.h -- threads that leave signals to the main thread. */
#ifndef ORION_THREAD_H
#define ORION_THREAD_H

#include <pthread.h>

#include "base/base.h"

/* With all signals blocked. False: there can be no more threads. */
bool thread_start(pthread_t *ret_thread, void *(*run)(void *), void *arg) MUST_CHECK;
/* The same for a thread that nobody waits for: it may outlive all but its argument. */
bool thread_start_detached(void *(*run)(void *), void *arg) MUST_CHECK;

#endif
