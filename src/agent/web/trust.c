#include "agent/web/trust.h"

#include "agent/web/web-internal.h"
#include "proto/http/origin.h"

#include <string.h>

/* "pi-17", with ".local" behind it or not: nobody but who rules this network gives those to
 * another machine. */
static bool is_host_name(struct http_text name, const char *host_name)
{
        size_t length = strlen(host_name);

        if (length == 0 || name.length < length ||
            !http_text_equals_ignoring_case((struct http_text){name.bytes, length},
                                            (struct http_text){host_name, length}))
                return false;
        name.bytes += length;
        name.length -= length;
        return name.length == 0 || http_text_equals_ignoring_case(name, HTTP_TEXT(".local"));
}

bool web_is_named(void *owner, const struct http_request *request)
{
        const struct web *web = owner;
        const struct config_texts *names = &web->options.config->names;
        struct http_text name = http_host_name(request);

        for (size_t i = 0; i < names->count; i++)
                if (http_text_equals_ignoring_case(
                            name, (struct http_text){names->items[i], strlen(names->items[i])}))
                        return true;
        return is_host_name(name, web->host_name);
}

const char *web_distrust(const struct web *web, const struct http_request *request, bool with_token)
{
        if (!http_origin_is_own(request))
                return "this page is of another origin";
        /* Every browser names a host. */
        if (with_token || request->host.length == 0 || http_host_is_address(request) ||
            web_is_named((void *)web, request))
                return NULL;
        return "without a token, ask by this machine's address or name, or add the name to "
               "http.names";
}
