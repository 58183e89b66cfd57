/* Fuzzes requests of HTTP/1.1: heads, bodies, paths and queries. Bytes that come in pieces
 * are the same requests as the whole, and what is accepted has one meaning only.
 *
 * The input's first byte says how the rest is cut. */
#include "fuzz/fuzz.h"
#include "proto/http/body.h"
#include "proto/http/negotiate.h"
#include "proto/http/target.h"
#include "proto/http/websocket.h"

#include <string.h>

enum { INPUT_MAX = 16 << 10, HEAD_MAX = 2048, BODY_MAX = 4096 };

/* What came of a stream of requests: a hash of all that was said, so that two ways to
 * present it can be compared. */
struct reading {
        uint64_t hash;
        size_t used;
        bool refused;
};

static void add(struct reading *reading, const void *bytes, size_t count)
{
        for (size_t i = 0; i < count; i++)
                reading->hash =
                        (reading->hash ^ ((const unsigned char *)bytes)[i]) * 1099511628211U;
}

static void add_text(struct reading *reading, struct http_text text)
{
        uint64_t length = text.length;

        add(reading, &length, sizeof(length));
        add(reading, text.bytes, text.length);
}

static bool lies_in(struct http_text text, const char *bytes, size_t count)
{
        return text.length == 0 ||
               (text.bytes >= bytes && text.bytes + text.length <= bytes + count);
}

static void check_path(struct http_text path)
{
        char segment[64];

        while (http_path_next(&path, segment, sizeof(segment)) == 1) {
                MUST(strlen(segment) > 0 && !strpbrk(segment, "/\\\r\n"));
                MUST(strcmp(segment, ".") != 0 && strcmp(segment, "..") != 0);
        }
}

static void check_query(struct http_text query)
{
        struct http_parameter parameter;
        char decoded[64];

        while (http_query_next(&query, decoded, sizeof(decoded), &parameter) == 1) {
                MUST(parameter.name.length + parameter.value.length + 2 <= sizeof(decoded));
                MUST(strlen(parameter.name.bytes) == parameter.name.length);
                MUST(strlen(parameter.value.bytes) == parameter.value.length);
        }
}

static void check_request(const struct http_request *request, const char *bytes, size_t count)
{
        struct http_refusal refusal;
        struct http_text key;
        size_t lengths = 0, codings = 0, hosts = 0;

        MUST(request->fields_count <= HTTP_FIELDS_MAX);
        for (size_t i = 0; i < request->fields_count; i++) {
                const struct http_field *field = &request->fields[i];

                MUST(lies_in(field->name, bytes, count) && lies_in(field->value, bytes, count));
                MUST(http_is_token(field->name) && http_is_value(field->value));
                lengths += http_text_equals_ignoring_case(field->name, HTTP_TEXT("Content-Length"));
                codings +=
                        http_text_equals_ignoring_case(field->name, HTTP_TEXT("Transfer-Encoding"));
                hosts += http_text_equals_ignoring_case(field->name, HTTP_TEXT("Host"));
        }
        MUST(lengths + codings <= 1);
        MUST(hosts == 1 || (hosts == 0 && request->minor == 0));
        MUST((request->framing == HTTP_FRAMING_CHUNKED) == (codings == 1));
        MUST(lies_in(request->target, bytes, count) && lies_in(request->query, bytes, count));
        MUST(request->path.length > 0);
        check_path(request->path);
        check_query(request->query);
        (void)http_has_already(request, HTTP_TEXT("\"a\""));
        MUST(http_encoding_weight(request, HTTP_TEXT("gzip")) <= 1000);
        if (http_websocket_wanted(request, &key, &refusal) == HTTP_WEBSOCKET_ASKED)
                MUST(key.length == 24);
}

/* A stream of requests, as a connection would read it: what is shown lies in memory of
 * exactly its size. */
struct reader {
        struct http_head_scanner scanner;
        struct http_body body;
        bool in_body;
};

/* One step; false: more is needed, or it is over. */
static bool step(struct reader *reader, struct reading *reading, const char *bytes, size_t count)
{
        struct http_refusal refusal;
        struct http_request request;
        struct http_text data;
        size_t consumed = 0, skip, length;
        int r;

        if (reader->in_body) {
                r = http_body_next(&reader->body, bytes, count, &data, &consumed);
                MUST(r < 0 || consumed <= count);
                if (r == HTTP_BODY_DATA) {
                        MUST(data.length > 0 && lies_in(data, bytes, count));
                        add(reading, data.bytes, data.length);
                }
                reader->in_body = r == HTTP_BODY_NEED_MORE || r == HTTP_BODY_DATA;
        } else {
                r = http_head_find(&reader->scanner, bytes, count, HEAD_MAX, &skip, &length,
                                   &refusal);
                if (r == HTTP_HEAD_FOUND &&
                    http_head_parse(bytes + skip, length, &request, &refusal) < 0)
                        r = -1;
                MUST(r >= 0 || (refusal.status >= 400 && refusal.why));
                if (r == HTTP_HEAD_FOUND) {
                        consumed = skip + length;
                        MUST(length > 0 && consumed <= count);
                        check_request(&request, bytes, consumed);
                        add_text(reading, request.target);
                        add_text(reading, request.host);
                        if (http_body_begin(&reader->body, &request, BODY_MAX) < 0)
                                r = -1;
                        reader->in_body = true;
                }
        }
        reading->refused = r < 0;
        reading->used += r < 0 ? 0 : consumed;
        return r > 0;
}

static struct reading read_stream(const char *bytes, size_t count, size_t piece)
{
        struct reading reading = {.hash = 14695981039346656037U};
        struct reader reader = {.in_body = false};
        size_t shown = 0;

        do {
                bool more;

                shown = count - shown > piece ? shown + piece : count;
                do {
                        size_t left = shown - reading.used;
                        char *copy = malloc(left > 0 ? left : 1);

                        MUST(copy != NULL);
                        memcpy(copy, bytes + reading.used, left);
                        more = step(&reader, &reading, copy, left);
                        free(copy);
                } while (more);
        } while (!reading.refused && shown < count);
        return reading;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t count)
{
        struct reading whole, pieces;

        if (count < 1 || count > INPUT_MAX)
                return 0;
        whole = read_stream((const char *)input + 1, count - 1, INPUT_MAX);
        pieces = read_stream((const char *)input + 1, count - 1, input[0] % 32 + 1);
        /* Each sees what is wrong as soon as it can, so only who got to the end is compared. */
        MUST(whole.refused == pieces.refused);
        if (!whole.refused)
                MUST(whole.hash == pieces.hash && whole.used == pieces.used);
        return 0;
}
