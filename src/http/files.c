#include "http/files.h"

#include "base/attributes.h"
#include "base/durable.h"
#include "base/siphash.h"
#include "base/text-copy.h"
#include "http/media-type.h"
#include "proto/http/negotiate.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_SIZE = 256, ETAG_SIZE = 40, LOCATION_SIZE = 2048 };

static const char index_name[] = "index.html", compressed[] = ".gz";

struct file {
        char path[PATH_SIZE]; /* in the folder */
        char *bytes;
        size_t count;
        char etag[ETAG_SIZE];
        const struct file *compressed; /* NULL: there is none */
};

struct http_files {
        struct file *items; /* in the order of their paths */
        size_t count;
        size_t bytes;
        char fault[PATH_SIZE]; /* the first path that could not be read; "": all could */
};

struct http_files *http_files_free(struct http_files *files)
{
        if (!files)
                return NULL;
        for (size_t i = 0; i < files->count; i++)
                free(files->items[i].bytes);
        free(files->items);
        free(files);
        return NULL;
}

static int compare(const void *left, const void *right)
{
        const struct file *one = left, *other = right;

        return strcmp(one->path, other->path);
}

static const struct file *find(const struct http_files *files, const char *path)
{
        struct file key;

        if (snprintf(key.path, sizeof(key.path), "%s", path) >= (int)sizeof(key.path))
                return NULL;
        return bsearch(&key, files->items, files->count, sizeof(key), compare);
}

/* Says that the content is this one, RFC 9110, 8.8.3. Whoever can change the files needs no
 * collision, so the key is no secret. */
static void write_etag(struct file *file)
{
        static const struct siphash_key key = {{0x706966, 0x6c656574}};

        snprintf(file->etag, sizeof(file->etag), "\"%zx-%016" PRIx64 "\"", file->count,
                 siphash(&key, file->bytes, file->count));
}

static int add_file(struct http_files *files, int folder_fd, const char *name, const char *path)
{
        struct file *file;
        int r;

        if (files->count == HTTP_FILES_MAX)
                return -EFBIG;
        file = &files->items[files->count];
        if (snprintf(file->path, sizeof(file->path), "%s", path) >= (int)sizeof(file->path))
                return -ENAMETOOLONG;
        r = durable_read_own(folder_fd, name, HTTP_FILES_BYTES_MAX - files->bytes, &file->bytes,
                             &file->count);
        if (r < 0)
                return r;
        write_etag(file);
        files->bytes += file->count;
        files->count++;
        return 0;
}

static int add_folder(struct http_files *files, int parent_fd, const char *name, const char *path,
                      unsigned depth);

