/* cli/exchange.h - a subcommand's requests to an agent, and what is said when one
 * fails.
 *
 *     if (!exchange_begin(&exchange, &options.shape, &options.target, &status))
 *             return status;
 *     status = exchange_ask(&exchange, request, &reply);
 *     if (status == EXIT_OK)
 *             status = exchange_print(&exchange.console, reply);
 *     exchange_end(&exchange);
 */
#pragma once

#include "cli/client.h"
#include "cli/console-shape.h"
#include "cli/console.h"
#include "cli/subcommand.h"
#include "cli/target.h"

struct exchange {
        struct console console;
        struct target target;
        struct client *client; /* NULL: not connected */
};

/* From the options of a subcommand. False: they exclude each other or a file of theirs
 * cannot be read, which has been told; *status is the exit status. `exchange` stays
 * where it is. */
bool exchange_begin(struct exchange *exchange, const struct console_shape *shape,
                    const struct target_options *target, enum exit_status *status);
void exchange_end(struct exchange *exchange);

/* Sends `request` and waits, over a connection that is made when there is none.
 * EXIT_OK: *reply is the caller's, good or not; else the reason has been told, and the
 * next request connects anew. */
enum exit_status exchange_ask(struct exchange *exchange, const cJSON *request, cJSON **reply);
/* For pauses that are longer than an agent keeps silent connections. */
void exchange_disconnect(struct exchange *exchange);

/* A request with its command. NULL: out of memory. */
cJSON *exchange_request(const char *command);

/* Tells the sentence of a reply that is a failure, with its code. */
void exchange_complain(const struct console *console, const cJSON *reply);

/* Prints a reply: readable or as JSON when it is good, else its sentence (and the
 * reply itself where JSON is asked for). */
enum exit_status exchange_print(const struct console *console, const cJSON *reply);
