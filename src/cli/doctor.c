/* flatfork doctor: the facts, the proof, the verdict. */
#include "cli/cli.h"

int cli_doctor(void)
{
	bool ground = cli_ground_print(stdout);
	bool works;

	cli_config_print(stdout);
	fflush(stdout);
	works = cli_proof(stdout);
	if (works && !ground)
		puts("note: it worked against what the lines above say");
	return works ? 0 : 1;
}
