#include "proto/http/negotiate.h"

#include <string.h>

static struct http_text opaque_of(struct http_text etag)
{
        if (etag.length >= 2 && etag.bytes[0] == 'W' && etag.bytes[1] == '/')
                return (struct http_text){etag.bytes + 2, etag.length - 2};
        return etag;
}

bool http_has_already(const struct http_request *request, struct http_text etag)
{
        struct http_text rest, member;

        for (size_t i = 0; i < request->fields_count; i++) {
                if (!http_text_equals_ignoring_case(request->fields[i].name,
                                                    HTTP_TEXT("If-None-Match")))
                        continue;
                rest = request->fields[i].value;
                if (http_text_equals(rest, HTTP_TEXT("*")))
                        return true;
                while (http_list_next(&rest, &member))
                        if (http_text_equals(opaque_of(member), opaque_of(etag)))
                                return true;
        }
        return false;
}

/* "0", "0.5", "1.000": thousandths. -1: none of those, 12.4.2. */
static int weight_of(struct http_text text)
{
        static const int places[] = {100, 10, 1};
        int weight;

        if (text.length == 0 || text.length > 5 || text.bytes[0] < '0' || text.bytes[0] > '1' ||
            (text.length > 1 && text.bytes[1] != '.'))
                return -1;
        weight = (text.bytes[0] - '0') * 1000;
        for (size_t i = 2; i < text.length; i++) {
                if (text.bytes[i] < '0' || text.bytes[i] > '9')
                        return -1;
                weight += (text.bytes[i] - '0') * places[i - 2];
        }
        return weight <= 1000 ? weight : -1;
}

/* Splits "gzip;q=0.5"; the weight is 1 when it has none, -1 when it is malformed. */
static int split_weight(struct http_text member, struct http_text *coding)
{
        const char *semicolon = memchr(member.bytes, ';', member.length);
        struct http_text parameter;

        *coding = member;
        if (!semicolon)
                return 1000;
        coding->length = (size_t)(semicolon - member.bytes);
        parameter = http_text_trim(
                (struct http_text){semicolon + 1, member.length - coding->length - 1});
        *coding = http_text_trim(*coding);
        if (parameter.length < 2 || (parameter.bytes[0] != 'q' && parameter.bytes[0] != 'Q') ||
            parameter.bytes[1] != '=')
                return -1;
        return weight_of((struct http_text){parameter.bytes + 2, parameter.length - 2});
}

unsigned http_encoding_weight(const struct http_request *request, struct http_text coding)
{
        const struct http_text *field = http_request_field(request, HTTP_TEXT("Accept-Encoding"));
        struct http_text rest, member, name;
        int any = 0;

        if (!field)
                return 0;
        rest = *field;
        while (http_list_next(&rest, &member)) {
                int weight = split_weight(member, &name);

                if (weight < 0)
                        return 0;
                if (http_text_equals_ignoring_case(name, coding))
                        return (unsigned)weight;
                if (http_text_equals(name, HTTP_TEXT("*")))
                        any = weight;
        }
        return (unsigned)any;
}
