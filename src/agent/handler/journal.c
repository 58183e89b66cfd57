#include "agent/handler/journal.h"

#include "agent/handler/folder.h"
#include "base/durable.h"
#include "base/write-all.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "journal"

int handler_journal_open(struct handler_journal *journal, int directory_fd, struct list *changes)
{
        AUTO_FREE char *bytes = NULL;
        size_t count = 0;
        int64_t whole;
        int r;

        *journal = (struct handler_journal){.directory_fd = directory_fd, .dirty = true};
        r = durable_read_own(directory_fd, NAME, JOURNAL_BYTES_MAX, &bytes, &count);
        if (r == -ENOENT)
                return 0;
        if (folder_is_damage(r))
                return 1;
        if (r < 0)
                return r;
        whole = handler_journal_decode(bytes, count, changes);
        if (whole < 0)
                return (int)whole;
        journal->size = (uint64_t)whole;
        journal->dirty = (size_t)whole < count;
        return journal->dirty;
}

/* On failure nobody knows what lies there. */
static int append(struct handler_journal *journal, const void *bytes, size_t count, bool sync)
{
        AUTO_CLOSE int fd = -1;
        struct stat status;
        int r = 0;

        fd = openat(journal->directory_fd, NAME, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0 || fstat(fd, &status) < 0)
                return -errno;
        /* Somebody else wrote to it: start over. */
        if (!S_ISREG(status.st_mode) || (uint64_t)status.st_size != journal->size)
                return -ESTALE;
        r = write_all(fd, bytes, count);
        if (r == 0 && sync && fdatasync(fd) < 0)
                r = -errno;
        if (r == 0)
                journal->size += count;
        return r;
}

int handler_journal_rewrite(struct handler_journal *journal, const struct list *changes)
{
        struct buffer text;
        int r = 0;

        buffer_init(&text, JOURNAL_BYTES_MAX);
        list_for_each (changes, position) {
                if (r == 0)
                        r = handler_journal_encode(
                                container_of(position, struct handler_change, link), &text);
        }
        if (r == 0)
                r = durable_write(journal->directory_fd, NAME, 0600, buffer_data(&text),
                                  buffer_length(&text));
        journal->dirty = r < 0;
        if (r == 0)
                journal->size = buffer_length(&text);
        buffer_done(&text);
        return r;
}

int handler_journal_begin(struct handler_journal *journal, const struct handler_change *change,
                          const struct list *changes)
{
        struct buffer record;
        int r;

        if (journal->dirty || journal->size > JOURNAL_COMPACT) {
                r = handler_journal_rewrite(journal, changes);
                if (r < 0)
                        return r;
        }
        buffer_init(&record, JOURNAL_BYTES_MAX);
        r = handler_journal_encode(change, &record);
        if (r == 0)
                r = append(journal, buffer_data(&record), buffer_length(&record), true);
        /* What lies there now is not known; after a failed fsync not even by reading. */
        if (r < 0)
                journal->dirty = true;
        buffer_done(&record);
        return r;
}

void handler_journal_end(struct handler_journal *journal, uint64_t id)
{
        struct buffer record;
        int r;

        if (journal->dirty)
                return;
        buffer_init(&record, JOURNAL_BYTES_MAX);
        r = handler_journal_encode_end(id, &record);
        if (r == 0)
                r = append(journal, buffer_data(&record), buffer_length(&record), false);
        journal->dirty = r < 0;
        buffer_done(&record);
}
