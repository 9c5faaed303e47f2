/* model/saved_search.c -- searches that the UI keeps. */
#include "model/saved_search.h"
