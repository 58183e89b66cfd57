#include "proto/http/origin.h"

#include <string.h>

/* What stands behind "http://" or "https://"; false: it is no such origin ("null"). */
static bool authority_of(struct http_text origin, struct http_text *ret)
{
        static const struct http_text schemes[] = {{"http://", 7}, {"https://", 8}};

        for (size_t i = 0; i < 2; i++) {
                struct http_text start = {origin.bytes, schemes[i].length};

                if (origin.length <= start.length || !http_text_equals(start, schemes[i]))
                        continue;
                *ret = (struct http_text){origin.bytes + start.length,
                                          origin.length - start.length};
                return true;
        }
        return false;
}

bool http_origin_is_own(const struct http_request *request)
{
        for (size_t i = 0; i < request->fields_count; i++) {
                const struct http_field *field = &request->fields[i];
                struct http_text authority;

                if (http_text_equals_ignoring_case(field->name, HTTP_TEXT("Origin")) &&
                    !(authority_of(field->value, &authority) &&
                      http_text_equals_ignoring_case(authority, request->host)))
                        return false;
        }
        return true;
}

struct http_text http_host_name(const struct http_request *request)
{
        struct http_text host = request->host;
        const char *colon;

        if (host.length > 0 && host.bytes[0] == '[')
                return host;
        colon = host.length > 0 ? memchr(host.bytes, ':', host.length) : NULL;
        if (colon)
                host.length = (size_t)(colon - host.bytes);
        return host;
}

bool http_host_is_address(const struct http_request *request)
{
        struct http_text name = http_host_name(request);

        if (http_text_equals_ignoring_case(name, HTTP_TEXT("localhost")))
                return true;
        if (name.length > 0 && name.bytes[0] == '[')
                return true;
        /* No name ends in a digit, and no address in anything else (RFC 3696, 2). */
        for (size_t i = 0; i < name.length; i++)
                if ((name.bytes[i] < '0' || name.bytes[i] > '9') && name.bytes[i] != '.')
                        return false;
        return name.length > 0;
}
