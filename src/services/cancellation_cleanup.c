/* services/cancellation_cleanup.c -- cancels what cancelled flow runs left behind. */
#include "services/service.h"
