/* A folder as a browser sees it. */
#include "base/attributes.h"
#include "http/files.h"
#include "http/media-type.h"
#include "http/server-fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/test-files-XXXXXX";

static void put(const char *name, const char *content)
{
        char path[300];
        FILE *file;

        snprintf(path, sizeof(path), "%s/%s", folder, name);
        file = fopen(path, "w");
        CHECK(file != NULL);
        fputs(content, file);
        CHECK_EQ(fclose(file), 0);
}

static void make_folder(void)
{
        char path[256], other[256];

        strcpy(folder, "/tmp/test-files-XXXXXX");
        CHECK(mkdtemp(folder) != NULL);
        snprintf(path, sizeof(path), "%s/sub", folder);
        CHECK_EQ(mkdir(path, 0700), 0);
        put("index.html", "<p>index");
        put("app.js", "let a");
        put("app.js.gz", "zipped");
        put("sub/index.html", "<p>sub");
        put("sub/b.css", "");
        put(".hidden", "secret");
        snprintf(path, sizeof(path), "%s/link.txt", folder);
        snprintf(other, sizeof(other), "%s/.hidden", folder);
        CHECK_EQ(symlink(other, path), 0);
        snprintf(path, sizeof(path), "%s/pipe", folder);
        CHECK_EQ(mkfifo(path, 0600), 0);
}

static int drop(const char *path, const struct stat *status, int type, struct FTW *place)
{
        (void)status;
        (void)type;
        (void)place;
        return remove(path);
}

