#include "data/prometheus.h"

#include "support/test.h"

#include <errno.h>
#include <math.h>

static const char *text_of(struct buffer *buffer)
{
        CHECK_EQ(buffer_append(buffer, "", 1), 0);
        return buffer_data(buffer);
}

struct fixture {
        struct prometheus_writer writer;
        struct buffer buffer;
};

static void fixture_init(struct fixture *f, size_t max)
{
        buffer_init(&f->buffer, max);
        prometheus_writer_init(&f->writer, &f->buffer);
}

/* Within the family "a", whose head is written. */
static void fixture_init_samples(struct fixture *f)
{
        fixture_init(f, 4096);
        prometheus_family(&f->writer, "a", PROMETHEUS_GAUGE, "A.");
        buffer_truncate(&f->buffer, 0);
}

TEST(a_family_has_its_samples_behind_it)
{
        struct fixture f;

        fixture_init(&f, 4096);
        prometheus_family(&f.writer, "a_total", PROMETHEUS_COUNTER, "How many.");
        prometheus_label(&f.writer, "kind", "x");
        prometheus_label(&f.writer, "of", "y");
        prometheus_count(&f.writer, UINT64_MAX);
        prometheus_label(&f.writer, "kind", "z");
        prometheus_count(&f.writer, 0);
        prometheus_family(&f.writer, "b", PROMETHEUS_GAUGE, "How much.");
        prometheus_number(&f.writer, -1.5);
        CHECK_EQ(prometheus_writer_error(&f.writer), 0);
        CHECK_TEXT(text_of(&f.buffer), "# HELP a_total How many.\n"
                                       "# TYPE a_total counter\n"
                                       "a_total{kind=\"x\",of=\"y\"} 18446744073709551615\n"
                                       "a_total{kind=\"z\"} 0\n"
                                       "# HELP b How much.\n"
                                       "# TYPE b gauge\n"
                                       "b -1.5\n");
        buffer_done(&f.buffer);
}

TEST(no_value_ends_its_label_or_its_line)
{
        struct fixture f;

        fixture_init_samples(&f);
        prometheus_label(&f.writer, "b", "\"} 1\na \\ ü");
        prometheus_count(&f.writer, 2);
        prometheus_label(&f.writer, "b", "");
        prometheus_count(&f.writer, 3);
        CHECK_TEXT(text_of(&f.buffer), "a{b=\"\\\"} 1\\na \\\\ ü\"} 2\na{b=\"\"} 3\n");
        buffer_done(&f.buffer);
}

TEST(numbers_that_are_none_have_their_words)
{
        struct fixture f;

        fixture_init_samples(&f);
        prometheus_number(&f.writer, NAN);
        prometheus_number(&f.writer, INFINITY);
        prometheus_number(&f.writer, -INFINITY);
        prometheus_number(&f.writer, 1795221582.388);
        CHECK_TEXT(text_of(&f.buffer), "a NaN\na +Inf\na -Inf\na 1795221582.388\n");
        buffer_done(&f.buffer);
}

TEST(the_first_failure_sticks)
{
        struct fixture f;
        size_t length;

        fixture_init(&f, 64);
        prometheus_family(&f.writer, "a", PROMETHEUS_GAUGE, "A sentence.");
        CHECK_EQ(prometheus_writer_error(&f.writer), 0);
        for (int i = 0; i < 20; i++) {
                prometheus_label(&f.writer, "label", "value");
                prometheus_number(&f.writer, 1);
        }
        CHECK_EQ(prometheus_writer_error(&f.writer), -EMSGSIZE);
        length = buffer_length(&f.buffer);
        prometheus_count(&f.writer, 1);
        prometheus_family(&f.writer, "b", PROMETHEUS_GAUGE, "B.");
        CHECK_EQ(buffer_length(&f.buffer), length);
        buffer_done(&f.buffer);
}
