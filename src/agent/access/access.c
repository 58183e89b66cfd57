#include "agent/access/access.h"

#include "access/slowdown.h"
#include "access/verifier.h"
#include "agent/access/access-event.h"
#include "base/attributes.h"
#include "command/reply.h"
#include "proto/token.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { OVERLOADED_RETRY_MS = 1000 };

static const char source[] = "builtin/access";

struct access {
        struct command_registry *registry;
        bool open;
        enum command_role open_role;
        uid_t own_uid;
        struct slowdown *slowdown;

        size_t fast_count;
        struct token_digest *fast_digests;
        struct command_principal *fast_principals;

        struct verifier *verifier;
        size_t slow_count;
        char *slow_hashes[ACCESS_SLOW_TOKENS_MAX];
        struct command_principal slow_principals[ACCESS_SLOW_TOKENS_MAX];
};

/* One token on its way to an answer. The session may be gone before: copied. */
struct attempt {
        struct verifier_waiter waiter;
        struct access *access;
        uint64_t origin_key;
        char transport[ACCESS_EVENT_TRANSPORT_MAX];
        char origin[COMMAND_ORIGIN_MAX];
        command_identified_fn *identified;
        void *context;
};

static void set_principal(struct command_principal *principal, enum command_role role,
                          const char *name)
{
        *principal = (struct command_principal){.role = role};
        snprintf(principal->name, sizeof principal->name, "%s", name);
}

static uint64_t now_ms(const struct access *access)
{
        return loop_now_ms(command_registry_loop(access->registry));
}

/* The answers. None of them may touch the attempt or the access afterwards: what
 * the request does next is not in our hands. */

static void attempt_grant(const struct attempt *attempt, const struct command_principal *principal)
{
        attempt->identified(attempt->context, 0, principal, NULL, 0);
}

static void attempt_refuse(const struct attempt *attempt, enum access_denied_reason reason,
                           uint64_t retry_ms, const struct error *error)
{
        struct access_denied denied = {.reason = reason, .retry_ms = retry_ms};

        snprintf(denied.transport, sizeof denied.transport, "%s", attempt->transport);
        snprintf(denied.origin, sizeof denied.origin, "%s", attempt->origin);
        command_bus_publish(command_registry_bus(attempt->access->registry), &access_denied_event,
                            &denied);
        attempt->identified(attempt->context, error->code, NULL, error, retry_ms);
}

/* `wait_ms`: what the origin has to wait from now on. */
static void attempt_fail(const struct attempt *attempt, enum access_denied_reason reason,
                         uint64_t wait_ms)
{
        struct error error = {0};

        if (reason == ACCESS_DENIED_DAMAGED)
                error_set(&error, -EACCES,
                          "this token is damaged, a digit is wrong or missing: copy it again, all "
                          "%d characters",
                          TOKEN_MADE_LENGTH);
        else if (reason == ACCESS_DENIED_LENGTH)
                error_set(&error, -EACCES, "a token has %d to %d bytes", TOKEN_MIN, TOKEN_MAX);
        else
                error_set(&error, -EACCES,
                          "this token is not known here: it is wrong, or was "
                          "withdrawn");
        attempt_refuse(attempt, reason, wait_ms, &error);
}

static void attempt_fail_and_count(const struct attempt *attempt, enum access_denied_reason reason)
{
        struct access *access = attempt->access;

        attempt_fail(attempt, reason,
                     slowdown_failed(access->slowdown, attempt->origin_key, now_ms(access)));
}

static void attempt_slow_down(const struct attempt *attempt, uint64_t wait_ms)
{
        struct error error = {0};

        error_set(&error, -EAGAIN,
                  "too many failed attempts from this address: try again in %.1f s",
                  (double)((wait_ms + 99) / 100) / 10); /* rounded up: not "in 0.0 s" */
        attempt_refuse(attempt, ACCESS_DENIED_SLOWED, wait_ms, &error);
}

static void attempt_put_off(const struct attempt *attempt)
{
        struct error error = {0};

        error_set(&error, -EAGAIN, "this token cannot be verified right now: try again in %d s",
                  OVERLOADED_RETRY_MS / 1000);
        attempt_refuse(attempt, ACCESS_DENIED_OVERLOADED, OVERLOADED_RETRY_MS, &error);
}

/* A secret that a person chose was right. Machine-made tokens forgive nothing: they
 * work while their origin is slowed down, and whoever guesses beside them must not
 * gain from that. */
static void attempt_succeed(const struct attempt *attempt, size_t index)
{
        struct access *access = attempt->access;

        slowdown_succeeded(access->slowdown, attempt->origin_key, now_ms(access));
        attempt_grant(attempt, &access->slow_principals[index]);
}

