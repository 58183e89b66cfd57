#include "access/certificate-identity.h"

#include "base/utf8.h"

#include <errno.h>
#include <string.h>

int certificate_identity_name(enum certificate_identity identity,
                              const struct certificate_facts *facts, struct mqtt_text *ret)
{
        const char *name = identity == CERTIFICATE_IDENTITY_COMMON_NAME ? facts->common_name
                           : identity == CERTIFICATE_IDENTITY_SUBJECT   ? facts->subject
                           : identity == CERTIFICATE_IDENTITY_URI       ? facts->uri
                                                                        : NULL;
        size_t length = name ? strlen(name) : 0;

        if (length == 0 || length > MQTT_TEXT_MAX || utf8_valid_prefix(name, length) < length)
                return -ENOENT;
        *ret = (struct mqtt_text){name, (uint16_t)length};
        return 0;
}
