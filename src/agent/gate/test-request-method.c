/* Requests with a `method`, answered in an envelope. */
#include "agent/gate/request-fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Asks, and looks for words in the reply. */
static void check_method(struct fixture *f, const char *payload, const char *words)
{
        char script[1024];

        snprintf(script, sizeof(script),
                 "a~\n"
                 "a> 30{[pi/rpc/request] (08[pi/rpc/response/a]) '%s'}\n",
                 payload);
        f->talk.name = payload;
        conversation_run(&f->talk, script);
        if (!heard(f, 'a', words))
                FAIL("%s: no %s", payload, words);
}

TEST(a_method_without_a_device_is_the_command_of_that_name)
{
        struct fixture f;

        begin(&f);
        check_method(&f,
                     "{\"v\":1,\"id\":\"c-1\",\"method\":\"ping\",\"params\":{},\"token\":\"t\"}",
                     "{\"v\":1,\"id\":\"c-1\",\"ok\":true,"
                     "\"result\":{\"type\":\"pong\",\"timestamp\":");
        CHECK_EQ(f.pings, 1);
        CHECK_TEXT(f.lease_token, "t");
        CHECK_TEXT(f.token, "");
        check_method(&f, "{\"method\":\"ping\"}", "{\"v\":1,\"ok\":true,\"result\":{");
        check_method(&f, "{\"method\":\"ping\",\"params\":null,\"id\":7}",
                     "{\"v\":1,\"id\":7,\"ok\":true");
        check_method(&f, "{\"method\":\"echo\",\"params\":{\"reply\":true,\"method\":[1]}}",
                     "\"result\":{\"type\":\"echo\",\"timestamp\":1,"
                     "\"said\":{\"reply\":true,\"method\":[1]}}}");
        CHECK_EQ(f.gate->counts.errors, 0);
        fixture_close(&f);
}

TEST(a_method_is_answered_after_its_execution)
{
        struct fixture f;

        begin(&f);
        conversation_run(&f.talk, "a> 32{[pi/rpc/request] 0001 (08[pi/rpc/response/a]) "
                                  "'{\"method\":\"hold\",\"id\":\"x\"}'}\n"
                                  "a< 40{0001}\n"
                                  "a<\n");
        release_held(&f, 0);
        CHECK(heard(&f, 'a', "{\"v\":1,\"id\":\"x\",\"ok\":true,\"result\":{\"type\":\"hold\","));
        /* 3.1.1's way to ask for a reply is the same. */
        conversation_run(&f.talk, "a~\n"
                                  "a> 30{[pi/rpc/request] () "
                                  "'{\"method\":\"ping\",\"reply\":true}'}\n");
        CHECK(heard(&f, 'a', "\"ok\":true"));
        fixture_close(&f);
}

#define NO "\"ok\":false,\"error\":{\"code\":"

TEST(a_method_that_cannot_be_carried_out_is_told_in_its_envelope)
{
        static const struct {
                const char *payload, *words;
        } cases[] = {
                {"{\"v\":1,\"id\":\"c-1\",\"device\":\"led1\",\"method\":\"on\"}",
                 "{\"v\":1,\"id\":\"c-1\"," NO "\"NO_DEVICE\","
                 "\"number\":4040,\"type\":\"GPIOZeroError\",\"message\":\""},
                {"{\"method\":\"pong\"}", "{\"v\":1," NO "\"NO_METHOD\",\"number\":4041,"},
                {"{\"method\":7}", NO "\"BAD_REQUEST\",\"number\":4001,\"type\":\"ValueError\""},
                {"{\"method\":\"ping\",\"method\":\"ping\"}", NO "\"BAD_REQUEST\""},
                {"{\"method\":\"ping\",\"params\":{},\"params\":{}}", NO "\"BAD_REQUEST\""},
                {"{\"method\":\"ping\",\"v\":2}", NO "\"BAD_REQUEST\""},
                {"{\"method\":\"ping\",\"v\":\"1\"}", NO "\"BAD_REQUEST\""},
                /* What is not understood is not left out either: */
                {"{\"method\":\"ping\",\"dry_run\":true}", "`dry_run`"},
                {"{\"method\":\"ping\",\"pin\":17}", "`pin`"},
                {"{\"method\":\"ping\",\"params\":[]}", NO "\"BAD_PARAMS\",\"number\":4002"},
                {"{\"method\":\"ping\",\"params\":{\"more\":1}}", NO "\"BAD_PARAMS\""},
                /* The wire's members have no second place. */
                {"{\"method\":\"ping\",\"params\":{\"token\":\"admin\"}}", NO "\"BAD_PARAMS\""},
                {"{\"method\":\"ping\",\"params\":{\"lease_token\":\"x\"}}", NO "\"BAD_PARAMS\""},
                {"{\"method\":\"ping\",\"params\":{\"command\":\"change\"}}", NO "\"BAD_PARAMS\""},
                {"{\"method\":\"ping\",\"params\":{\"id\":1}}", NO "\"BAD_PARAMS\""},
                {"{\"method\":\"ping\",\"token\":\"a\",\"token\":\"b\"}", NO "\"BAD_REQUEST\""},
                {"{\"method\":\"ping\",\"id\":[1]}", "{\"v\":1," NO "\"BAD_REQUEST\""},
                {"{\"method\":\"ping\",\"id\":1,\"id\":2}", NO "\"BAD_REQUEST\""},
        };
        struct fixture f;

        begin(&f);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                check_method(&f, cases[i].payload, cases[i].words);
        CHECK_EQ(f.pings, 0);
        CHECK_EQ(f.changes, 0);
        CHECK_TEXT(f.token, "");
        CHECK_EQ(f.gate->counts.errors, ARRAY_SIZE(cases));
        conversation_run(&f.talk, "a~\n"
                                  "a> 30{[pi/rpc/request] (02 00000000 08[pi/rpc/response/a]) "
                                  "'{\"device\":\"led1\",\"method\":\"on\"}'}\n");
        CHECK(heard(&f, 'a', "\"code\":\"EXPIRED\",\"number\":4080,\"type\":\"TimeoutError\""));
        fixture_close(&f);
}

TEST(the_id_of_a_method_is_bounded_like_that_of_a_command)
{
        enum { LONG = 70000 };
        char *script = malloc(LONG + 200);
        struct fixture f;

        begin(&f);
        f.gate->options.request_bytes = 1 << 20;
        snprintf(script, LONG + 200,
                 "a> 30{[pi/rpc/request] (08[pi/rpc/response/a]) "
                 "'{\"method\":\"ping\",\"id\":\"%0*d\"}'}\n",
                 LONG, 0);
        conversation_run(&f.talk, script);
        CHECK(heard(&f, 'a', "{\"v\":1," NO "\"BAD_REQUEST\""));
        conversation_run(&f.talk, "a~\n"
                                  "a> C000\n"
                                  "a< D000\n");
        free(script);
        fixture_close(&f);
}
