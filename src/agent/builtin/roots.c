/* Bounded reading below directories that are held open. */
#include "agent/builtin/roots.h"

#include "base/cleanup.h"
#include "base/utf8.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SCAN_MAX = 4096 }; /* entries looked at in one directory */

static int open_root(const char *path)
{
        return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

void roots_init(struct roots *roots, const char *proc, const char *sys, const char *etc)
{
        roots->proc = open_root(proc);
        roots->sys = open_root(sys);
        roots->etc = open_root(etc);
}

void roots_done(struct roots *roots)
{
        cleanup_close(&roots->proc);
        cleanup_close(&roots->sys);
        cleanup_close(&roots->etc);
        roots->proc = roots->sys = roots->etc = -1;
}

/* Pseudo-files may come in pieces: only a read of 0 is the end. */
static ssize_t read_full(int fd, char *text, size_t size)
{
        size_t length = 0;

        while (length < size) {
                ssize_t count = read(fd, text + length, size - length);

                if (count < 0 && errno == EINTR)
                        continue;
                if (count < 0)
                        return -errno;
                if (count == 0)
                        break;
                length += (size_t)count;
        }
        return (ssize_t)length;
}

int roots_read(int root, const char *path, char *text, size_t size)
{
        AUTO_CLOSE int fd = -1;
        ssize_t length;

        text[0] = '\0';
        if (root < 0)
                return -ENOENT;
        /* O_NONBLOCK: opening a FIFO would wait for its other end. */
        fd = openat(root, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0)
                return -errno;
        length = read_full(fd, text, size);
        if (length < 0) {
                text[0] = '\0';
                return (int)length;
        }
        if ((size_t)length == size) {
                char *last = memrchr(text, '\n', size - 1);

                length = last ? last + 1 - text : 0;
        }
        text[length] = '\0';
        return (int)length;
}

static bool is_text(const char *text, size_t length)
{
        for (size_t i = 0; i < length; i++)
                if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
                        return false;
        return utf8_valid_prefix(text, length) == length;
}

int roots_read_line(int root, const char *path, char *text, size_t size)
{
        char all[4096];
        const char *start;
        size_t length;
        int r;

        text[0] = '\0';
        r = roots_read(root, path, all, sizeof(all));
        if (r < 0)
                return r;
        start = all + strspn(all, " \t");
        length = strcspn(start, "\n");
        while (length > 0 && (start[length - 1] == ' ' || start[length - 1] == '\t'))
                length--;
        if (length == 0)
                return -ENODATA;
        if (!is_text(start, length))
                return -EILSEQ;
        if (length >= size)
                return -EMSGSIZE;
        memcpy(text, start, length);
        text[length] = '\0';
        return 0;
}

int roots_read_integer(int root, const char *path, int64_t *ret)
{
        char line[32], *end;
        long long value;
        int r;

        r = roots_read_line(root, path, line, sizeof(line));
        if (r < 0)
                return r;
        errno = 0;
        value = strtoll(line, &end, 10);
        if (errno != 0 || end == line || *end != '\0')
                return -EBADMSG;
        *ret = value;
        return 0;
}

bool roots_exists(int root, const char *path)
{
        return root >= 0 && faccessat(root, path, F_OK, 0) == 0;
}

/* Keeps the names sorted; when they are too many, the last one goes. */
static void insert_name(struct roots_names *names, const char *name)
{
        size_t at = names->count;

        while (at > 0 && strcmp(names->names[at - 1], name) > 0)
                at--;
        if (at == ROOTS_NAMES_MAX)
                return;
        if (names->count < ROOTS_NAMES_MAX)
                names->count++;
        memmove(names->names[at + 1], names->names[at],
                (names->count - 1 - at) * sizeof(names->names[0]));
        strcpy(names->names[at], name);
}

int roots_list(int root, const char *path, struct roots_names *ret)
{
        AUTO_CLOSE int fd = -1;
        DIR *directory;

        ret->count = 0;
        if (root < 0)
                return -ENOENT;
        fd = openat(root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        directory = fdopendir(fd);
        if (!directory)
                return -errno;
        (void)TAKE_FD(fd);
        for (int seen = 0; seen < SCAN_MAX; seen++) {
                const struct dirent *entry = readdir(directory);

                if (!entry)
                        break;
                if (entry->d_name[0] != '.' && strlen(entry->d_name) < ROOTS_NAME_MAX)
                        insert_name(ret, entry->d_name);
        }
        closedir(directory);
        return 0;
}