static void attempt_on_verified(struct verifier_waiter *waiter, int result, size_t index,
                                bool first)
{
        AUTO_FREE struct attempt *attempt = container_of(waiter, struct attempt, waiter);
        struct access *access = attempt->access;

        if (result == 1) {
                attempt_succeed(attempt, index);
        } else if (result == 0 && first) {
                attempt_fail_and_count(attempt, ACCESS_DENIED_UNKNOWN);
        } else if (result == 0) {
                /* The same guess, sent several times at once, counts once. */
                attempt_fail(
                        attempt, ACCESS_DENIED_UNKNOWN,
                        slowdown_wait_ms(access->slowdown, attempt->origin_key, now_ms(access)));
        } else if (result == -EACCES) {
                attempt_slow_down(attempt, slowdown_wait_ms(access->slowdown, attempt->origin_key,
                                                            now_ms(access)));
        } else {
                attempt_put_off(attempt);
        }
}

/* Any of the slow hashes may be the token's. */
static struct verifier_question question_of(const struct access *access, const char *token)
{
        return (struct verifier_question){
                .whose = "",
                .secret = token,
                .secret_length = strlen(token),
                .hashes = (const char *const *)access->slow_hashes,
                .hashes_count = access->slow_count,
        };
}

/* Verifies off the loop; takes a copy of the attempt along. */
static void attempt_submit(const struct attempt *attempt, const struct verifier_question *question)
{
        struct attempt *waiting = malloc(sizeof *waiting);
        int r = -ENOMEM;

        if (waiting) {
                *waiting = *attempt;
                waiting->waiter.on_verified = attempt_on_verified;
                r = verifier_submit(attempt->access->verifier, attempt->origin_key, question,
                                    &waiting->waiter);
        }
        if (r < 0) {
                free(waiting);
                attempt_put_off(attempt);
        }
}

/* Looks at all of them, whichever fits: the time does not tell. */
static const struct command_principal *find_fast(const struct access *access, const char *token)
{
        struct token_digest digest;
        size_t found = access->fast_count;

        token_digest(token, &digest);
        for (size_t i = 0; i < access->fast_count; i++) {
                size_t mask = -(size_t)token_digest_equal(&access->fast_digests[i], &digest);

                found = (found & ~mask) | (i & mask);
        }
        sodium_memzero(&digest, sizeof digest);
        return found < access->fast_count ? &access->fast_principals[found] : NULL;
}

static void attempt_begin(const struct attempt *attempt, const char *token)
{
        struct access *access = attempt->access;
        const struct command_principal *principal = NULL;
        uint64_t wait_ms = slowdown_wait_ms(access->slowdown, attempt->origin_key, now_ms(access));
        bool length_is_good = token_length_is_good(token);
        enum token_form form = length_is_good ? token_form(token) : TOKEN_CHOSEN;
        struct verifier_question question = question_of(access, token);
        size_t index;

        if (length_is_good && (wait_ms == 0 || form == TOKEN_MADE))
                principal = find_fast(access, token);
        if (principal)
                attempt_grant(attempt, principal);
        else if (wait_ms > 0)
                attempt_slow_down(attempt, wait_ms);
        else if (!length_is_good)
                attempt_fail_and_count(attempt, ACCESS_DENIED_LENGTH);
        else if (form == TOKEN_DAMAGED)
                attempt_fail_and_count(attempt, ACCESS_DENIED_DAMAGED);
        else if (form == TOKEN_MADE || access->slow_count == 0)
                attempt_fail_and_count(attempt, ACCESS_DENIED_UNKNOWN);
        else if (verifier_recall(access->verifier, &question, &index))
                attempt_succeed(attempt, index);
        else
                attempt_submit(attempt, &question);
}

static void access_identify(void *owner, const struct command_session *session, const char *token,
                            command_identified_fn *identified, void *context)
{
        struct access *access = owner;
        struct attempt attempt = {
                .access = access,
                .origin_key = session->origin_key,
                .identified = identified,
                .context = context,
        };

        snprintf(attempt.transport, sizeof attempt.transport, "%s", session->transport);
        snprintf(attempt.origin, sizeof attempt.origin, "%s", session->origin);
        if (access->open && !access_has_tokens(access)) {
                /* Nothing to compare it with, and everybody may come in: a client that
                 * was made for an agent with tokens works here too. */
                struct command_principal principal;

                access_initial_principal(access, NULL, &principal);
                attempt_grant(&attempt, &principal);
        } else {
                attempt_begin(&attempt, token);
        }
}

/* The token itself never gets here: the registry has had it identified, and made
 * its principal the request's and the session's. */
static int run_auth(void *owner, struct command_request *request)
{
        const struct command_principal *principal = command_request_principal(request);
        const struct command_session *session = command_request_session(request);
        struct access_granted granted = {.principal = *principal};
        struct access *access = owner;
        struct json_writer *writer;

        if (principal->role == COMMAND_ROLE_NONE)
                return command_reply_fail(request, COMMAND_BAD_REQUEST,
                                          "send the token as `token`: "
                                          "{\"command\":\"auth\",\"token\":\"...\"}");
        if (session) {
                snprintf(granted.transport, sizeof granted.transport, "%s", session->transport);
                snprintf(granted.origin, sizeof granted.origin, "%s", session->origin);
                command_bus_publish(command_registry_bus(access->registry), &access_granted_event,
                                    &granted);
        }
        writer = command_reply_open(request, NULL);
        json_write_string(writer, "role", command_role_name(principal->role));
        json_write_string(writer, "name", principal->name);
        return command_reply_send(request);
}

