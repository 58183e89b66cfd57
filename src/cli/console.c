#include "cli/console.h"

#include "base/write-all.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { WIDTH_DEFAULT = 80, WIDTH_MIN = 40, WIDTH_MAX = 500, OUTPUT_MAX = 512 << 20 };

static bool is_set(const char *name)
{
        const char *value = getenv(name);

        return value && *value;
}

static struct render_style style_of(int fd)
{
        const char *terminal = getenv("TERM");
        struct winsize size = {0};
        struct render_style style = {.width = WIDTH_DEFAULT};

        if (!isatty(fd))
                return style;
        style.colour = !is_set("NO_COLOR") && terminal && strcmp(terminal, "dumb") != 0;
        if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col >= WIDTH_MIN &&
            size.ws_col <= WIDTH_MAX)
                style.width = size.ws_col;
        return style;
}

void console_init(struct console *console, bool json, bool text)
{
        console->readable = text || (!json && isatty(STDOUT_FILENO));
        console->style = style_of(STDOUT_FILENO);
        console->error_style = style_of(STDERR_FILENO);
}

int console_write(const struct buffer *bytes)
{
        if (buffer_length(bytes) == 0)
                return 0;
        return write_all(STDOUT_FILENO, buffer_data(bytes), buffer_length(bytes));
}

int console_write_object(const struct console *console, const cJSON *object, bool envelope)
{
        struct buffer out;
        int r;

        buffer_init(&out, OUTPUT_MAX);
        r = console->readable ? render_object(&out, object, envelope, &console->style)
                              : render_json(&out, object);
        if (r == 0)
                r = console_write(&out);
        buffer_done(&out);
        return r;
}

void console_complain(const struct console *console, const char *format, ...)
{
        static const struct render_style plain = {.width = WIDTH_DEFAULT};
        const struct render_style *style = console ? &console->error_style : &plain;
        struct buffer text, out;
        va_list arguments;
        int r;

        buffer_init(&text, OUTPUT_MAX);
        buffer_init(&out, OUTPUT_MAX);
        va_start(arguments, format);
        r = buffer_vprintf(&text, format, arguments);
        va_end(arguments);
        if (r == 0)
                r = buffer_append(&text, "", 1);
        if (r == 0)
                r = render_text(&out, "pifleet:", RENDER_BAD, style);
        if (r == 0)
                r = buffer_append(&out, " ", 1);
        if (r == 0)
                r = render_text(&out, buffer_data(&text), RENDER_PLAIN, style);
        if (r == 0)
                r = buffer_append(&out, "\n", 1);
        /* Who cannot be told about a failure cannot be told that either. */
        if (r == 0)
                r = write_all(STDERR_FILENO, buffer_data(&out), buffer_length(&out));
        buffer_done(&text);
        buffer_done(&out);
        (void)r;
}

void console_note(const char *format, ...)
{
        struct buffer text;
        va_list arguments;
        int r;

        buffer_init(&text, OUTPUT_MAX);
        va_start(arguments, format);
        r = buffer_vprintf(&text, format, arguments);
        va_end(arguments);
        if (r == 0 && buffer_length(&text) > 0)
                r = write_all(STDERR_FILENO, buffer_data(&text), buffer_length(&text));
        buffer_done(&text);
        (void)r;
}