static int add_entry(struct http_files *files, int folder_fd, const char *name, const char *folder,
                     unsigned depth)
{
        char path[2 * PATH_SIZE];
        struct stat status;
        int r = 0;

        if (name[0] == '.')
                return 0;
        snprintf(path, sizeof(path), "%s%s%s", folder, folder[0] ? "/" : "", name);
        if (fstatat(folder_fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
                r = -errno;
        else if (S_ISDIR(status.st_mode))
                r = add_folder(files, folder_fd, name, path, depth + 1);
        else if (S_ISREG(status.st_mode))
                r = add_file(files, folder_fd, name, path);
        if (r < 0 && files->fault[0] == '\0')
                text_copy_into(files->fault, sizeof(files->fault), path);
        return r;
}

static int add_folder(struct http_files *files, int parent_fd, const char *name, const char *path,
                      unsigned depth)
{
        int fd, r = 0;
        struct dirent *entry;
        DIR *folder;

        if (depth > HTTP_FILES_DEPTH_MAX || strlen(path) >= PATH_SIZE)
                return -EFBIG;
        fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (depth ? O_NOFOLLOW : 0));
        if (fd < 0)
                return -errno;
        folder = fdopendir(fd);
        if (!folder) {
                r = -errno;
                close(fd);
                return r;
        }
        while (r == 0 && (errno = 0, entry = readdir(folder)))
                r = add_entry(files, fd, entry->d_name, path, depth);
        if (r == 0 && errno != 0)
                r = -errno;
        closedir(folder);
        return r;
}

/* What is the compressed form of what. */
static void pair_up(struct http_files *files)
{
        for (size_t i = 0; i < files->count; i++) {
                char path[PATH_SIZE + sizeof(compressed)];

                snprintf(path, sizeof(path), "%s%s", files->items[i].path, compressed);
                files->items[i].compressed = find(files, path);
        }
}

int http_files_new(const char *folder, struct http_files **ret, struct error *error)
{
        AUTO(http_files) struct http_files *files = calloc(1, sizeof(*files));
        int r;

        if (files)
                files->items = calloc(HTTP_FILES_MAX, sizeof(*files->items));
        if (!files || !files->items)
                return error_set(error, -ENOMEM, "out of memory");
        r = add_folder(files, AT_FDCWD, folder, "", 0);
        if (r == -EFBIG)
                return error_set(error, r,
                                 "%s: more than %d files, %d levels or %d MiB of them cannot be "
                                 "served",
                                 folder, HTTP_FILES_MAX, HTTP_FILES_DEPTH_MAX,
                                 HTTP_FILES_BYTES_MAX >> 20);
        if (r < 0 && files->fault[0] != '\0')
                return error_set(error, r, "%s/%s: cannot be read: %s", folder, files->fault,
                                 strerror(-r));
        if (r < 0)
                return error_set(error, r, "%s: cannot read its files: %s", folder, strerror(-r));
        qsort(files->items, files->count, sizeof(*files->items), compare);
        pair_up(files);
        *ret = TAKE(files);
        return 0;
}

static const struct file *find_index(const struct http_files *files, const char *path)
{
        size_t length = strlen(path);
        char index[PATH_SIZE + sizeof(index_name)];

        if (length >= PATH_SIZE)
                return NULL;
        snprintf(index, sizeof(index), "%s%s%s", path, length > 0 ? "/" : "", index_name);
        return find(files, index);
}

/* Without the slash behind a folder, what its index names would be looked for beside the folder.
 * Relative: who passes requests on to us may have taken something off the path. */
static void send_to_folder(struct http_exchange *exchange)
{
        const struct http_request *request = http_exchange_request(exchange);
        const struct http_text *path = &request->path, *query = &request->query;
        const char *name = (const char *)memrchr(path->bytes, '/', path->length) + 1;
        char location[LOCATION_SIZE];
        int length =
                snprintf(location, sizeof(location), "./%.*s/%s%.*s",
                         (int)(path->bytes + path->length - name), name, query->bytes ? "?" : "",
                         (int)query->length, query->bytes ? query->bytes : "");

        if (length >= LOCATION_SIZE) {
                http_exchange_refuse(exchange, 414, "the query is too long for a folder's index");
                return;
        }
        http_response_field(http_exchange_begin(exchange, 308), "Location", location);
        http_exchange_end(exchange, "", 0);
}

/* The page asks each time whether it is still the same, and is told so in a few bytes. */
void http_files_answer(const struct http_files *files, struct http_exchange *exchange,
                       const char *path)
{
        const struct http_request *request = http_exchange_request(exchange);
        const struct file *file = find(files, path), *index, *form;
        struct http_response *response;
        struct http_text etag;
        bool has;

        index = file ? NULL : find_index(files, path);
        if (index && request->path.bytes[request->path.length - 1] != '/') {
                send_to_folder(exchange);
                return;
        }
        form = file = file ? file : index;
        if (!file) {
                http_exchange_refuse(exchange, 404, "there is no such file");
                return;
        }
        if (file->compressed && http_encoding_weight(request, HTTP_TEXT("gzip")) > 0)
                form = file->compressed;
        etag = (struct http_text){form->etag, strlen(form->etag)};
        has = http_has_already(request, etag);
        response = http_exchange_begin(exchange, has ? 304 : 200);
        http_response_field(response, "ETag", form->etag);
        http_response_field(response, "Cache-Control", "no-cache");
        if (file->compressed)
                http_response_field(response, "Vary", "Accept-Encoding");
        if (!has) {
                http_response_field(response, "Content-Type", http_media_type(file->path));
                http_response_field(response, "X-Content-Type-Options", "nosniff");
                if (form != file)
                        http_response_field(response, "Content-Encoding", "gzip");
        }
        http_exchange_end(exchange, form->bytes, has ? 0 : form->count);
}
