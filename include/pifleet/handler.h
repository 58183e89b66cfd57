/* pifleet/handler.h - commands of a device, written in C.
 *
 *     #include <pifleet/handler.h>
 *
 *     static int greet(struct pifleet_call *call)
 *     {
 *             pifleet_put_text(call, "greeting", pifleet_get_text(call, "name", "world"));
 *             return 0;
 *     }
 *
 *     PIFLEET_MODULE(PIFLEET_COMMAND("greet", greet, "Greets by name."))
 *
 * Deploy this as greet.c: it is compiled on the device, and runs in a process of
 * its own. State between calls belongs into static variables. One call runs at a
 * time, on the main thread; a module may have other threads, but what is below is
 * for the thread of the call, and until the handler returns.
 *
 * A handler returns 0, and what it put is the result; or pifleet_fail(), or a
 * negative errno(3), and the caller is told that, and nothing of what was put.
 *
 * Nothing is linked: all functions below are inline, and call the host by a table
 * (ABI 1). Members are added at the end of it only. */
#ifndef PIFLEET_HANDLER_H
#define PIFLEET_HANDLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#error "pifleet/handler.h is for C"
#endif

#define PIFLEET_HANDLER_ABI 1

/* What pifleet_fail() and the pifleet_need_...() leave to be returned; no errno. */
#define PIFLEET_FAILED (-4096)

struct pifleet_host;

struct pifleet_call {
        const struct pifleet_host *host;
        const char *command; /* its name, for a handler that serves several */
};

typedef int pifleet_handler(struct pifleet_call *call);

struct pifleet_command {
        const char *name; /* [a-z][a-z0-9_]{0,63} */
        pifleet_handler *handler;
        const char *description; /* one line; NULL: none */
};

/* What a module exports, by the name pifleet_module. */
struct pifleet_module {
        uint32_t abi;
        uint32_t commands_count; /* 1 to 256 */
        const struct pifleet_command *commands;
        pifleet_handler *self_test; /* NULL: none */
};

/* The host's side; use the functions below. */
struct pifleet_host {
        const char *(*request_text)(struct pifleet_call *call);
        bool (*has)(struct pifleet_call *call, const char *name);
        size_t (*count)(struct pifleet_call *call, const char *name);
        const char *(*text)(struct pifleet_call *call, const char *name);
        bool (*integer)(struct pifleet_call *call, const char *name, int64_t *ret);
        bool (*number)(struct pifleet_call *call, const char *name, double *ret);
        bool (*boolean)(struct pifleet_call *call, const char *name, bool *ret);

        void (*put_text)(struct pifleet_call *call, const char *name, const char *value);
        void (*put_integer)(struct pifleet_call *call, const char *name, int64_t value);
        void (*put_number)(struct pifleet_call *call, const char *name, double value);
        void (*put_bool)(struct pifleet_call *call, const char *name, bool value);
        void (*put_json)(struct pifleet_call *call, const char *name, const char *json);
        void (*put_object)(struct pifleet_call *call, const char *name);
        void (*put_list)(struct pifleet_call *call, const char *name);
        void (*put_end)(struct pifleet_call *call);

        int (*set_failure)(struct pifleet_call *call, int line, const char *format, ...)
                __attribute__((format(printf, 3, 4)));
};

/* --- The module's table ------------------------------------------------------------------ */

#define PIFLEET_COMMAND(name, handler, description)                                                \
        {                                                                                          \
                (name), (handler), (description)                                                   \
        }

/* Once in a module, behind its handlers. */
#define PIFLEET_MODULE(...) PIFLEET_MODULE_TESTED(NULL, __VA_ARGS__)

/* The same with a function that is run before the module is put in place of its
 * predecessor: it returns 0 when all is well, and puts nothing. */
#define PIFLEET_MODULE_TESTED(self_test, ...)                                                      \
        static const struct pifleet_command pifleet_module_commands[] = {__VA_ARGS__};             \
        extern const struct pifleet_module pifleet_module;                                         \
        __attribute__((visibility("default"))) const struct pifleet_module pifleet_module = {      \
                PIFLEET_HANDLER_ABI,                                                               \
                sizeof(pifleet_module_commands) / sizeof(pifleet_module_commands[0]),              \
                pifleet_module_commands, (self_test)};

