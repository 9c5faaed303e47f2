/* base/generation.h -- the generations of Prefect's server that this program can be: bits, so that rows of tables can
 * name several. */
#ifndef ORION_GENERATION_H
#define ORION_GENERATION_H

typedef enum Generation { GEN_2_7 = 1, GEN_3 = 2 } Generation;

#endif
