#include "agent/service/unit-protected.h"

#include "base/attributes.h"

#include "support/test.h"

TEST(units_that_give_a_shell_or_end_the_machine_are_protected_and_it_is_said_why)
{
        static const struct {
                const char *name, *word;
        } cases[] = {
                {"debug-shell.service", "root shell"},
                {"breakpoint-pre-switch-root.service", "root shell"},
                {"emergency.service", "ends all services"},
                {"emergency.target", "ends all services"},
                {"rescue.service", "ends all services"},
                {"rescue.target", "ends all services"},
                {"initrd-switch-root.service", "ends all services"},
                {"systemd-reboot.service", "restart_pi"},
                {"systemd-poweroff.service", "restart_pi"},
                {"systemd-suspend-then-hibernate.service", "restart_pi"},
                {"poweroff.target", "restart_pi"},
                {"runlevel0.target", "restart_pi"},
                {"runlevel6.target", "restart_pi"},
                {"ctrl-alt-del.target", "restart_pi"},
                {"system-update.target", "restart_pi"},
                {"system-update-cleanup.service", "restart_pi"},
                {"packagekit-offline-update.service", "restart_pi"},
                {"fwupd-offline-update.service", "restart_pi"},
                {"pifleet-agent.service", "the agent itself"},
                {"pifleet-spawner.socket", "the agent itself"},
                {"pifleet-spawner@3.service", "the agent itself"},
                {"dbus.service", "the agent itself"},
                {"dbus.socket", "the agent itself"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const char *reason = unit_protected_reason(cases[i].name);

                if (!reason || !strstr(reason, cases[i].word))
                        FAIL("%s: %s", cases[i].name, reason ? reason : "not protected");
        }
}

TEST(other_units_are_not_protected_and_neither_are_names_that_are_like_those)
{
        static const char *const names[] = {
                "nginx.service",       "ssh.service",      "my-debug-shell.service",
                "pi-cam.service",      "pifleet.service",  "pifleet-camera.service",
                "getty@tty1.service",  "runlevel3.target", "reboot-led.service",
                "rescue-boat.service", "cron.service",     "emergency-stop.service",
        };

        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (unit_protected_reason(names[i]))
                        FAIL("%s is protected", names[i]);
}
