#include "agent/service/unit-protected.h"

#include "base/attributes.h"

#include <fnmatch.h>
#include <stddef.h>

#define IS_A_SHELL "it is a root shell on the console, without a password"
#define ENDS_ALL "it ends all services of the machine and waits for somebody at its console"
#define TAKES_DOWN "it takes the machine down; the command for that is restart_pi"
#define IS_THE_AGENT "it is the agent itself, or what it lives on"

/* Of systemd 252 to 257: systemd.special(7), systemd-debug-generator(8),
 * systemd-halt.service(8), systemd-suspend.service(8), systemd-soft-reboot.service(8),
 * systemd.offline-updates(7). */
static const struct {
        const char *pattern; /* of fnmatch(3) */
        const char *reason;
} protected_units[] = {
        {"debug-shell.service", IS_A_SHELL},
        {"breakpoint-*.service", IS_A_SHELL},

        {"emergency.*", ENDS_ALL},
        {"rescue.*", ENDS_ALL},
        {"initrd-*", ENDS_ALL},

        {"halt.target", TAKES_DOWN},
        {"poweroff.target", TAKES_DOWN},
        {"reboot.target", TAKES_DOWN},
        {"kexec.target", TAKES_DOWN},
        {"soft-reboot.target", TAKES_DOWN},
        {"shutdown.target", TAKES_DOWN},
        {"final.target", TAKES_DOWN},
        {"umount.target", TAKES_DOWN},
        {"exit.target", TAKES_DOWN},
        {"ctrl-alt-del.target", TAKES_DOWN},
        {"runlevel[016].target", TAKES_DOWN},
        {"sleep.target", TAKES_DOWN},
        {"suspend*.target", TAKES_DOWN},
        {"hibernate.target", TAKES_DOWN},
        {"hybrid-sleep.target", TAKES_DOWN},
        {"systemd-halt.service", TAKES_DOWN},
        {"systemd-poweroff.service", TAKES_DOWN},
        {"systemd-reboot.service", TAKES_DOWN},
        {"systemd-kexec.service", TAKES_DOWN},
        {"systemd-soft-reboot.service", TAKES_DOWN},
        {"systemd-exit.service", TAKES_DOWN},
        {"systemd-suspend*.service", TAKES_DOWN},
        {"systemd-hibernate.service", TAKES_DOWN},
        {"systemd-hybrid-sleep.service", TAKES_DOWN},
        /* They restart the machine when they end, or when there is nothing to update. */
        {"system-update*", TAKES_DOWN},
        {"*-offline-update.service", TAKES_DOWN},

        {"pifleet-agent.*", IS_THE_AGENT},
        {"pifleet-spawner*", IS_THE_AGENT},
        {"dbus.s*", IS_THE_AGENT},
        {"dbus-broker.service", IS_THE_AGENT},
};

const char *unit_protected_reason(const char *name)
{
        for (size_t i = 0; i < ARRAY_SIZE(protected_units); i++)
                if (fnmatch(protected_units[i].pattern, name, FNM_NOESCAPE) == 0)
                        return protected_units[i].reason;
        return NULL;
}
