#include "proto/http/refusal.h"

#include "base/attributes.h"

#include <string.h>

/* Takes a line off the front, its end gone too. There is one. */
static struct http_text take_line(struct http_text *rest)
{
        const char *feed = memchr(rest->bytes, '\n', rest->length);
        size_t length = (size_t)(feed - rest->bytes);
        struct http_text line = {rest->bytes, length - 1};

        rest->bytes += length + 1;
        rest->length -= length + 1;
        return line;
}

/* What stands before the next space, which is taken too; false: there is none. */
static bool take_word(struct http_text *line, struct http_text *ret)
{
        const char *space = memchr(line->bytes, ' ', line->length);

        if (!space)
                return false;
        *ret = (struct http_text){line->bytes, (size_t)(space - line->bytes)};
        line->bytes += ret->length + 1;
        line->length -= ret->length + 1;
        return true;
}

static int read_method(struct http_text name, struct http_request *request,
                       struct http_refusal *refusal)
{
        static const struct {
                struct http_text name;
                enum http_method method;
        } methods[] = {
                {{"GET", 3}, HTTP_GET},         {{"HEAD", 4}, HTTP_HEAD},
                {{"POST", 4}, HTTP_POST},       {{"PUT", 3}, HTTP_PUT},
                {{"PATCH", 5}, HTTP_PATCH},     {{"DELETE", 6}, HTTP_DELETE},
                {{"OPTIONS", 7}, HTTP_OPTIONS},
        };

        for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
                if (http_text_equals(name, methods[i].name)) {
                        request->method = methods[i].method;
                        return 0;
                }
        }
        if (!http_is_token(name))
                return http_refuse(refusal, 400, "the method is no token");
        return http_refuse(refusal, 501, "the method is not known");
}

/* RFC 9112, 2.3. */
static int read_version(struct http_text text, struct http_request *request,
                        struct http_refusal *refusal)
{
        if (text.length != 8 || memcmp(text.bytes, "HTTP/", 5) != 0 || text.bytes[5] < '0' ||
            text.bytes[5] > '9' || text.bytes[6] != '.' || text.bytes[7] < '0' ||
            text.bytes[7] > '9')
                return http_refuse(refusal, 400, "the request line does not end in HTTP/1.1");
        if (text.bytes[5] != '1')
                return http_refuse(refusal, 505, "only HTTP/1.1 is spoken here");
        request->minor = text.bytes[7] > '0';
        return 0;
}

/* RFC 3986, and what browsers leave as it is in a query. Percent signs are looked at by
 * whoever decodes. */
static bool is_target_byte(unsigned char byte)
{
        return byte > 0x20 && byte < 0x7f && byte != '"' && byte != '#' && byte != '<' &&
               byte != '>';
}

/* RFC 9110, 7.2: a name or an address, an IPv6 one in brackets, and a port perhaps. Without
 * user names, which are for phishing. */
static bool is_host(struct http_text text)
{
        size_t i = 0;

        if (text.length > 0 && text.bytes[0] == '[') {
                for (i = 1; i < text.length && text.bytes[i] != ']'; i++)
                        if (http_hex_value((unsigned char)text.bytes[i]) < 0 &&
                            text.bytes[i] != ':' && text.bytes[i] != '.')
                                return false;
                if (i < 2 || i == text.length)
                        return false;
                i++;
        } else {
                while (i < text.length && text.bytes[i] != ':' && text.bytes[i] != '`' &&
                       text.bytes[i] != '^' && text.bytes[i] != '|' && text.bytes[i] != '#' &&
                       http_is_token_byte((unsigned char)text.bytes[i]))
                        i++;
        }
        if (i < text.length && text.bytes[i] != ':')
                return false;
        for (i++; i < text.length; i++)
                if (text.bytes[i] < '0' || text.bytes[i] > '9')
                        return false;
        return true;
}

static void split_query(struct http_text text, struct http_request *request)
{
        const char *mark = memchr(text.bytes, '?', text.length);

        request->path = text;
        if (!mark)
                return;
        request->path.length = (size_t)(mark - text.bytes);
        request->query = (struct http_text){mark + 1, text.length - request->path.length - 1};
}

