#include "support/allocation.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local struct {
        bool armed, reached, lasting;
        size_t left; /* allocations until the one that fails */
} fault;

static void arm(size_t n, bool lasting)
{
        fault.armed = true;
        fault.reached = false;
        fault.lasting = lasting;
        fault.left = n;
}

void allocation_fail_at(size_t n)
{
        arm(n, false);
}

void allocation_fail_from(size_t n)
{
        arm(n, true);
}

bool allocation_end(void)
{
        fault.armed = false;
        return fault.reached;
}

static bool fails(void)
{
        if (!fault.armed || (fault.reached && !fault.lasting))
                return false;
        if (!fault.reached && --fault.left > 0)
                return false;
        fault.reached = true;
        errno = ENOMEM;
        return true;
}

/* The linker's names: a call of malloc() becomes one of __wrap_malloc(), and the
 * library's is __real_malloc(). */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_reallocarray(void *memory, size_t count, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t length);
int __real_vasprintf(char **ret, const char *format, va_list arguments);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_reallocarray(void *memory, size_t count, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t length);
int __wrap_vasprintf(char **ret, const char *format, va_list arguments);
int __wrap_asprintf(char **ret, const char *format, ...);

void *__wrap_malloc(size_t size)
{
        return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
        return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
        return fails() ? NULL : __real_realloc(memory, size);
}

void *__wrap_reallocarray(void *memory, size_t count, size_t size)
{
        return fails() ? NULL : __real_reallocarray(memory, count, size);
}

char *__wrap_strdup(const char *text)
{
        return fails() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t length)
{
        return fails() ? NULL : __real_strndup(text, length);
}

int __wrap_vasprintf(char **ret, const char *format, va_list arguments)
{
        return fails() ? -1 : __real_vasprintf(ret, format, arguments);
}

int __wrap_asprintf(char **ret, const char *format, ...)
{
        va_list arguments;
        int length;

        if (fails())
                return -1;
        va_start(arguments, format);
        length = __real_vasprintf(ret, format, arguments);
        va_end(arguments);
        return length;
}
