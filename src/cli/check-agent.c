#include "cli/check.h"
#include "cli/client.h"
#include "data/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATIENCE_MS = 3000 };

/* Asks for the status. 0: *ret is the reply, whatever it says. */
static int ask(const struct client_target *target, cJSON **ret, struct error *error)
{
        AUTO(client) struct client *client = NULL;
        AUTO_JSON cJSON *request = cJSON_CreateObject();
        int r;

        if (!cJSON_AddStringToObject(request, "command", "get_status"))
                return error_set(error, -ENOMEM, "out of memory");
        r = client_open(target, &client, error);
        if (r != 0)
                return r;
        return client_request(client, request, ret, error);
}

static bool is_stranger(int reason)
{
        return reason == -EBADMSG || reason == -ETIMEDOUT || reason == -ECONNRESET ||
               reason == -EPIPE || reason == -EPROTO || reason == -EMSGSIZE;
}

/* Agents before it came say nothing of it. */
static void report_mqtt(const cJSON *mqtt, struct findings *findings)
{
        const char *address = json_get_string(mqtt, "address");
        bool listening = true;

        if (address)
                finding_add(findings, FINDING_OK, "mqtt", "listens at %.100s", address);
        else if (json_get_bool(mqtt, "listening", &listening) && !listening)
                finding_advise(finding_add(findings, FINDING_PROBLEM, "mqtt",
                                           "its port is another program's, so MQTT is not served"),
                               "sudo ss -ltnp shows which program; stop it, or set mqtt.port, then "
                               "restart the agent");
}

static void report_status(const char *name, const cJSON *reply, struct findings *findings)
{
        const char *version = json_get_string(reply, "version");
        const char *backend = json_get_string(reply, "gpio_backend");

        finding_add(findings, FINDING_OK, "agent", "answers at %s%s%.40s", name,
                    version ? ", version " : "", version ? version : "");
        if (version && strcmp(version, PIFLEET_VERSION) != 0)
                finding_advise(finding_add(findings, FINDING_WARNING, "agent",
                                           "it is of another version than this program "
                                           "(" PIFLEET_VERSION ")"),
                               "after an update: sudo systemctl restart pifleet-agent");
        if (backend && strcmp(backend, "simulated") == 0)
                finding_add(findings, FINDING_WARNING, "agent",
                            "its GPIO is simulated: commands move no real pin");
        report_mqtt(json_get(reply, "mqtt"), findings);
}

/* True: an agent answers there. `absence` keeps why nobody does. */
static bool check_answer(const struct client_target *target, struct findings *findings,
                         struct error *absence)
{
        char name[CLIENT_TARGET_TEXT_MAX];
        AUTO_JSON cJSON *reply = NULL;
        struct error error = {0};
        const char *code;
        int r;

        client_target_text(target, name);
        r = ask(target, &reply, &error);
        if (r == CLIENT_REFUSED) {
                finding_advise(finding_add(findings, FINDING_WARNING, "agent",
                                           "answers at %s, but %.250s", name, error.text),
                               "is it the token of this agent?");
                return true;
        }
        if (is_stranger(r)) {
                finding_advise(finding_add(findings, FINDING_PROBLEM, "port",
                                           "something else than an agent is at %s: %.250s", name,
                                           error.text),
                               "sudo ss -ltnp shows which program; stop it, or set command.port");
                return false;
        }
        if (r < 0) {
                *absence = error;
                return false;
        }
        if (client_reply_is_good(reply)) {
                report_status(name, reply, findings);
                return true;
        }
        code = json_get_string(reply, "code");
        if (code && strcmp(code, "UNAUTHORIZED") == 0)
                finding_add(findings, FINDING_OK, "agent", "answers at %s and asks for a token",
                            name);
        else
                finding_add(findings, FINDING_WARNING, "agent", "answers at %s: %.200s", name,
                            json_get_string(reply, "error") ? json_get_string(reply, "error")
                                                            : "refused without a reason");
        return true;
}

static void check_socket_mode(const char *path, struct findings *findings)
{
        struct stat status;

        if (stat(path, &status) == 0 && S_ISSOCK(status.st_mode) && (status.st_mode & S_IWOTH))
                finding_advise(finding_add(findings, FINDING_WARNING, "socket",
                                           "every user of this machine may use %s (%04o)", path,
                                           (unsigned)(status.st_mode & 07777)),
                               "they can read then; is that meant?");
}

/* Where the config says that the agent listens, on this machine. */
static uint16_t configured_port(const struct check_place *place)
{
        long port;

        if (strcmp(check_setting(place, NULL, "profile", "standard"), "appliance") == 0)
                return 0;
        port = strtol(check_setting(place, "command", "port", "3000"), NULL, 10);

        return port >= 0 && port <= 65535 ? (uint16_t)port : TARGET_PORT;
}

static bool check_this_machine(const struct check_place *place, const char *token,
                               struct findings *findings, struct error *absence)
{
        const char *socket = check_setting(place, "command", "socket", TARGET_SOCKET);
        const char *host = check_setting(place, "command", "host", SERVER_HOST);
        struct client_target local = {.socket = socket, .token = token, .timeout_ms = PATIENCE_MS};
        struct client_target tcp = {
                .host = strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0 ? host
                                                                                  : SERVER_HOST,
                .port = configured_port(place),
                .token = token,
                .timeout_ms = PATIENCE_MS};
        bool answers = false;

        if (*socket) {
                check_socket_mode(socket, findings);
                answers = check_answer(&local, findings, absence);
        }
        if (tcp.port != 0)
                answers = check_answer(&tcp, findings, absence) || answers;
        return answers;
}

void check_agent(const struct check_place *place, struct findings *findings)
{
        const struct target_options *options = place->target;
        struct error error = {0};
        struct target target;
        bool answers;

        if (target_resolve(options, &target, &error) < 0) {
                finding_add(findings, FINDING_PROBLEM, "agent", "%s", error.text);
                target_done(&target);
                return;
        }
        if (options->server.socket || server_is_tcp(&options->server))
                answers = check_answer(&target.client, findings, &error);
        else
                answers = check_this_machine(place, target.client.token, findings, &error);
        target_done(&target);
        if (!answers)
                finding_advise(finding_add(findings, FINDING_PROBLEM, "agent",
                                           "no agent answers%s%.250s", *error.text ? ": " : "",
                                           error.text),
                               "systemctl status pifleet-agent; journalctl -u pifleet-agent; from "
                               "a checkout: ./dev run");
}
