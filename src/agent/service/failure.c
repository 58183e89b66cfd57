#include "agent/service/failure.h"

#include "command/reply.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
        const char *name;
        enum service_failure_kind kind;
} kinds[] = {
        {"org.freedesktop.DBus.Error.AccessDenied", SERVICE_FAILURE_REFUSED},
        {"org.freedesktop.DBus.Error.AuthFailed", SERVICE_FAILURE_REFUSED},
        {"org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", SERVICE_FAILURE_REFUSED},
        {"org.freedesktop.DBus.Error.NameHasNoOwner", SERVICE_FAILURE_NO_BUS},
        {"org.freedesktop.DBus.Error.ServiceUnknown", SERVICE_FAILURE_NO_BUS},
        {"org.freedesktop.DBus.Error.NoServer", SERVICE_FAILURE_NO_BUS},
        {"org.freedesktop.DBus.Error.Disconnected", SERVICE_FAILURE_LOST},
        {"org.freedesktop.DBus.Error.NoReply", SERVICE_FAILURE_NO_ANSWER},
        {"org.freedesktop.DBus.Error.TimedOut", SERVICE_FAILURE_NO_ANSWER},
        {"org.freedesktop.DBus.Error.Timeout", SERVICE_FAILURE_NO_ANSWER},
        {"org.freedesktop.DBus.Error.NoMemory", SERVICE_FAILURE_MEMORY},
        {"org.freedesktop.systemd1.BadUnitSetting", SERVICE_FAILURE_FORBIDDEN},
        {"org.freedesktop.systemd1.LoadFailed", SERVICE_FAILURE_NO_UNIT},
        {"org.freedesktop.systemd1.NoSuchUnit", SERVICE_FAILURE_NO_UNIT},
        {"org.freedesktop.systemd1.OnlyByDependency", SERVICE_FAILURE_FORBIDDEN},
        {"org.freedesktop.systemd1.ShuttingDown", SERVICE_FAILURE_FORBIDDEN},
        {"org.freedesktop.systemd1.UnitMasked", SERVICE_FAILURE_FORBIDDEN},
};

/* How each kind is answered; %s of the sentence are `what` and the text. */
static const struct {
        enum command_code code;
        const char *sentence, *advice;
} answers[] = {
        [SERVICE_FAILURE_NO_BUS] = {COMMAND_UNSUPPORTED, "no system bus here, or no systemd on it",
                                    "is systemd running on this machine?"},
        [SERVICE_FAILURE_LOST] = {COMMAND_NOT_READY, "the connection to the system bus is broken",
                                  "try again in a moment"},
        [SERVICE_FAILURE_NO_ANSWER] = {COMMAND_EXPIRED, "no answer in time",
                                       "it may still be at work: see list_devices"},
        [SERVICE_FAILURE_REFUSED] = {COMMAND_FORBIDDEN, "the system does not let this agent do it",
                                     "install 50-pifleet.rules in /etc/polkit-1/rules.d/ and run "
                                     "the agent as the user that it names"},
        [SERVICE_FAILURE_NO_UNIT] = {COMMAND_NO_DEVICE, "there is no such unit",
                                     "see list_devices"},
        [SERVICE_FAILURE_FORBIDDEN] = {COMMAND_FORBIDDEN, "the unit does not allow it",
                                       "see `systemctl status` on the machine"},
        [SERVICE_FAILURE_MEMORY] = {COMMAND_BUSY, "not enough memory", "try again later"},
        [SERVICE_FAILURE_OTHER] = {COMMAND_HARDWARE, "it failed",
                                   "the journal may say more: `journalctl -b`"},
};

int service_failure_set(struct service_failure *ret, enum service_failure_kind kind,
                        const char *format, ...)
{
        va_list arguments;

        ret->kind = kind;
        ret->retry_ms = 0;
        va_start(arguments, format);
        vsnprintf(ret->text, sizeof(ret->text), format, arguments);
        va_end(arguments);
        return -1;
}

enum service_failure_kind service_failure_of(const char *name)
{
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
                if (strcmp(kinds[i].name, name) == 0)
                        return kinds[i].kind;
        }
        /* The bus was to start it on demand, and could not. */
        if (strncmp(name, "org.freedesktop.DBus.Error.Spawn.", 33) == 0)
                return SERVICE_FAILURE_NO_BUS;
        return SERVICE_FAILURE_OTHER;
}

int service_failure_reply(struct command_request *request, const struct service_failure *failure,
                          const char *what)
{
        bool silent = failure->text[0] == '\0';
        struct json_writer *writer = command_reply_open_failure(
                request, answers[failure->kind].code, "cannot %s: %s%s%s%s; %s", what,
                answers[failure->kind].sentence, silent ? "" : " (", failure->text,
                silent ? "" : ")", answers[failure->kind].advice);

        if (failure->retry_ms > 0)
                json_write_integer(writer, "retry_ms", (int64_t)failure->retry_ms);
        return command_reply_send(request);
}
