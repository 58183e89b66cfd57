#include "cli/secret-input.h"

#include "base/cleanup.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

bool secret_input_is_typed(void)
{
        return isatty(STDIN_FILENO);
}

/* Reads up to a line break, which may have a carriage return before it as in secret-file.h: the
 * same secret has one hash. `signal_fd` (or -1) becomes readable when a signal wants the program
 * to end. */
static int read_line(int signal_fd, char ret[SECRET_INPUT_MAX + 1], size_t *ret_length)
{
        struct pollfd waits[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                                 {.fd = signal_fd, .events = POLLIN}};
        size_t length = 0;

        for (;;) {
                char byte;
                ssize_t count;

                if (poll(waits, 2, -1) < 0 && errno != EINTR)
                        return -errno;
                if (waits[1].revents)
                        return -EINTR;
                count = read(STDIN_FILENO, &byte, 1);
                if (count < 0 && errno == EINTR)
                        continue;
                if (count < 0)
                        return -errno;
                if (count == 0 && length == 0)
                        return -ENODATA;
                if (count == 0 || byte == '\n')
                        break;
                if (length > SECRET_INPUT_MAX)
                        return -EMSGSIZE;
                ret[length++] = byte;
        }
        if (length > 0 && ret[length - 1] == '\r')
                length--;
        *ret_length = length;
        return length > SECRET_INPUT_MAX ? -EMSGSIZE : 0;
}

/* Signals that end or stop the program wait until the terminal shows again what
 * is typed; then they do what they always do. */
static int read_unseen(const char *prompt, char ret[SECRET_INPUT_MAX + 1], size_t *length)
{
        static const int deadly[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
        AUTO_CLOSE int signal_fd = -1;
        struct termios shown, unseen;
        sigset_t signals, before;
        int r;

        sigemptyset(&signals);
        for (size_t i = 0; i < ARRAY_SIZE(deadly); i++)
                sigaddset(&signals, deadly[i]);
        signal_fd = signalfd(-1, &signals, SFD_CLOEXEC);
        if (signal_fd < 0 || tcgetattr(STDIN_FILENO, &shown) < 0 ||
            sigprocmask(SIG_BLOCK, &signals, &before) < 0)
                return -errno;
        unseen = shown;
        unseen.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
        r = tcsetattr(STDIN_FILENO, TCSAFLUSH, &unseen) < 0 ? -errno : 0;
        if (r == 0) {
                fprintf(stderr, "%s", prompt);
                r = read_line(signal_fd, ret, length);
                fputc('\n', stderr);
                tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
        }
        sigprocmask(SIG_SETMASK, &before, NULL);
        return r;
}

int secret_input_read(const char *prompt, char ret[SECRET_INPUT_MAX + 1], struct error *error)
{
        size_t length = 0;
        int r = secret_input_is_typed() ? read_unseen(prompt, ret, &length)
                                        : read_line(-1, ret, &length);

        if (r == 0) {
                ret[length] = '\0';
                if (strlen(ret) == length)
                        return 0;
                r = -EILSEQ;
        }
        explicit_bzero(ret, SECRET_INPUT_MAX + 1);
        switch (r) {
        case -ENODATA:
                return error_set(error, r, "nothing was typed or came from standard input");
        case -EMSGSIZE:
                return error_set(error, r, "longer than %d bytes", SECRET_INPUT_MAX);
        case -EINTR:
                return error_set(error, r, "interrupted");
        case -EILSEQ:
                return error_set(error, r, "a NUL cannot be part of it");
        default:
                return error_set(error, r, "standard input cannot be read: %s", strerror(-r));
        }
}
