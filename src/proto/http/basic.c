#include "proto/http/basic.h"

#include "base/utf8.h"
#include "proto/http/text.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

static bool has_controls(struct http_text text)
{
        for (size_t i = 0; i < text.length; i++)
                if ((unsigned char)text.bytes[i] < ' ' || text.bytes[i] == 0x7f)
                        return true;
        return false;
}

static int decode(struct http_text credentials, struct http_basic *ret)
{
        const char *end, *colon;
        size_t length;

        if (sodium_base642bin((unsigned char *)ret->text, HTTP_BASIC_MAX, credentials.bytes,
                              credentials.length, NULL, &length, &end,
                              sodium_base64_VARIANT_ORIGINAL) != 0 ||
            end != credentials.bytes + credentials.length)
                return -EINVAL;
        if (utf8_valid_prefix(ret->text, length) != length)
                return -EINVAL;
        colon = memchr(ret->text, ':', length);
        if (!colon)
                return -EINVAL;
        ret->user = (struct http_text){ret->text, (size_t)(colon - ret->text)};
        ret->password = (struct http_text){colon + 1, length - ret->user.length - 1};
        return has_controls(ret->user) || has_controls(ret->password) ? -EINVAL : 0;
}

static const struct http_text *find(const struct http_request *request, int *ret_error)
{
        const struct http_text *found = NULL;

        *ret_error = -ENOENT;
        for (size_t i = 0; i < request->fields_count; i++) {
                if (!http_text_equals_ignoring_case(request->fields[i].name,
                                                    HTTP_TEXT("Authorization")))
                        continue;
                if (found) {
                        *ret_error = -EINVAL;
                        return NULL;
                }
                found = &request->fields[i].value;
        }
        return found;
}

int http_basic_read(const struct http_request *request, struct http_basic *ret)
{
        static const struct http_text scheme = {"Basic ", 6};
        struct http_text credentials;
        const struct http_text *value;
        int r;

        *ret = (struct http_basic){.user = {ret->text, 0}, .password = {ret->text, 0}};
        value = find(request, &r);
        if (!value)
                return r;
        if (value->length < scheme.length ||
            !http_text_equals_ignoring_case((struct http_text){value->bytes, scheme.length},
                                            scheme))
                return -ENOENT;
        credentials = http_text_trim(
                (struct http_text){value->bytes + scheme.length, value->length - scheme.length});
        return decode(credentials, ret);
}

void http_basic_done(struct http_basic *basic)
{
        sodium_memzero(basic, sizeof(*basic));
}
