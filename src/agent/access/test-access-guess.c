/* What wrong tokens cost whom, and tokens that take long to verify. */
#include "agent/access/access-fixture.h"

#include "access/verifier.h"

TEST(after_three_failures_an_origin_is_refused_at_once_and_told_when_to_come_again)
{
        struct fixture f;

        fixture_open_with_tokens(&f, ACCESS_MODE_TOKEN);
        for (int i = 0; i < 4; i++) {
                authenticate(&f, "the token of nobody");
                CHECK(replied(&f, "UNAUTHORIZED"));
        }
        CHECK_EQ(f.denied.retry_ms, 500);
        /* Not even looked at, right or wrong, and not counted. */
        for (int i = 0; i < 100; i++) {
                CHECK_NULL(send_token(&f, "auth", i % 2 ? ANN_SECRET : "the token of nobody"));
                CHECK(replied(&f, "BUSY"));
                CHECK(replied(&f, "\"retry_ms\":500"));
                finish_round(&f);
        }
        CHECK_EQ(f.denied.reason, ACCESS_DENIED_SLOWED);
        loop_advance_ms(f.loop, 499);
        send_token(&f, "auth", ANN_SECRET);
        CHECK(replied(&f, "\"retry_ms\":1}"));
        CHECK(replied(&f, "try again in 0.1 s"));
        loop_advance_ms(f.loop, 1);
        authenticate(&f, ANN_SECRET);
        CHECK_TEXT(f.session.principal.name, "ann");
        fixture_close(&f);
}

TEST(a_damaged_token_and_one_of_impossible_length_count_as_failures)
{
        static const char *const tokens[] = {
                "short",
                "pf_0123456789abcdef0123456789abcdef0123456789abcdef",
        };

        for (size_t i = 0; i < ARRAY_SIZE(tokens); i++) {
                struct fixture f;

                fixture_open_with_tokens(&f, ACCESS_MODE_TOKEN);
                for (int attempt = 0; attempt < 4; attempt++)
                        authenticate(&f, tokens[i]);
                authenticate(&f, tokens[i]);
                CHECK(replied(&f, "BUSY"));
                fixture_close(&f);
        }
}

TEST(a_slowed_down_origin_delays_nobody_else)
{
        struct fixture f;
        struct command_session other;

        fixture_open_with_tokens(&f, ACCESS_MODE_TOKEN);
        for (int i = 0; i < 4; i++)
                authenticate(&f, "the token of nobody");
        other = f.session;
        other.id = 2;
        other.origin_key = 8;
        CHECK_NULL(send_token_as(&f, &other, "auth", SERVER_TOKEN));
        CHECK_TEXT(other.principal.name, "server");
        fixture_close(&f);
}

TEST(a_made_token_works_beside_a_guesser_at_the_same_address)
{
        struct fixture f;
        char wrong[TOKEN_MADE_LENGTH + 1];

        fixture_open_with_tokens(&f, ACCESS_MODE_TOKEN);
        CHECK_EQ(token_make(wrong), 0);
        for (int i = 0; i < 4; i++)
                authenticate(&f, "the token of nobody");
        CHECK_NULL(send_token(&f, "ping", f.made));
        CHECK(replied(&f, "\"who\":\"admin\""));
        /* What is no made token of ours is still refused, right or not. */
        send_token(&f, "ping", SERVER_TOKEN);
        CHECK(replied(&f, "BUSY"));
        send_token(&f, "ping", wrong);
        CHECK(replied(&f, "BUSY"));
        fixture_close(&f);
}

TEST(a_made_token_does_not_forgive_the_guesser_beside_it)
{
        struct fixture f;

        fixture_open_with_tokens(&f, ACCESS_MODE_TOKEN);
        for (int i = 0; i < 4; i++)
                authenticate(&f, "the token of nobody");
        loop_advance_ms(f.loop, 500);
        authenticate(&f, f.made);
        authenticate(&f, "the token of nobody");
        CHECK(replied(&f, "UNAUTHORIZED"));
        authenticate(&f, "the token of nobody");
        CHECK(replied(&f, "\"retry_ms\":1000"));
        fixture_close(&f);
}

