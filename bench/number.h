/* bench/number.h - a number on a command line of ours. */
#pragma once

/* A decimal one, from 0 to `max`. -EINVAL: it is none, and stderr says so. */
int number_parse(const char *text, unsigned max, unsigned *ret);
