/* model/job_template.h -- the base job template of a work pool: a job configuration, and the variables in it. */
#ifndef ORION_JOB_TEMPLATE_H
#define ORION_JOB_TEMPLATE_H

#include "entity/codec.h"

/* A Field's check of JSON object text: WorkPool.validate_base_job_template. */
bool job_template_check(Invalid *invalid, void *member);
/* infra_overrides (JSON object text or null) against the template's variables. False: tx->error, ERR_CONFLICT "Error
 * creating deployment: …" (the reference says "creating" of updates too). */
bool job_template_check_variables(Tx *tx, Str template_text, Str infra_overrides) MUST_CHECK;

#endif
