/* Fuzzes the way of a request: bytes to a tree, a tree to the registry, the
 * registry to a reply.
 *
 * The input is one line as a client would send it; a first byte 0 to 4 in its place
 * says which role the caller has already. Whatever comes in, there is exactly one
 * reply, at once or at the latest when the command's deadline has passed, and it is
 * one line of well-formed JSON with `success`, `type` and `timestamp`, with the
 * request's `id` if that was a good one, and with `error` and a known `code` if it
 * is a failure. No token ever comes back. */
#include "command/registry.h"
#include "command/reply.h"
#include "data/json.h"
#include "fuzz/fuzz.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum { INPUT_MAX = 64 << 10, DEPTH = 32, TIMEOUT_MS = 1000 };

static const char the_token[] = "the only token";

struct fixture {
        struct loop *loop;
        struct command_bus *bus;
        struct command_registry *registry;
        struct command_session session;
        struct command_request *waiting; /* of the command `wait` */
        cJSON *id;                       /* what the reply must repeat; NULL: nothing */
        bool own_reply;                  /* of the command `tree`: the client wrote it */
        unsigned replies;
};

static int run_echo(void *owner, struct command_request *request)
{
        struct json_writer *writer = command_reply_open(request, NULL);

        (void)owner;
        json_write_tree(writer, "echo", command_request_arguments(request));
        return command_reply_send(request);
}

static int run_tree(void *owner, struct command_request *request)
{
        (void)owner;
        return command_reply_tree(request, command_request_arguments(request));
}

static int run_fail(void *owner, struct command_request *request)
{
        const char *why = json_get_string(command_request_arguments(request), "why");

        (void)owner;
        return command_reply_fail(request, COMMAND_HARDWARE, "%s",
                                  why && why[0] ? why : "no reason");
}

static int run_wait(void *owner, struct command_request *request)
{
        struct fixture *f = owner;

        f->waiting = request;
        return COMMAND_PENDING;
}

static int run_error(void *owner, struct command_request *request)
{
        (void)owner;
        (void)request;
        return -EIO;
}

#define OBJECT(properties) "{\"type\":\"object\",\"properties\":{" properties "}"

static const struct command commands[] = {
        {.name = "echo", .role = COMMAND_ROLE_NONE, .run = run_echo},
        {.name = "tree", .role = COMMAND_ROLE_VIEWER, .run = run_tree},
        {.name = "fail", .role = COMMAND_ROLE_VIEWER, .run = run_fail, .changes = true},
        {.name = "error", .role = COMMAND_ROLE_VIEWER, .run = run_error},
        {.name = "wait", .role = COMMAND_ROLE_VIEWER, .run = run_wait, .timeout_ms = TIMEOUT_MS},
        {.name = "auth", .role = COMMAND_ROLE_NONE, .run = run_echo, .authenticates = true},
        {.name = "led_on",
         .role = COMMAND_ROLE_OPERATOR,
         .run = run_echo,
         .changes = true,
         .schema =
                 OBJECT("\"pin\":{\"type\":[\"integer\",\"string\"],\"minimum\":0,"
                        "\"maximum\":53,\"minLength\":1,\"maxLength\":16}") ","
                                                                            "\"required\":[\"pin\"]"
                                                                            ",\"additionalPropertie"
                                                                            "s\":false}"},
        {.name = "gpio_test",
         .role = COMMAND_ROLE_OPERATOR,
         .run = run_echo,
         .schema = OBJECT("\"pin\":{\"type\":\"integer\",\"enum\":[4,17,27]},"
                          "\"times\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":100},"
                          "\"interval\":{\"type\":\"number\",\"exclusiveMinimum\":0,"
                          "\"maximum\":10}") "}"},
        {.name = "nested",
         .role = COMMAND_ROLE_ADMIN,
         .run = run_echo,
         .schema = OBJECT(
                 "\"steps\":{\"type\":\"array\",\"minItems\":1,\"maxItems\":8,"
                 "\"items\":" OBJECT(
                         "\"device\":{\"type\":\"string\"},"
                         "\"params\":" OBJECT(
                                 "\"on\":{\"type\":\"boolean\"},"
                                 "\"level\":{\"type\":\"number\"}") "}") ",\"required\":["
                                                                         "\"device\"]}},"
                                                                         "\"mode\":{\"const\":"
                                                                         "\"all\"}") ",\"required\""
                                                                                     ":[\"steps\"]"
                                                                                     "}"},
};

/* One good token; "later" is good too, but is answered after the dispatch; "busy"
 * is told to come again. */
struct identification {
        command_identified_fn *identified;
        void *context;
};

static struct identification postponed;

static void identify(void *owner, const struct command_session *session, const char *token,
                     command_identified_fn *identified, void *context)
{
        static const struct command_principal principal = {COMMAND_ROLE_ADMIN, "fuzz"};
        static const struct error unknown = {-EACCES, "unknown token"};
        static const struct error busy = {-EAGAIN, "come again"};

        (void)owner;
        (void)session;
        if (strcmp(token, the_token) == 0)
                identified(context, 0, &principal, NULL, 0);
        else if (strcmp(token, "later") == 0)
                postponed = (struct identification){identified, context};
        else if (strcmp(token, "busy") == 0)
                identified(context, -EAGAIN, NULL, &busy, 500);
        else
                identified(context, -EACCES, NULL, &unknown, 0);
}

