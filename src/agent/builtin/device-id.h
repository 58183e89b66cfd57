/* agent/builtin/device-id.h - the name by which a fleet knows this machine.
 *
 * The first of these that the machine has:
 *
 *     pi-10000000a1b2c3d4        the board's serial number
 *     mac-dca632a1b2c3           a network interface's address: built-in by its look
 *     machine-0123456789abcdef   a hash of /etc/machine-id, which itself is a secret
 *     host-0123456789abcdef      a hash of the host's name
 *
 * It is never stored: a card that is copied into another board must not carry the first
 * one's name along, and one that is written anew must keep it. Only the last two change
 * with the installation. None is a secret, none proves anything. Letters, digits and '-'
 * only, at most 40 bytes: fit for topics, paths and URLs. */
#pragma once

#include "agent/builtin/roots.h"

enum { DEVICE_ID_SIZE = 48 };

enum device_id_source {
        DEVICE_ID_SERIAL,
        DEVICE_ID_MAC,
        DEVICE_ID_MACHINE,
        DEVICE_ID_HOSTNAME,
};

/* `hostname` stands at the end of the list and always yields an id. -EIO: libsodium
 * does not start. */
int device_id_read(const struct roots *roots, const char *hostname, char ret[DEVICE_ID_SIZE],
                   enum device_id_source *ret_source);

/* A hardware address (IEEE 802: neither a group's nor locally administered, not zero)
 * in "dc:a6:32:a1:b2:c3" to "dca632a1b2c3". -EBADMSG: none. */
int device_id_mac_parse(const char *text, char ret[13]);
