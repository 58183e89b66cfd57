#include "host/call.h"

#include "data/json.h"
#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <stdlib.h>

enum { OUTPUT_MAX = 4096 };

struct fixture {
        cJSON *request;
        struct buffer out;
        struct host_call call;
        struct host_outcome outcome;
};

static void run(struct fixture *f, pifleet_handler *handler, const char *request)
{
        struct json_writer writer;

        CHECK_EQ(json_parse(request, strlen(request), 32, &f->request, NULL), 0);
        buffer_init(&f->out, OUTPUT_MAX);
        json_writer_init(&writer, &f->out);
        json_write_object(&writer, NULL);
        json_write_object(&writer, "result");
        host_call_run(&f->call, handler, "command", f->request, &writer, &f->outcome);
        json_write_end(&writer);
        json_write_end(&writer);
        (void)buffer_append(&f->out, "", 1);
}

static void done(struct fixture *f)
{
        host_call_done(&f->call);
        buffer_done(&f->out);
        cJSON_Delete(f->request);
}

static int copy(struct pifleet_call *call)
{
        pifleet_put_text(call, "command", call->command);
        pifleet_put_json(call, "request", pifleet_request_text(call));
        pifleet_put_list(call, "list");
        pifleet_put_integer(call, NULL, pifleet_get_integer(call, "/n/1", 0));
        pifleet_put_end(call);
        return 0;
}

TEST(a_handler_reads_the_request_and_writes_the_result)
{
        struct fixture f;

        run(&f, copy, "{\"n\":[1,2]}");
        CHECK(f.outcome.ok);
        CHECK_TEXT(buffer_data(&f.out), "{\"result\":{\"command\":\"command\",\"request\":"
                                        "{\"n\":[1,2]},\"list\":[2]}}");
        done(&f);
}

static int need_pin(struct pifleet_call *call)
{
        int64_t pin;

        return pifleet_need_integer(call, "pin", &pin) ? 0 : PIFLEET_FAILED;
}

TEST(what_is_missing_is_told_with_the_line)
{
        struct fixture f;

        run(&f, need_pin, "{\"pin\":\"four\"}");
        CHECK(!f.outcome.ok);
        CHECK_TEXT(f.outcome.type, "Failed");
        CHECK_TEXT(f.outcome.message, "pin is missing, or no integer");
        CHECK(f.outcome.line > 0);
        done(&f);
}

static int fill(struct pifleet_call *call)
{
        for (int i = 0; i < OUTPUT_MAX; i++)
                pifleet_put_bool(call, "x", true);
        return 0;
}

TEST(a_result_that_does_not_fit_is_a_bad_reply)
{
        struct fixture f;

        run(&f, fill, "{}");
        CHECK(!f.outcome.ok);
        CHECK_TEXT(f.outcome.type, "BadReply");
        done(&f);
}

static int end_too_often(struct pifleet_call *call)
{
        pifleet_put_end(call);
        pifleet_put_end(call);
        return 0;
}

TEST(a_handler_cannot_end_what_is_not_its_own)
{
        struct fixture f;

        run(&f, end_too_often, "{}");
        CHECK_TEXT(f.outcome.type, "BadReply");
        CHECK_TEXT(buffer_data(&f.out), "{\"result\":{}}");
        done(&f);
}

static int deep(struct pifleet_call *call)
{
        int64_t levels = pifleet_get_integer(call, "levels", 0);

        for (int64_t i = 0; i < levels; i++)
                pifleet_put_object(call, "d");
        for (int64_t i = 0; i < levels; i++)
                pifleet_put_end(call);
        return 0;
}

TEST(a_result_nests_31_levels)
{
        struct fixture f;

        run(&f, deep, "{\"levels\":30}");
        CHECK(f.outcome.ok);
        done(&f);
        run(&f, deep, "{\"levels\":31}");
        CHECK(!f.outcome.ok);
        done(&f);
}

TEST(without_memory_a_call_is_a_bad_reply)
{
        bool failed;
        size_t n = 0;

        cJSON_InitHooks(&(cJSON_Hooks){malloc, free});
        do {
                cJSON *request = cJSON_Parse("{\"n\":[1,2]}");
                struct host_outcome outcome;
                struct json_writer writer;
                struct host_call call;
                struct buffer out;

                buffer_init(&out, OUTPUT_MAX);
                json_writer_init(&writer, &out);
                allocation_fail_at(++n);
                json_write_object(&writer, NULL);
                host_call_run(&call, copy, "command", request, &writer, &outcome);
                failed = allocation_end();
                CHECK_EQ(outcome.ok, !failed);
                if (failed)
                        CHECK_TEXT(outcome.type, "BadReply");
                host_call_done(&call);
                buffer_done(&out);
                cJSON_Delete(request);
        } while (failed);
        CHECK(n > 3);
        cJSON_InitHooks(NULL);
}
