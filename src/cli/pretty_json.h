/* cli/pretty_json.h -- what `--output json` of Prefect 3's commands prints. */
#ifndef ORION_PRETTY_JSON_H
#define ORION_PRETTY_JSON_H

#include "cli/cli.h"

/* Whether the command was called with it. 0, or the exit status after a message. */
int cli_output_is_json(const Cli *cli, bool *ret) MUST_CHECK;
/* Prints JSON text on several lines. */
void cli_print_json(const Cli *cli, Str text);

#endif
