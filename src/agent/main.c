/* pifleet-agent: reads its configuration, opens what it needs, serves until it
 * is told to stop. */
#include "agent/agent.h"
#include "agent/config.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char *argv[])
{
        struct agent_config config;
        struct agent *agent = NULL;
        struct error error;
        int r;

        r = agent_config_load(&config, argc, argv, &error);
        if (r == AGENT_CONFIG_DONE)
                return EXIT_SUCCESS;
        if (r < 0) {
                fprintf(stderr, "pifleet-agent: %s\n", error.text);
                return 2;
        }

        r = agent_new(&config, &agent, &error); /* opens every descriptor it will need */
        if (r < 0)
                fprintf(stderr, "pifleet-agent: %s\n", error.text);
        else
                r = agent_run(agent); /* until SIGTERM or SIGINT */

        agent_free(agent);
        agent_config_done(&config);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
