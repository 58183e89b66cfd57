/* cli/topic.h - is what somebody typed a topic, or a filter of topics? */
#pragma once

#include "base/error.h"

/* -EINVAL with a sentence that says what is wrong with it. */
int topic_check_name(const char *topic, struct error *error);
int topic_check_filter(const char *filter, struct error *error);
