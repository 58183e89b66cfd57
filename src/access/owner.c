#include "access/owner.h"

#include "base/siphash.h"

uint32_t access_owner(struct mqtt_text user)
{
        static const struct siphash_key key = {{0}};
        uint32_t owner;

        if (user.length == 0)
                return 0;
        owner = (uint32_t)siphash(&key, user.bytes, user.length);
        return owner > 0 ? owner : 1;
}
