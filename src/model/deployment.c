/* model/deployment.c -- deployments. */
#include "model/deployment.h"