static void finish_identification(void)
{
        static const struct command_principal principal = {COMMAND_ROLE_DEPLOYER, "late"};
        struct identification i = postponed;

        postponed = (struct identification){NULL, NULL};
        if (i.identified)
                i.identified(i.context, 0, &principal, NULL, 0);
}

static unsigned times_there(const cJSON *object, const char *name)
{
        const cJSON *item;
        unsigned times = 0;

        cJSON_ArrayForEach(item, object) times += strcmp(item->string, name) == 0;
        return times;
}

static void on_reply(void *owner, const char *json, size_t length, bool success)
{
        AUTO_JSON cJSON *reply = NULL;
        struct fixture *f = owner;
        const cJSON *id;
        const char *sentence, *code;
        bool said;

        f->replies++;
        MUST(memchr(json, '\n', length) == NULL);
        MUST(json_parse(json, length, JSON_DEPTH_MAX, &reply, NULL) == 0);
        MUST(cJSON_IsObject(reply));
        MUST(times_there(reply, "success") == 1);
        MUST(times_there(reply, "type") == 1);
        MUST(times_there(reply, "timestamp") == 1);
        MUST(json_get_bool(reply, "success", &said) && said == success);
        MUST(json_get_string(reply, "type") != NULL);
        MUST(cJSON_IsNumber(json_get(reply, "timestamp")));
        id = json_get(reply, "id");
        if (f->id)
                MUST(id && cJSON_Compare(id, f->id, true));
        if (success)
                return;
        if (f->own_reply)
                return;
        sentence = json_get_string(reply, "error");
        code = json_get_string(reply, "code");
        MUST(sentence != NULL && sentence[0] != '\0');
        MUST(code != NULL && code[0] != '\0');
        if (strcmp(code, "UNAUTHORIZED") == 0)
                MUST(strstr(sentence, the_token) == NULL);
}

static struct fixture *fixture_new(void)
{
        static struct fixture f;
        struct error error;

        MUST(loop_new_virtual(1000, &f.loop) == 0);
        MUST(command_bus_new(f.loop, &f.bus) == 0);
        MUST(command_registry_new(f.loop, f.bus, &f.registry) == 0);
        MUST(command_registry_add(f.registry, commands, ARRAY_SIZE(commands), "fuzz", &f, &error) ==
             0);
        command_registry_set_identify(f.registry, identify, NULL);
        return &f;
}

/* The `id` that the reply has to repeat: one, a short string or a safe integer. */
static cJSON *expected_id(const cJSON *object)
{
        const cJSON *item, *id = NULL;

        if (!cJSON_IsObject(object))
                return NULL;
        cJSON_ArrayForEach(item, object)
        {
                if (strcmp(item->string, "id") != 0)
                        continue;
                if (id)
                        return NULL;
                id = item;
        }
        if (!id || !(json_is_integer(id) || (cJSON_IsString(id) && strlen(id->valuestring) <= 256)))
                return NULL;
        return cJSON_Duplicate(id, true);
}

static bool brings_its_own_reply(const cJSON *object)
{
        const char *command = json_get_string(object, "command");

        return command && strcmp(command, "tree") == 0;
}

static void request_through(struct fixture *f, const char *text, size_t length)
{
        struct command_call call = {.session = &f->session, .on_reply = on_reply, .owner = f};
        struct command_request *pending = NULL;
        struct error error = {0};
        cJSON *object = NULL;
        int r;

        f->replies = 0;
        f->own_reply = false;
        r = json_parse(text, length, DEPTH, &object, &error);
        if (r < 0) {
                MUST(error.text[0] != '\0');
                command_refuse(f->registry, &call, COMMAND_BAD_JSON, "%s", error.text);
                MUST(f->replies == 1);
                return;
        }
        f->own_reply = brings_its_own_reply(object);
        f->id = f->own_reply ? NULL : expected_id(object);
        call.object = object;
        command_dispatch(f->registry, &call, &pending);
        MUST((pending != NULL) == (f->replies == 0));
        finish_identification();
        if (f->waiting && length % 2 == 0) {
                struct command_request *waiting = f->waiting;

                f->waiting = NULL;
                command_reply_open(waiting, "waited");
                command_reply_send(waiting);
        }
        if (f->replies == 0)
                loop_advance_ms(f->loop, TIMEOUT_MS);
        MUST(f->replies == 1);
        if (f->waiting) { /* its deadline has answered for it; what it says now is dropped */
                struct command_request *late = f->waiting;

                f->waiting = NULL;
                command_reply_fail(late, COMMAND_HARDWARE, "late");
        }
        MUST(f->replies == 1);
        MUST(command_registry_pending(f->registry) == 0);
        cJSON_Delete(f->id);
        f->id = NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
        static struct fixture *f;
        enum command_role role = COMMAND_ROLE_ADMIN;
        char *text;

        if (!f)
                f = fixture_new();
        if (count > INPUT_MAX)
                return 0;
        if (count > 0 && bytes[0] <= COMMAND_ROLE_ADMIN) {
                role = (enum command_role)bytes[0];
                bytes++;
                count--;
        }
        f->session = (struct command_session){
                .id = 1, .transport = "fuzz", .origin = "nowhere", .principal = {role, "fuzz"}};
        /* In memory of exactly this size, so that a byte beyond is found. */
        text = malloc(count ? count : 1);
        MUST(text != NULL);
        if (count)
                memcpy(text, bytes, count);
        request_through(f, text, count);
        free(text);
        loop_run_once(f->loop, 0);
        return 0;
}
