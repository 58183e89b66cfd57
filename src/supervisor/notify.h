/* supervisor/notify.h - words to the service manager (sd_notify(3)), without its
 * library: one datagram to the socket named in $NOTIFY_SOCKET.
 *
 * The agent says itself that it is ready and alive; we say what it cannot. Never
 * waits, never fails: nobody may be there. */
#pragma once

#include "base/attributes.h"

#include <stdint.h>

void notify_send(const char *format, ...) PRINTF_LIKE(1, 2);
/* How often the manager's watchdog is to be fed, at half of what it asked for; 0:
 * it asked for nothing. */
uint64_t notify_watchdog_ms(void);
