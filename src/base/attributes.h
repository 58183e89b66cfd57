/* base/attributes.h - what the compiler can check for us. */
#pragma once

#include <stddef.h>

#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))

/* The struct that embeds `member`, from a pointer to the member. */
#define container_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
