#include "data/prometheus.h"

#include "support/test.h"

#include <errno.h>
#include <math.h>

static const char *text_of(struct buffer *buffer)
{
        CHECK_EQ(buffer_append(buffer, "", 1), 0);
        return buffer_data(buffer);
}

TEST(a_family_has_its_samples_behind_it)
{
        struct prometheus_writer writer;
        struct buffer buffer;

        buffer_init(&buffer, 4096);
        prometheus_writer_init(&writer, &buffer);
        prometheus_family(&writer, "a_total", PROMETHEUS_COUNTER, "How many.");
        prometheus_label(&writer, "kind", "x");
        prometheus_label(&writer, "of", "y");
        prometheus_count(&writer, UINT64_MAX);
        prometheus_label(&writer, "kind", "z");
        prometheus_count(&writer, 0);
        prometheus_family(&writer, "b", PROMETHEUS_GAUGE, "How much.");
        prometheus_number(&writer, -1.5);
        CHECK_EQ(prometheus_writer_error(&writer), 0);
        CHECK_TEXT(text_of(&buffer), "# HELP a_total How many.\n"
                                     "# TYPE a_total counter\n"
                                     "a_total{kind=\"x\",of=\"y\"} 18446744073709551615\n"
                                     "a_total{kind=\"z\"} 0\n"
                                     "# HELP b How much.\n"
                                     "# TYPE b gauge\n"
                                     "b -1.5\n");
        buffer_done(&buffer);
}

TEST(no_value_ends_its_label_or_its_line)
{
        struct prometheus_writer writer;
        struct buffer buffer;

        buffer_init(&buffer, 4096);
        prometheus_writer_init(&writer, &buffer);
        prometheus_family(&writer, "a", PROMETHEUS_GAUGE, "A.");
        buffer_truncate(&buffer, 0);
        prometheus_label(&writer, "b", "\"} 1\na \\ ü");
        prometheus_count(&writer, 2);
        prometheus_label(&writer, "b", "");
        prometheus_count(&writer, 3);
        CHECK_TEXT(text_of(&buffer), "a{b=\"\\\"} 1\\na \\\\ ü\"} 2\na{b=\"\"} 3\n");
        buffer_done(&buffer);
}

TEST(numbers_that_are_none_have_their_words)
{
        struct prometheus_writer writer;
        struct buffer buffer;

        buffer_init(&buffer, 4096);
        prometheus_writer_init(&writer, &buffer);
        prometheus_family(&writer, "a", PROMETHEUS_GAUGE, "A.");
        buffer_truncate(&buffer, 0);
        prometheus_number(&writer, NAN);
        prometheus_number(&writer, INFINITY);
        prometheus_number(&writer, -INFINITY);
        prometheus_number(&writer, 1795221582.388);
        CHECK_TEXT(text_of(&buffer), "a NaN\na +Inf\na -Inf\na 1795221582.388\n");
        buffer_done(&buffer);
}

TEST(the_first_failure_sticks)
{
        struct prometheus_writer writer;
        struct buffer buffer;
        size_t length;

        buffer_init(&buffer, 64);
        prometheus_writer_init(&writer, &buffer);
        prometheus_family(&writer, "a", PROMETHEUS_GAUGE, "A sentence.");
        CHECK_EQ(prometheus_writer_error(&writer), 0);
        for (int i = 0; i < 20; i++) {
                prometheus_label(&writer, "label", "value");
                prometheus_number(&writer, 1);
        }
        CHECK_EQ(prometheus_writer_error(&writer), -EMSGSIZE);
        length = buffer_length(&buffer);
        prometheus_count(&writer, 1);
        prometheus_family(&writer, "b", PROMETHEUS_GAUGE, "B.");
        CHECK_EQ(buffer_length(&buffer), length);
        buffer_done(&buffer);
}
