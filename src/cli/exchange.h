/* cli/exchange.h - a subcommand's requests to an agent, and what is said when one
 * fails.
 *
 *     static enum exit_status talk(struct exchange *exchange, const void *options,
 *                                  char *words[], size_t count)
 *     {
 *             AUTO_JSON cJSON *request = exchange_request("get_status");
 *
 *             return exchange_show(exchange, request);
 *     }
 *
 *     return exchange_run(&form, argc, argv, &options, &options.common, talk);
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

/* The options of each subcommand that talks to an agent: a member of its own. */
struct exchange_options {
        struct console_shape shape;
        struct target_options target;
};

#define EXCHANGE_OPTIONS_DEFAULT                                                                   \
        {                                                                                          \
                .target = TARGET_OPTIONS_DEFAULT                                                   \
        }
#define EXCHANGE_OPTIONS_GROUPS(type, member)                                                      \
        CONSOLE_SHAPE_GROUP(type, member.shape), TARGET_OPTIONS_GROUP(type, member.target)

/* What a subcommand has to say; `count` words are left of its command line. */
typedef enum exit_status exchange_talk_fn(struct exchange *exchange, const void *options,
                                          char *words[], size_t count);

/* Reads a command line into `options`, which hold their defaults and of which `common` is a
 * part, has `talk` talk, and ends the exchange. What is wrong with the options has been told. */
enum exit_status exchange_run(const struct options_form *form, int argc, char *argv[],
                              void *options, const struct exchange_options *common,
                              exchange_talk_fn *talk);

/* Sends `request` and waits, over a connection that is made when there is none. NULL is a request
 * for which there was no memory. EXIT_OK: *reply is the caller's, good or not; else the reason has
 * been told, and the next request connects anew. */
enum exit_status exchange_ask(struct exchange *exchange, const cJSON *request, cJSON **reply);
/* The same, and prints the reply. */
enum exit_status exchange_show(struct exchange *exchange, const cJSON *request);
/* For pauses that are longer than an agent keeps silent connections. */
void exchange_disconnect(struct exchange *exchange);

/* A request with its command. NULL: out of memory. */
cJSON *exchange_request(const char *command);

/* Tells the sentence of a reply that is a failure, with its code. */
void exchange_complain(const struct console *console, const cJSON *reply);

/* Prints a reply: readable or as JSON when it is good, else its sentence (and the
 * reply itself where JSON is asked for). */
enum exit_status exchange_print(const struct console *console, const cJSON *reply);