/* "http://host/path", 3.2.2: its host counts, not the field's. */
static int read_absolute(struct http_text text, struct http_request *request,
                         struct http_refusal *refusal)
{
        const char *const end = text.bytes + text.length;
        size_t scheme = text.bytes[4] == ':' ? 7 : 8;
        const char *slash = text.bytes + scheme;

        while (slash < end && *slash != '/' && *slash != '?')
                slash++;
        request->host =
                (struct http_text){text.bytes + scheme, (size_t)(slash - text.bytes) - scheme};
        if (request->host.length == 0 || !is_host(request->host))
                return http_refuse(refusal, 400, "the target's host is none");
        split_query((struct http_text){slash, (size_t)(end - slash)}, request);
        if (request->path.length == 0)
                request->path = HTTP_TEXT("/");
        return 0;
}

static bool begins_with(struct http_text text, struct http_text start)
{
        return text.length >= start.length &&
               http_text_equals_ignoring_case((struct http_text){text.bytes, start.length}, start);
}

static int read_target(struct http_text text, struct http_request *request,
                       struct http_refusal *refusal)
{
        for (size_t i = 0; i < text.length; i++)
                if (!is_target_byte((unsigned char)text.bytes[i]))
                        return http_refuse(refusal, 400, "the target holds a byte that no URL has");
        request->target = text;
        if (text.length > 0 && text.bytes[0] == '/') {
                split_query(text, request);
                return 0;
        }
        if (http_text_equals(text, HTTP_TEXT("*")) && request->method == HTTP_OPTIONS) {
                request->path = text;
                return 0;
        }
        if (begins_with(text, HTTP_TEXT("http://")) || begins_with(text, HTTP_TEXT("https://")))
                return read_absolute(text, request, refusal);
        return http_refuse(refusal, 400, "the target does not begin with a slash");
}

/* Method, target and version with one space between them, 3. */
static int read_request_line(struct http_text line, struct http_request *request,
                             struct http_refusal *refusal)
{
        struct http_text method, target;
        int r;

        if (!take_word(&line, &method) || !take_word(&line, &target))
                return http_refuse(refusal, 400, "the request line has less than three words");
        r = read_version(line, request, refusal);
        if (r == 0)
                r = read_method(method, request, refusal);
        return r < 0 ? r : read_target(target, request, refusal);
}

/* 5: no space around the name, 5.1; no folded lines, 5.2. */
static int read_field(struct http_text line, struct http_request *request,
                      struct http_refusal *refusal)
{
        const char *colon = memchr(line.bytes, ':', line.length);
        struct http_field field;
        size_t length;

        if (line.bytes[0] == ' ' || line.bytes[0] == '\t')
                return http_refuse(refusal, 400, "a field goes on in a second line");
        if (!colon)
                return http_refuse(refusal, 400, "a field has no colon");
        length = (size_t)(colon - line.bytes);
        field.name = (struct http_text){line.bytes, length};
        field.value = http_text_trim((struct http_text){colon + 1, line.length - length - 1});
        if (!http_is_token(field.name))
                return http_refuse(refusal, 400, "a field's name is no token");
        if (!http_is_value(field.value))
                return http_refuse(refusal, 400, "a field's value has a control character");
        if (request->fields_count == HTTP_FIELDS_MAX)
                return http_refuse(refusal, 431, "there are more than 64 fields");
        request->fields[request->fields_count++] = field;
        return 0;
}

static size_t count_fields(const struct http_request *request, struct http_text name)
{
        size_t count = 0;

        for (size_t i = 0; i < request->fields_count; i++)
                count += http_text_equals_ignoring_case(request->fields[i].name, name);
        return count;
}