TEST(a_right_secret_forgives_remembered_or_not)
{
        struct fixture f;

        for (int remembered = 0; remembered < 2; remembered++) {
                fixture_open_with_tokens(&f, ACCESS_MODE_TOKEN);
                if (remembered)
                        authenticate(&f, ANN_SECRET);
                for (int i = 0; i < 4; i++)
                        authenticate(&f, "the token of nobody");
                loop_advance_ms(f.loop, 500);
                authenticate(&f, ANN_SECRET);
                CHECK_TEXT(f.session.principal.name, "ann");
                for (int i = 0; i < 3; i++) {
                        authenticate(&f, "the token of nobody");
                        CHECK_EQ(f.denied.retry_ms, 0);
                }
                fixture_close(&f);
        }
}

TEST(a_wrong_made_token_is_refused_at_once_without_slow_work)
{
        struct fixture f;
        char wrong[TOKEN_MADE_LENGTH + 1];

        fixture_open_with_tokens(&f, ACCESS_MODE_TOKEN);
        CHECK_EQ(token_make(wrong), 0);
        CHECK_NULL(send_token(&f, "auth", wrong));
        CHECK(replied(&f, "UNAUTHORIZED"));
        fixture_close(&f);
}

TEST(a_session_that_is_authenticated_is_not_slowed_down)
{
        struct fixture f;

        fixture_open_with_tokens(&f, ACCESS_MODE_TOKEN);
        authenticate(&f, SERVER_TOKEN);
        for (int i = 0; i < 4; i++)
                authenticate(&f, "the token of nobody");
        ask(&f, "{\"command\":\"ping\"}");
        CHECK(replied(&f, "\"who\":\"server\""));
        fixture_close(&f);
}

TEST(a_slow_token_is_verified_off_the_loop_once_and_remembered)
{
        struct fixture f;

        fixture_open_with_tokens(&f, ACCESS_MODE_TOKEN);
        assert_non_null(send_token(&f, "ping", ANN_SECRET));
        CHECK_EQ(f.replies, 0);
        run_until_replies(&f, 1);
        CHECK(replied(&f, "\"who\":\"ann\""));
        CHECK_NULL(send_token(&f, "ping", ANN_SECRET));
        CHECK_EQ(f.replies, 2);
        loop_advance_ms(f.loop, 300000);
        assert_non_null(send_token(&f, "ping", ANN_SECRET));
        run_until_replies(&f, 3);
        CHECK_EQ(f.successes, 3);
        fixture_close(&f);
}

TEST(a_remembered_token_is_no_way_around_the_slow_down)
{
        struct fixture f;

        fixture_open_with_tokens(&f, ACCESS_MODE_TOKEN);
        authenticate(&f, ANN_SECRET);
        for (int i = 0; i < 4; i++)
                authenticate(&f, "the token of nobody");
        send_token(&f, "ping", ANN_SECRET);
        CHECK(replied(&f, "BUSY"));
        fixture_close(&f);
}

TEST(the_same_wrong_token_sent_many_times_at_once_counts_once)
{
        struct fixture f;

        fixture_open_with_tokens(&f, ACCESS_MODE_TOKEN);
        for (int i = 0; i < 16; i++)
                send_token(&f, "ping", "the token of nobody");
        run_until_replies(&f, 16);
        CHECK(replied(&f, "UNAUTHORIZED"));
        CHECK_EQ(f.successes, 0);
        finish_round(&f);
        CHECK_EQ(f.denied_count, 16);
        for (int i = 0; i < 2; i++) {
                authenticate(&f, "the token of nobody");
                CHECK(replied(&f, "UNAUTHORIZED"));
        }
        CHECK_EQ(f.denied.retry_ms, 0);
        fixture_close(&f);
}

