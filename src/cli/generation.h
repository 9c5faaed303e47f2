/* cli/generation.h -- which commands there are: Prefect 3 has some that 2.7 has not, or has otherwise. */
#ifndef ORION_CLI_GENERATION_H
#define ORION_CLI_GENERATION_H

#include "cli/cli.h"

/* Whether the chosen generation has a command. It is found out when it is first asked for. */
bool cli_has(Cli *cli, const Command *command);

#endif