static void remove_folder(void)
{
        CHECK_EQ(nftw(folder, drop, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static void on_file(void *owner, struct http_exchange *exchange)
{
        http_files_answer(owner, exchange, http_exchange_parameter(exchange, "file"));
}

static const struct http_route route = {HTTP_GET, "/page/{file...}", on_file, 0};

struct scene {
        struct fixture f;
        struct http_files *files;
        int fd;
};

static void begin(struct scene *scene)
{
        struct error error;

        make_folder();
        CHECK_EQ(http_files_new(folder, &scene->files, &error), 0);
        fixture_open(&scene->f, NULL);
        CHECK_EQ(http_router_add(scene->f.router, &route, 1, scene->files), 0);
        scene->fd = fixture_connect(&scene->f);
}

static void end(struct scene *scene)
{
        close(scene->fd);
        fixture_close(&scene->f);
        scene->files = http_files_free(scene->files);
        remove_folder();
}

static const char *get(struct scene *scene, const char *path, const char *fields)
{
        char text[4096];

        snprintf(text, sizeof(text), "GET /page/%s HTTP/1.1\r\nHost: a\r\n%s\r\n", path, fields);
        say(&scene->f, scene->fd, text);
        return hear(&scene->f, scene->fd);
}

/* The value of ETag in an answer. */
static void find_etag(const char *answer, char etag[64])
{
        const char *start = strstr(answer, "ETag: ");

        CHECK(start != NULL);
        CHECK_EQ(sscanf(start, "ETag: %63[^\r]", etag), 1);
}

TEST(files_are_served_by_their_names)
{
        static const struct {
                const char *path, *status, *type, *body;
        } cases[] = {
                {"", "200 OK", "text/html; charset=utf-8", "<p>index"},
                {"index.html", "200 OK", "text/html; charset=utf-8", "<p>index"},
                {"app.js", "200 OK", "text/javascript; charset=utf-8", "let a"},
                {"sub/", "200 OK", "text/html; charset=utf-8", "<p>sub"},
                {"sub/b.css", "200 OK", "text/css; charset=utf-8", ""},
                {"none", "404 Not Found", "text/plain", "there is no such file\n"},
                {".hidden", "404 Not Found", "text/plain", "there is no such file\n"},
                {"link.txt", "404 Not Found", "text/plain", "there is no such file\n"},
                {"pipe", "404 Not Found", "text/plain", "there is no such file\n"},
                {"../index.html", "400 Bad Request", "text/plain", "the path cannot be decoded\n"},
        };
        struct scene scene;

        begin(&scene);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const char *answer = get(&scene, cases[i].path, ""), *body;

                body = strstr(answer, "\r\n\r\n");
                if (strncmp(answer + 9, cases[i].status, strlen(cases[i].status)) != 0 ||
                    !strstr(answer, cases[i].type) || !body || strcmp(body + 4, cases[i].body) != 0)
                        FAIL("%s: %s", cases[i].path, answer);
        }
        end(&scene);
}

/* Or what its page names would be looked for beside it. */
TEST(a_folder_without_its_slash_is_sent_to_the_one_with_it)
{
        static const struct {
                const char *path, *location;
        } cases[] = {
                {"sub", "./sub/"},
                {"sub?a=b/c", "./sub/?a=b/c"},
                {"sub?", "./sub/?"},
                {"s%75b", "./s%75b/"},
        };
        char wanted[64], long_query[2048];
        struct scene scene;

        begin(&scene);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const char *answer = get(&scene, cases[i].path, "");

                snprintf(wanted, sizeof(wanted), "\r\nLocation: %s\r\n", cases[i].location);
                if (strncmp(answer, "HTTP/1.1 308 Permanent Redirect\r\n", 33) != 0 ||
                    !strstr(answer, wanted))
                        FAIL("%s: %s", cases[i].path, answer);
        }
        memset(long_query, 'q', sizeof(long_query));
        memcpy(long_query, "sub?", 4);
        long_query[2045] = '\0';
        CHECK_EQ(strncmp(get(&scene, long_query, ""), "HTTP/1.1 414 ", 13), 0);
        long_query[2044] = '\0';
        CHECK_EQ(strncmp(get(&scene, long_query, ""), "HTTP/1.1 308 ", 13), 0);
        end(&scene);
}

TEST(who_has_it_already_is_told_so)
{
        char etag[64], fields[128];
        struct scene scene;
        const char *answer;

        begin(&scene);
        find_etag(get(&scene, "app.js", ""), etag);
        snprintf(fields, sizeof(fields), "If-None-Match: \"x\", %s\r\n", etag);
        answer = get(&scene, "app.js", fields);
        CHECK_EQ(strncmp(answer, "HTTP/1.1 304 Not Modified\r\n", 27), 0);
        CHECK(strstr(answer, "Vary: Accept-Encoding\r\n") != NULL);
        CHECK_NULL(strstr(answer, "Content-"));
        CHECK(strncmp(get(&scene, "index.html", fields), "HTTP/1.1 200 ", 13) == 0);
        end(&scene);
}

TEST(a_compressed_form_is_for_those_who_take_it)
{
        char plain[64], zipped[64];
        struct scene scene;
        const char *answer;

        begin(&scene);
        answer = get(&scene, "app.js", "Accept-Encoding: br, gzip\r\n");
        CHECK(strstr(answer, "Content-Encoding: gzip\r\n") != NULL);
        CHECK(strstr(answer, "Content-Type: text/javascript; charset=utf-8\r\n") != NULL);
        CHECK(strstr(answer, "\r\n\r\nzipped") != NULL);
        find_etag(answer, zipped);
        answer = get(&scene, "app.js", "Accept-Encoding: gzip;q=0\r\n");
        CHECK_NULL(strstr(answer, "Content-Encoding"));
        CHECK(strstr(answer, "\r\n\r\nlet a") != NULL);
        find_etag(answer, plain);
        CHECK(strcmp(plain, zipped) != 0);
        CHECK_NULL(strstr(get(&scene, "index.html", "Accept-Encoding: gzip\r\n"), "Vary"));
        end(&scene);
}

TEST(a_folder_that_is_too_much_is_refused)
{
        struct http_files *files = NULL;
        struct error error;
        char name[32];

        make_folder();
        for (unsigned i = 0; i < HTTP_FILES_MAX; i++) {
                snprintf(name, sizeof(name), "%u.txt", i);
                put(name, "x");
        }
        CHECK_EQ(http_files_new(folder, &files, &error), -EFBIG);
        CHECK(strstr(error.text, "more than 512 files") != NULL);
        remove_folder();
        CHECK_EQ(http_files_new(folder, &files, &error), -ENOENT);
        CHECK(strstr(error.text, "cannot read its files") != NULL);
}

TEST(a_file_that_cannot_be_read_is_named)
{
        struct http_files *files = NULL;
        struct error error;
        char name[240] = "sub/", path[300];

        make_folder();
        memset(name + 4, 'n', 220);
        put(name, "x");
        CHECK_EQ(http_files_new(folder, &files, &error), -EINVAL);
        snprintf(path, sizeof(path), "%s/sub/nnnnnn", folder);
        CHECK(strncmp(error.text, path, strlen(path)) == 0);
        CHECK(strstr(error.text, "n: cannot be read: Invalid argument") != NULL);
        remove_folder();
}

TEST(what_a_file_is_stands_behind_its_last_dot)
{
        CHECK_TEXT(http_media_type("a.min.js"), "text/javascript; charset=utf-8");
        CHECK_TEXT(http_media_type("a.d/b"), "application/octet-stream");
        CHECK_TEXT(http_media_type("a.JS"), "application/octet-stream");
        CHECK_TEXT(http_media_type(""), "application/octet-stream");
}
