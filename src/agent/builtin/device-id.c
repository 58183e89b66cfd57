/* Where a machine's name comes from. */
#include "agent/builtin/device-id.h"

#include "agent/builtin/board.h"

#include <ctype.h>
#include <errno.h>
#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { SERIAL_MIN = 8, SERIAL_MAX = 32, HASH_BYTES = 8, PATH_SIZE = 128 };

static int id_from_serial(const struct roots *roots, char ret[DEVICE_ID_SIZE])
{
        char serial[SERIAL_MAX + 1];
        int r = board_serial(roots, serial, sizeof(serial));

        if (r < 0)
                return r;
        if (strlen(serial) < SERIAL_MIN)
                return -EBADMSG;
        for (char *at = serial; *at; at++)
                *at = (char)tolower((unsigned char)*at);
        snprintf(ret, DEVICE_ID_SIZE, "pi-%s", serial);
        return 0;
}

static int digit_value(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int device_id_mac_parse(const char *text, char ret[13])
{
        enum { GROUP = 1, LOCAL = 2 }; /* IEEE 802-2014, 8.2: bits of the first byte */
        uint8_t bytes[6];
        uint8_t any = 0;

        for (size_t i = 0; i < sizeof(bytes); i++, text += 3) {
                int high = digit_value(text[0]);
                int low = high < 0 ? -1 : digit_value(text[1]);

                if (low < 0 || text[2] != (i + 1 < sizeof(bytes) ? ':' : '\0'))
                        return -EBADMSG;
                bytes[i] = (uint8_t)(high << 4 | low);
                any |= bytes[i];
        }
        if (any == 0 || (bytes[0] & (GROUP | LOCAL)) != 0)
                return -EBADMSG;
        snprintf(ret, 13, "%02x%02x%02x%02x%02x%02x", bytes[0], bytes[1], bytes[2], bytes[3],
                 bytes[4], bytes[5]);
        return 0;
}

/* Interfaces that stand for hardware have a `device`; bridges, tunnels and the like have
 * none. An address that was set or drawn at random (addr_assign_type is not
 * NET_ADDR_PERM, linux/netdevice.h) is not the hardware's. */
static int id_from_mac(const struct roots *roots, char ret[DEVICE_ID_SIZE])
{
        struct roots_names interfaces;
        int r = roots_list(roots->sys, "class/net", &interfaces);

        if (r < 0)
                return r;
        for (size_t i = 0; i < interfaces.count; i++) {
                char path[PATH_SIZE], line[ROOTS_LINE_MAX], mac[13];
                int64_t assigned;

                snprintf(path, sizeof(path), "class/net/%s/device", interfaces.names[i]);
                if (!roots_exists(roots->sys, path))
                        continue;
                snprintf(path, sizeof(path), "class/net/%s/addr_assign_type", interfaces.names[i]);
                if (roots_read_integer(roots->sys, path, &assigned) == 0 && assigned != 0)
                        continue;
                snprintf(path, sizeof(path), "class/net/%s/address", interfaces.names[i]);
                if (roots_read_line(roots->sys, path, line, sizeof(line)) < 0 ||
                    device_id_mac_parse(line, mac) < 0)
                        continue;
                snprintf(ret, DEVICE_ID_SIZE, "mac-%s", mac);
                return 0;
        }
        return -ENODATA;
}

/* BLAKE2b, keyed with what it is for: machine-id(5) asks not to show the id to anybody,
 * and two programs that derive names from it must not arrive at the same one. */
static int id_from_hash(const char *prefix, const char *text, char ret[DEVICE_ID_SIZE])
{
        static const unsigned char purpose[] = "pifleet device id";
        unsigned char hash[crypto_generichash_BYTES_MIN];
        char hexadecimal[2 * HASH_BYTES + 1];

        if (sodium_init() < 0 || crypto_generichash(hash, sizeof(hash), (const unsigned char *)text,
                                                    strlen(text), purpose, sizeof(purpose) - 1) < 0)
                return -EIO;
        sodium_bin2hex(hexadecimal, sizeof(hexadecimal), hash, HASH_BYTES);
        snprintf(ret, DEVICE_ID_SIZE, "%s-%s", prefix, hexadecimal);
        return 0;
}

static int id_from_machine(const struct roots *roots, char ret[DEVICE_ID_SIZE])
{
        char line[ROOTS_LINE_MAX];
        int r = roots_read_line(roots->etc, "machine-id", line, sizeof(line));

        if (r < 0)
                return r;
        /* "uninitialized" on the first boot of an image */
        if (strlen(line) != 32 || line[strspn(line, "0123456789abcdef")] != '\0' ||
            line[strspn(line, "0")] == '\0')
                return -EBADMSG;
        return id_from_hash("machine", line, ret);
}

int device_id_read(const struct roots *roots, const char *hostname, char ret[DEVICE_ID_SIZE],
                   enum device_id_source *ret_source)
{
        enum device_id_source source = DEVICE_ID_SERIAL;
        char id[DEVICE_ID_SIZE];
        int r;

        r = id_from_serial(roots, id);
        if (r < 0) {
                source = DEVICE_ID_MAC;
                r = id_from_mac(roots, id);
        }
        if (r < 0) {
                source = DEVICE_ID_MACHINE;
                r = id_from_machine(roots, id);
        }
        if (r < 0) {
                source = DEVICE_ID_HOSTNAME;
                r = id_from_hash("host", hostname, id);
        }
        if (r < 0)
                return r;
        strcpy(ret, id);
        *ret_source = source;
        return 0;
}
