/* api/ui.c -- the dashboard: files embedded at build time or from a folder. */
#include "api/ui.h"