static const struct command commands[] = {
        {
                .name = "auth",
                .description = "Shows a token; what follows on this connection may do what the "
                               "token's role allows. Without a token: says who you are already.",
                .schema = "{\"type\":\"object\",\"properties\":{\"token\":{\"type\":\"string\","
                          "\"minLength\":8,\"maxLength\":512,"
                          "\"description\":\"the access token\"}},"
                          "\"additionalProperties\":false}",
                .role = COMMAND_ROLE_NONE,
                .layer = COMMAND_LAYER_PROTECTED,
                .authenticates = true,
                .run = run_auth,
        },
};

static int access_read_tokens(struct access *access, const struct access_config *config)
{
        const struct access_token *tokens = config->tokens.items;
        size_t count = config->tokens.count;

        access->fast_digests = calloc(count + 1, sizeof *access->fast_digests);
        access->fast_principals = calloc(count + 1, sizeof *access->fast_principals);
        if (!access->fast_digests || !access->fast_principals)
                return -ENOMEM;
        for (size_t i = 0; i < count; i++) {
                struct command_principal *principal;

                if (token_digest_parse(tokens[i].hash, &access->fast_digests[access->fast_count])) {
                        principal = &access->fast_principals[access->fast_count++];
                } else {
                        access->slow_hashes[access->slow_count] = strdup(tokens[i].hash);
                        if (!access->slow_hashes[access->slow_count])
                                return -ENOMEM;
                        principal = &access->slow_principals[access->slow_count++];
                }
                set_principal(principal, access_role(tokens[i].role), tokens[i].name);
        }
        return 0;
}

static void access_release(struct access *access)
{
        verifier_free(access->verifier);
        slowdown_free(access->slowdown);
        for (size_t i = 0; i < access->slow_count; i++)
                free(access->slow_hashes[i]);
        free(access->fast_digests);
        free(access->fast_principals);
        free(access);
}

int access_attach(struct command_registry *registry, struct loop_work *work,
                  const struct access_config *config, struct access **ret, struct error *error)
{
        struct access *access;
        int r;

        r = access_config_check(config, error);
        if (r < 0)
                return r;
        if (sodium_init() < 0)
                return error_set(error, -EIO, "access: the system gives no random numbers");
        access = calloc(1, sizeof *access);
        if (!access)
                return error_set(error, -ENOMEM, "access: not enough memory");
        access->registry = registry;
        access->open = config->mode == ACCESS_MODE_OPEN;
        access->open_role = access_role(config->open_role);
        access->own_uid = geteuid();
        r = slowdown_new(&access->slowdown);
        if (r == 0)
                r = verifier_new(command_registry_loop(registry), work, access->slowdown,
                                 &access->verifier);
        if (r == 0)
                r = access_read_tokens(access, config);
        if (r < 0)
                error_set(error, r, "access: %s", strerror(-r));
        else
                r = command_registry_add(registry, commands, ARRAY_SIZE(commands), source, access,
                                         error);
        if (r < 0) {
                access_release(access);
                return r;
        }
        command_registry_set_identify(registry, access_identify, access);
        *ret = access;
        return 0;
}

struct access *access_free(struct access *access)
{
        if (!access)
                return NULL;
        command_registry_set_identify(access->registry, NULL, NULL);
        command_registry_remove(access->registry, source);
        access_release(access);
        return NULL;
}

void access_lend_login(const struct access *access, struct login *ret)
{
        *ret = (struct login){.loop = command_registry_loop(access->registry),
                              .verifier = access->verifier,
                              .slowdown = access->slowdown};
}

bool access_is_open(const struct access *access)
{
        return access->open;
}

bool access_has_tokens(const struct access *access)
{
        return access->fast_count + access->slow_count > 0;
}

void access_initial_principal(const struct access *access, const uid_t *peer_uid,
                              struct command_principal *ret)
{
        enum command_role least = access->open ? access->open_role : COMMAND_ROLE_NONE;
        char name[COMMAND_PRINCIPAL_NAME_MAX];

        if (!peer_uid) {
                set_principal(ret, least, access->open ? "open" : "");
        } else if (*peer_uid == 0) {
                set_principal(ret, COMMAND_ROLE_ADMIN, "root");
        } else if (*peer_uid == access->own_uid) {
                set_principal(ret, COMMAND_ROLE_ADMIN, "local");
        } else {
                snprintf(name, sizeof name, "uid:%ju", (uintmax_t)*peer_uid);
                set_principal(ret, least > COMMAND_ROLE_VIEWER ? least : COMMAND_ROLE_VIEWER, name);
        }
}
