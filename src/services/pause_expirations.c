/* services/pause_expirations.c -- fails paused runs whose time is up. */
#include "services/service.h"
