/* base/notify.h - words to the service manager (sd_notify(3)), without its
 * library: one datagram to the socket named in $NOTIFY_SOCKET.
 *
 * For programs that have no other use for that library. Never waits, never fails: nobody may be
 * there. One thread, which does not change the environment. */
#pragma once

#include "base/attributes.h"

#include <stdint.h>

void notify_send(const char *format, ...) PRINTF_LIKE(1, 2);
/* How often the manager's watchdog is to be fed, at half of what it asked for; 0:
 * it asked for nothing. */
uint64_t notify_watchdog_ms(void);
