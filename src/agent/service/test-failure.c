#include "agent/service/failure.h"

#include "support/test.h"

TEST(errors_of_the_bus_and_of_systemd_are_told_apart)
{
        static const struct {
                const char *name;
                enum service_failure_kind kind;
        } cases[] = {
                {"org.freedesktop.DBus.Error.AccessDenied", SERVICE_FAILURE_REFUSED},
                {"org.freedesktop.DBus.Error.InteractiveAuthorizationRequired",
                 SERVICE_FAILURE_REFUSED},
                {"org.freedesktop.DBus.Error.ServiceUnknown", SERVICE_FAILURE_NO_BUS},
                {"org.freedesktop.DBus.Error.Spawn.ChildExited", SERVICE_FAILURE_NO_BUS},
                {"org.freedesktop.DBus.Error.Spawn", SERVICE_FAILURE_OTHER},
                {"org.freedesktop.DBus.Error.NoReply", SERVICE_FAILURE_NO_ANSWER},
                {"org.freedesktop.systemd1.NoSuchUnit", SERVICE_FAILURE_NO_UNIT},
                {"org.freedesktop.systemd1.UnitMasked", SERVICE_FAILURE_FORBIDDEN},
                {"org.freedesktop.systemd1.UnitMaskedX", SERVICE_FAILURE_OTHER},
                {"", SERVICE_FAILURE_OTHER},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                if (service_failure_of(cases[i].name) != cases[i].kind)
                        FAIL("%s: %d", cases[i].name, service_failure_of(cases[i].name));
        }
}

TEST(a_long_text_is_cut)
{
        struct service_failure failure = {.retry_ms = 7};
        char text[2 * SERVICE_FAILURE_TEXT_MAX];

        memset(text, 'x', sizeof(text));
        text[sizeof(text) - 1] = '\0';
        CHECK_EQ(service_failure_set(&failure, SERVICE_FAILURE_LOST, "%s", text), -1);
        CHECK_EQ(strlen(failure.text), SERVICE_FAILURE_TEXT_MAX - 1);
        CHECK_EQ(failure.retry_ms, 0);
        CHECK_EQ(failure.kind, SERVICE_FAILURE_LOST);
}
