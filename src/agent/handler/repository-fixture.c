#include "agent/handler/repository-fixture.h"

#include "base/durable.h"
#include "base/text-copy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

const struct handler_origin fixture_origin = {.who = "deployer", .from = "127.0.0.1:4000"};

static int64_t now = FIXTURE_NOW;

void fixture_set_now(int64_t now_s)
{
        now = now_s;
}

int64_t fixture_now(void)
{
        return now;
}

void fixture_report(void *owner, bool trouble, const char *line)
{
        struct fixture *f = owner;
        size_t length = strlen(f->report);

        snprintf(f->report + length, sizeof(f->report) - length, "%s%s\n",
                 trouble ? "trouble: " : "", line);
}

void fixture_init(struct fixture *f)
{
        *f = (struct fixture){.retention = {.now_s = fixture_now}};
        now = FIXTURE_NOW;
        snprintf(f->path, sizeof(f->path), "%s/test-repository-XXXXXX",
                 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        CHECK(mkdtemp(f->path) != NULL);
        f->state_fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        CHECK(f->state_fd >= 0);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
        return remove(path);
}

void fixture_done(struct fixture *f)
{
        fixture_shut(f);
        close(f->state_fd);
        CHECK_EQ(nftw(f->path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

int fixture_try_open(struct fixture *f)
{
        f->report[0] = '\0';
        return handler_repository_open(f->state_fd, &f->retention, fixture_report, f, &f->error,
                                       &f->repository);
}

void fixture_open(struct fixture *f)
{
        int r = fixture_try_open(f);

        if (r < 0)
                FAIL("open: %s", f->error.text);
}

void fixture_shut(struct fixture *f)
{
        f->repository = handler_repository_free(f->repository);
}

int fixture_try_deploy(struct fixture *f, enum handler_action action, const char *filename,
                       const char *source, struct handler_committed *committed)
{
        uint64_t change = 0;
        int r;

        if (action == HANDLER_REMOVE)
                return handler_repository_remove(f->repository, filename, &fixture_origin,
                                                 committed, &f->error);
        r = handler_repository_stage(f->repository, action, filename, source, strlen(source),
                                     &fixture_origin, &change, &f->error);
        return r == 0 ? handler_repository_commit(f->repository, change, committed, &f->error) : r;
}

void fixture_deploy(struct fixture *f, const char *filename, const char *source)
{
        struct handler_committed committed;
        int r = fixture_try_deploy(f, HANDLER_UPDATE, filename, source, &committed);

        if (r != 0)
                FAIL("deploy: %d %s", r, f->error.text);
        CHECK_TEXT(committed.warning, "");
}

bool fixture_exists(const struct fixture *f, const char *path)
{
        struct stat status;

        return fstatat(f->state_fd, path, &status, AT_SYMLINK_NOFOLLOW) == 0;
}

void fixture_write(const struct fixture *f, const char *path, const void *bytes, size_t count)
{
        int fd;

        (void)unlinkat(f->state_fd, path, 0);
        fd = openat(f->state_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        CHECK(fd >= 0);
        CHECK_EQ(write(fd, bytes, count), (ssize_t)count);
        CHECK_EQ(close(fd), 0);
}

void fixture_remove(const struct fixture *f, const char *path)
{
        CHECK_EQ(unlinkat(f->state_fd, path, 0), 0);
}

char *fixture_read(const struct fixture *f, const char *path, size_t *ret_count)
{
        int fd = openat(f->state_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        struct stat status;
        char *bytes = NULL;

        if (fd < 0)
                return NULL;
        if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
            (bytes = malloc((size_t)status.st_size + 1)) != NULL) {
                CHECK_EQ(read(fd, bytes, (size_t)status.st_size), status.st_size);
                bytes[status.st_size] = '\0';
                if (ret_count)
                        *ret_count = (size_t)status.st_size;
        }
        close(fd);
        return bytes;
}

size_t fixture_count(const struct fixture *f, const char *folder, const char *prefix)
{
        int fd = openat(f->state_fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        const struct dirent *entry;
        size_t count = 0;
        DIR *directory;

        CHECK(fd >= 0);
        directory = fdopendir(fd);
        CHECK(directory != NULL);
        while ((entry = readdir(directory)) != NULL)
                count += entry->d_type == DT_REG &&
                         strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
        closedir(directory);
        return count;
}

static bool is_file(const struct fixture *f, const char *filename, const char *source)
{
        char path[sizeof("handlers/") + HANDLER_NAME_MAX];
        AUTO_FREE char *bytes = NULL;

        snprintf(path, sizeof(path), "handlers/%s", filename);
        bytes = fixture_read(f, path, NULL);
        return source ? bytes && strcmp(bytes, source) == 0 : !fixture_exists(f, path);
}

bool fixture_in_place(struct fixture *f, const char *filename, const char *source)
{
        const struct handler_module *module = handler_repository_find(f->repository, filename);
        AUTO_FREE char *bytes = NULL;
        size_t count;

        if (!source)
                return (!module || module->current.sha256[0] == '\0') && is_file(f, filename, NULL);
        return module && module->current.sha256[0] != '\0' && module->disabled[0] == '\0' &&
               handler_repository_read(f->repository, filename, module->current.sha256, &bytes,
                                       &count, &f->error) == 0 &&
               strcmp(bytes, source) == 0 && is_file(f, filename, source);
}

char *fixture_log(struct fixture *f)
{
        struct buffer text;
        char *copy;

        buffer_init(&text, 4 << 20);
        CHECK_EQ(handler_repository_log_query(f->repository, NULL, HANDLER_LOG_LIMIT_MAX, &text),
                 0);
        copy = text_copy(buffer_data(&text), buffer_length(&text));
        buffer_done(&text);
        CHECK(copy != NULL);
        return copy;
}

size_t fixture_log_count(struct fixture *f, const char *needle)
{
        AUTO_FREE char *text = fixture_log(f);
        size_t count = 0;

        for (const char *at = text; (at = strstr(at, needle)) != NULL; at++)
                count++;
        return count;
}
