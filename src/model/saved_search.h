/* model/saved_search.h -- searches that the UI keeps. */
#ifndef ORION_SAVED_SEARCH_H
#define ORION_SAVED_SEARCH_H

#include "entity/codec.h"

#endif
