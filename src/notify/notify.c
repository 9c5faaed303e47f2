/* notify/notify.c -- the table of services that take notifications. */
#include "notify/notify.h"