TEST(one_origin_gets_a_part_of_the_queue_and_others_still_get_theirs)
{
        struct fixture f;
        struct command_session other;
        char token[32];

        fixture_open_with_tokens(&f, ACCESS_MODE_TOKEN);
        for (unsigned i = 0; i < VERIFIER_JOBS_PER_ORIGIN; i++) {
                snprintf(token, sizeof token, "guess number %u", i);
                assert_non_null(send_token(&f, "auth", token));
        }
        CHECK_NULL(send_token(&f, "auth", "one guess more"));
        CHECK(replied(&f, "BUSY"));
        CHECK(replied(&f, "\"retry_ms\":1000"));
        other = f.session;
        other.origin_key = 8;
        assert_non_null(send_token_as(&f, &other, "auth", BEN_SECRET));
        run_until_replies(&f, VERIFIER_JOBS_PER_ORIGIN + 2);
        CHECK_TEXT(other.principal.name, "ben");
        CHECK_EQ(f.successes, 1);
        fixture_close(&f);
}

TEST(a_full_queue_answers_busy_and_does_not_count_as_a_failure)
{
        struct fixture f;
        struct command_session sessions[VERIFIER_JOBS_MAX];

        fixture_open_with_tokens(&f, ACCESS_MODE_TOKEN);
        for (unsigned i = 0; i < VERIFIER_JOBS_MAX; i++) {
                sessions[i] = f.session;
                sessions[i].origin_key = 1000 + i;
                assert_non_null(send_token_as(&f, &sessions[i], "auth", ANN_SECRET));
        }
        for (int i = 0; i < 10; i++) {
                CHECK_NULL(send_token(&f, "auth", ANN_SECRET));
                CHECK(replied(&f, "BUSY"));
        }
        /* Tokens of machines do not stand in that queue. */
        CHECK_NULL(send_token(&f, "ping", SERVER_TOKEN));
        CHECK(replied(&f, "\"who\":\"server\""));
        finish_round(&f);
        CHECK_EQ(f.denied.reason, ACCESS_DENIED_OVERLOADED);
        run_until_replies(&f, VERIFIER_JOBS_MAX + 11);
        CHECK_EQ(f.successes, VERIFIER_JOBS_MAX + 1);
        authenticate(&f, ANN_SECRET);
        CHECK_TEXT(f.session.principal.name, "ann");
        fixture_close(&f);
}

TEST(a_caller_may_be_gone_before_its_token_is_verified)
{
        struct fixture f;
        struct command_session *session;
        struct command_request *request;

        fixture_open_with_tokens(&f, ACCESS_MODE_TOKEN);
        session = malloc(sizeof *session);
        assert_non_null(session);
        *session = f.session;
        request = send_token_as(&f, session, "auth", "the token of nobody");
        assert_non_null(request);
        command_request_abandon(request);
        free(session);
        for (int rounds = 0; f.denied_count == 0 && rounds < 10000; rounds++)
                loop_run_once(f.loop, 100);
        CHECK_EQ(f.denied_count, 1);
        CHECK_TEXT(f.denied.origin, "192.0.2.7:4000");
        CHECK_EQ(f.replies, 0);
        fixture_close(&f);
}

TEST(who_waits_for_a_slow_token_at_the_end_is_answered)
{
        struct fixture f;

        fixture_open_with_tokens(&f, ACCESS_MODE_TOKEN);
        assert_non_null(send_token(&f, "auth", ANN_SECRET));
        assert_non_null(send_token(&f, "auth", BEN_SECRET));
        access_free(f.access);
        CHECK_EQ(f.replies, 2);
        CHECK(replied(&f, "BUSY"));
        /* And a token is no more accepted, nor is the command there. */
        send_token(&f, "ping", SERVER_TOKEN);
        CHECK(replied(&f, "UNAUTHORIZED"));
        ask(&f, "{\"command\":\"auth\"}");
        CHECK(replied(&f, "NO_METHOD"));
        f.access = NULL;
        fixture_close(&f);
}

TEST(the_work_queue_may_end_first)
{
        struct fixture f;

        fixture_open_with_tokens(&f, ACCESS_MODE_TOKEN);
        assert_non_null(send_token(&f, "auth", ANN_SECRET));
        assert_non_null(send_token(&f, "auth", BEN_SECRET));
        loop_work_free(f.work);
        f.work = NULL;
        CHECK_EQ(f.replies, 2);
        CHECK_EQ(f.successes, 1);
        fixture_close(&f);
}
