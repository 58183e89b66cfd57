#include "mqtt/journal-fixture.h"

#include "base/attributes.h"
#include "store/log-internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { JOBS = 8, ROUNDS_MAX = 100000, COPY_BYTES = 64 << 10 };

void journal_make_folder(char path[64])
{
        /* In memory, where there is such a place: it is fsync() that would take the time. */
        snprintf(path, 64, "%s/test-journal-XXXXXX",
                 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        CHECK(mkdtemp(path) != NULL);
}

void journal_remove_folder(const char *path)
{
        DIR *directory = opendir(path);
        const struct dirent *entry;

        CHECK(directory != NULL);
        while ((entry = readdir(directory)) != NULL)
                if (entry->d_name[0] != '.')
                        CHECK_EQ(unlinkat(dirfd(directory), entry->d_name, 0), 0);
        closedir(directory);
        CHECK_EQ(rmdir(path), 0);
}

static void copy_file(int from_fd, int to_fd)
{
        static char bytes[COPY_BYTES];
        ssize_t n;

        CHECK(from_fd >= 0 && to_fd >= 0);
        while ((n = read(from_fd, bytes, sizeof(bytes))) > 0)
                CHECK_EQ(write(to_fd, bytes, (size_t)n), n);
        CHECK_EQ(n, 0);
        close(from_fd);
        close(to_fd);
}

void journal_copy_folder(const char *from, const char *to)
{
        DIR *directory = opendir(from);
        const struct dirent *entry;
        int to_fd = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        CHECK(directory != NULL && to_fd >= 0);
        while ((entry = readdir(directory)) != NULL)
                if (entry->d_name[0] != '.')
                        copy_file(openat(dirfd(directory), entry->d_name, O_RDONLY | O_CLOEXEC),
                                  openat(to_fd, entry->d_name,
                                         O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
        closedir(directory);
        close(to_fd);
}

static void on_report(void *owner, bool damage, const char *sentence)
{
        struct journal_fixture *f = owner;

        f->reports++;
        f->damages += damage;
        snprintf(f->sentence, sizeof(f->sentence), "%s", sentence);
}

static void on_trouble(void *owner, int error)
{
        struct journal_fixture *f = owner;

        CHECK(error != f->trouble);
        f->trouble = error;
        f->troubles += error < 0;
}

static void open_folder(struct journal_fixture *f)
{
        f->folder_fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        CHECK(f->folder_fd >= 0);
        f->options.directory_fd = f->folder_fd;
}

void journal_init(struct journal_fixture *f, enum mqtt_durability sessions,
                  enum mqtt_durability retained)
{
        memset(f, 0, sizeof(*f));
        journal_make_folder(f->path);
        open_folder(f);
        f->options.sessions = sessions;
        f->options.retained = retained;
        f->options.owner = f;
        f->options.on_report = on_report;
        f->options.on_trouble = on_trouble;
}

void journal_done(struct journal_fixture *f)
{
        if (f->talk.broker)
                journal_stop(f);
        close(f->folder_fd);
        journal_remove_folder(f->path);
}

/* Until the disk has nothing to do; timers stand still. */
static void wait_for_disk(struct conversation *talk)
{
        const struct journal_fixture *f = (const struct journal_fixture *)talk;
        const struct mqtt_journal *journal = talk->broker->journal;

        if (!journal || !journal->log || f->stalled)
                return;
        for (unsigned i = 0; i < ROUNDS_MAX; i++) {
                bool busy = journal->log->under_way;

                if (!busy && list_is_empty(&journal->log->task.link) &&
                    list_is_empty(&journal->commit.link))
                        return;
                loop_run_once(talk->loop, busy ? 1000 : 0);
        }
        FAIL("it does not settle");
}

int journal_start(struct journal_fixture *f)
{
        struct error error = {0};
        int r;

        conversation_init(&f->talk, f->limits, f->hooks);
        CHECK_EQ(store_thread_new(f->talk.loop, JOBS, &f->talk.thread), 0);
        r = mqtt_broker_keep(f->talk.broker, f->talk.thread, &f->options, &error);
        CHECK_EQ(error.code, r);
        f->talk.on_settle = wait_for_disk;
        return r;
}

void journal_stop(struct journal_fixture *f)
{
        conversation_done(&f->talk);
        f->talk.broker = NULL;
        f->trouble = 0;
}

void journal_restart(struct journal_fixture *f)
{
        journal_stop(f);
        CHECK_EQ(journal_start(f), 0);
}

void journal_move(struct journal_fixture *f, const char path[64])
{
        close(f->folder_fd);
        journal_remove_folder(f->path);
        memcpy(f->path, path, sizeof(f->path));
        open_folder(f);
}

void journal_kill(struct journal_fixture *f)
{
        char path[64];

        journal_make_folder(path);
        journal_copy_folder(f->path, path);
        journal_stop(f);
        journal_move(f, path);
        CHECK_EQ(journal_start(f), 0);
}

void journal_run(struct journal_fixture *f, const char *script)
{
        conversation_run(&f->talk, script);
}

static void wait_at_gate(struct store_job *job)
{
        const struct journal_fixture *f = container_of(job, struct journal_fixture, stall);
        char byte;

        (void)!read(f->gate[0], &byte, 1);
}

static void passed(struct store_job *job)
{
        struct journal_fixture *f = container_of(job, struct journal_fixture, stall);

        f->stalled = false;
}

void journal_stall(struct journal_fixture *f)
{
        conversation_settle(&f->talk);
        CHECK_EQ(pipe2(f->gate, O_CLOEXEC), 0);
        f->stall.run = wait_at_gate;
        f->stall.done = passed;
        CHECK_EQ(store_thread_submit(f->talk.thread, &f->stall), 0);
        f->stalled = true;
}

void journal_go_on(struct journal_fixture *f)
{
        close(f->gate[1]);
        while (f->stalled)
                loop_run_once(f->talk.loop, 1000);
        close(f->gate[0]);
        conversation_settle(&f->talk);
}
