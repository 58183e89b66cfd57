#include "client/address.h"

#include "base/attributes.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

int client_address_resolve(const char *host, struct client_address ret[CLIENT_ADDRESSES_MAX],
                           struct error *error)
{
        static const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
        struct addrinfo *list = NULL;
        int count = 0, r;

        r = getaddrinfo(host, NULL, &hints, &list);
        if (r != 0)
                return error_set(error, r == EAI_SYSTEM ? -errno : -ENOENT,
                                 "the host %.250s cannot be found: %s", host,
                                 r == EAI_SYSTEM ? strerror(errno) : gai_strerror(r));
        for (const struct addrinfo *item = list; item && count < CLIENT_ADDRESSES_MAX;
             item = item->ai_next)
                if (getnameinfo(item->ai_addr, item->ai_addrlen, ret[count].text,
                                sizeof(ret[count].text), NULL, 0, NI_NUMERICHOST) == 0)
                        count++;
        freeaddrinfo(list);
        if (count == 0)
                return error_set(error, -ENOENT, "the host %.250s has no address", host);
        return count;
}