/* 3.2: one, in 1.1, and a sound one. */
static int check_host(struct http_request *request, struct http_refusal *refusal)
{
        const struct http_text *host = http_request_field(request, HTTP_TEXT("Host"));
        bool absolute = request->host.bytes != NULL;

        if (!host && request->minor > 0)
                return http_refuse(refusal, 400, "there is no Host");
        if (!host)
                return 0;
        if (count_fields(request, HTTP_TEXT("Host")) > 1)
                return http_refuse(refusal, 400, "there is more than one Host");
        if (!is_host(*host))
                return http_refuse(refusal, 400, "Host is neither a name nor an address");
        if (!absolute)
                request->host = *host;
        return 0;
}

static int read_length(struct http_text text, uint64_t *ret)
{
        uint64_t length = 0;

        /* More digits than 2^63 has are nobody's body. */
        if (text.length == 0 || text.length > 18)
                return -EPROTO;
        for (size_t i = 0; i < text.length; i++) {
                if (text.bytes[i] < '0' || text.bytes[i] > '9')
                        return -EPROTO;
                length = length * 10 + (uint64_t)(text.bytes[i] - '0');
        }
        *ret = length;
        return 0;
}

/* RFC 9112, 6.1 and 6.3, with every doubt refused. */
static int read_framing(struct http_request *request, struct http_refusal *refusal)
{
        const struct http_text *length = http_request_field(request, HTTP_TEXT("Content-Length"));
        const struct http_text *coding =
                http_request_field(request, HTTP_TEXT("Transfer-Encoding"));

        if (length && coding)
                return http_refuse(refusal, 400,
                                   "Content-Length and Transfer-Encoding exclude one another");
        if (coding) {
                if (request->minor == 0)
                        return http_refuse(refusal, 400, "HTTP/1.0 has no Transfer-Encoding");
                if (count_fields(request, HTTP_TEXT("Transfer-Encoding")) > 1)
                        return http_refuse(refusal, 400, "Transfer-Encoding is there twice");
                if (!http_text_equals_ignoring_case(*coding, HTTP_TEXT("chunked")))
                        return http_refuse(refusal, 501, "no transfer coding but chunked is known");
                request->framing = HTTP_FRAMING_CHUNKED;
                return 0;
        }
        if (!length)
                return 0;
        if (count_fields(request, HTTP_TEXT("Content-Length")) > 1)
                return http_refuse(refusal, 400, "Content-Length is there twice");
        if (read_length(*length, &request->content_length) < 0)
                return http_refuse(refusal, 400, "Content-Length is no number of bytes");
        if (request->content_length > 0)
                request->framing = HTTP_FRAMING_LENGTH;
        return 0;
}

/* 9.3, RFC 9110, 7.6.1. */
static void read_connection(struct http_request *request)
{
        const struct http_text name = HTTP_TEXT("Connection");

        request->persistent =
                request->minor > 0 || http_request_lists(request, name, HTTP_TEXT("keep-alive"));
        if (http_request_lists(request, name, HTTP_TEXT("close")))
                request->persistent = false;
        request->wants_upgrade =
                request->minor > 0 && http_request_lists(request, name, HTTP_TEXT("upgrade"));
}

static int read_expectation(struct http_request *request, struct http_refusal *refusal)
{
        const struct http_text *expect = http_request_field(request, HTTP_TEXT("Expect"));

        /* A client of 1.0 does not know what it says. */
        if (!expect || request->minor == 0)
                return 0;
        if (!http_text_equals_ignoring_case(*expect, HTTP_TEXT("100-continue")))
                return http_refuse(refusal, 417, "only 100-continue can be expected");
        request->expects_continue = request->framing != HTTP_FRAMING_NONE;
        return 0;
}

int http_head_parse(const char *bytes, size_t length, struct http_request *ret,
                    struct http_refusal *refusal)
{
        struct http_text head = {bytes, length - 2}; /* without the empty line */
        int r;

        *ret = (struct http_request){.fields_count = 0};
        r = read_request_line(take_line(&head), ret, refusal);
        while (r == 0 && head.length > 0)
                r = read_field(take_line(&head), ret, refusal);
        if (r == 0)
                r = check_host(ret, refusal);
        if (r == 0)
                r = read_framing(ret, refusal);
        if (r < 0)
                return r;
        read_connection(ret);
        return read_expectation(ret, refusal);
}
