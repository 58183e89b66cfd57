/* mqtt/ledger.h - the bytes that clients make a broker hold one by one: messages, wills, names of
 * topic aliases and of users, answers that wait for the disk. Who holds some has a pointer to the
 * ledger, and says so when it begins and when it ends. Inside of mqtt/ only. */
#pragma once

#include <stddef.h>

struct mqtt_ledger {
        size_t bytes;
};

/* A ledger that is NULL counts nothing. */
static inline void mqtt_ledger_add(struct mqtt_ledger *ledger, size_t bytes)
{
        if (ledger)
                ledger->bytes += bytes;
}
static inline void mqtt_ledger_remove(struct mqtt_ledger *ledger, size_t bytes)
{
        if (ledger)
                ledger->bytes -= bytes;
}