/* --- The request ---------------------------------------------------------------------------
 *
 * A name is that of a member of the request. What begins with a slash is a JSON
 * pointer (RFC 6901): "/points/2/x". Text is UTF-8, and stays until the handler
 * returns. */

static inline bool pifleet_has(struct pifleet_call *call, const char *name)
{
        return call->host->has(call, name);
}

/* How many members an object or a list has; 0 where there is neither. */
static inline size_t pifleet_count(struct pifleet_call *call, const char *name)
{
        return call->host->count(call, name);
}

/* `otherwise` where the member is absent or of another type. */
static inline const char *pifleet_get_text(struct pifleet_call *call, const char *name,
                                           const char *otherwise)
{
        const char *value = call->host->text(call, name);

        return value ? value : otherwise;
}

/* Integers of JSON reach from -2^53 to 2^53. */
static inline int64_t pifleet_get_integer(struct pifleet_call *call, const char *name,
                                          int64_t otherwise)
{
        int64_t value = otherwise;

        return call->host->integer(call, name, &value) ? value : otherwise;
}

static inline double pifleet_get_number(struct pifleet_call *call, const char *name,
                                        double otherwise)
{
        double value = otherwise;

        return call->host->number(call, name, &value) ? value : otherwise;
}

static inline bool pifleet_get_bool(struct pifleet_call *call, const char *name, bool otherwise)
{
        bool value = otherwise;

        return call->host->boolean(call, name, &value) ? value : otherwise;
}

/* The whole request as JSON, for a JSON library of the module's own. NULL: memory
 * is short. */
static inline const char *pifleet_request_text(struct pifleet_call *call)
{
        return call->host->request_text(call);
}

/* --- The result ----------------------------------------------------------------------------
 *
 * A name is NULL inside a list, and never in an object. Nothing needs a check: what
 * went wrong (a name in a list, an object left open, a result over 1 MiB or nested
 * deeper than 31 levels, a number that is not finite, an integer beyond 2^53)
 * becomes a `BadReply` error of the call. */

/* Bytes that are not UTF-8 become U+FFFD; NULL becomes null. */
static inline void pifleet_put_text(struct pifleet_call *call, const char *name, const char *value)
{
        call->host->put_text(call, name, value);
}

static inline void pifleet_put_integer(struct pifleet_call *call, const char *name, int64_t value)
{
        call->host->put_integer(call, name, value);
}

static inline void pifleet_put_number(struct pifleet_call *call, const char *name, double value)
{
        call->host->put_number(call, name, value);
}

static inline void pifleet_put_bool(struct pifleet_call *call, const char *name, bool value)
{
        call->host->put_bool(call, name, value);
}

/* JSON from elsewhere; it is checked. */
static inline void pifleet_put_json(struct pifleet_call *call, const char *name, const char *json)
{
        call->host->put_json(call, name, json);
}

/* What is put from here to pifleet_put_end() goes into it. */
static inline void pifleet_put_object(struct pifleet_call *call, const char *name)
{
        call->host->put_object(call, name);
}

static inline void pifleet_put_list(struct pifleet_call *call, const char *name)
{
        call->host->put_list(call, name);
}

static inline void pifleet_put_end(struct pifleet_call *call)
{
        call->host->put_end(call);
}

/* --- Failures ------------------------------------------------------------------------------ */

/* `return pifleet_fail(call, "pin %d is in use", pin);` - the first one counts. */
#define pifleet_fail(call, ...) ((call)->host->set_failure((call), __LINE__, __VA_ARGS__))

/* `if (!pifleet_need_integer(call, "pin", &pin)) return PIFLEET_FAILED;` - the
 * caller is told what is missing. */
#define pifleet_need_integer(call, name, ret)                                                      \
        ((call)->host->integer((call), (name), (ret)) ||                                           \
         (pifleet_fail((call), "%s is missing, or no integer", (name)), false))
#define pifleet_need_number(call, name, ret)                                                       \
        ((call)->host->number((call), (name), (ret)) ||                                            \
         (pifleet_fail((call), "%s is missing, or no number", (name)), false))
#define pifleet_need_text(call, name, ret)                                                         \
        ((*(ret) = (call)->host->text((call), (name))) ||                                          \
         (pifleet_fail((call), "%s is missing, or no text", (name)), false))

#endif
