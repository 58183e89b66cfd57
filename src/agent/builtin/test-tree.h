/* agent/builtin/test-tree.h - trees of files for tests: those under tests/fixtures, and
 * some made on the spot.
 *
 *     struct test_tree tree;
 *     test_tree_init(&tree);
 *     test_tree_put(&tree, "etc/machine-id", "...");
 *     roots = test_tree_roots(&tree);
 *     test_tree_done(&tree); */
#pragma once

#include "support/test.h"

#include "agent/builtin/roots.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct test_tree {
        char path[64];
};

static inline struct roots test_roots_below(const char *directory)
{
        char proc[512], sys[512], etc[512];
        struct roots roots;

        snprintf(proc, sizeof(proc), "%s/proc", directory);
        snprintf(sys, sizeof(sys), "%s/sys", directory);
        snprintf(etc, sizeof(etc), "%s/etc", directory);
        roots_init(&roots, proc, sys, etc);
        return roots;
}

/* The machine of that name in tests/fixtures. */
static inline struct roots test_machine(const char *name)
{
        char path[400];

        snprintf(path, sizeof(path), FIXTURES "/%s", name);
        CHECK_EQ(access(path, R_OK), 0);
        return test_roots_below(path);
}

static inline void test_tree_init(struct test_tree *tree)
{
        strcpy(tree->path, "/tmp/pifleet-tree-XXXXXX");
        CHECK(mkdtemp(tree->path) != NULL);
}

static inline void test_tree_parents(const struct test_tree *tree, const char *path, char *ret)
{
        snprintf(ret, 512, "%s/%s", tree->path, path);
        for (char *slash = ret + strlen(tree->path) + 1; (slash = strchr(slash, '/')); slash++) {
                *slash = '\0';
                (void)mkdir(ret, 0700);
                *slash = '/';
        }
}

static inline void test_tree_put_bytes(const struct test_tree *tree, const char *path,
                                       const void *bytes, size_t count)
{
        char full[512];
        FILE *file;

        test_tree_parents(tree, path, full);
        file = fopen(full, "w");
        CHECK(file != NULL);
        CHECK_EQ(fwrite(bytes, 1, count, file), count);
        CHECK_EQ(fclose(file), 0);
}

static inline void test_tree_put(const struct test_tree *tree, const char *path, const char *text)
{
        test_tree_put_bytes(tree, path, text, strlen(text));
}

static inline struct roots test_tree_roots(const struct test_tree *tree)
{
        return test_roots_below(tree->path);
}

static inline void test_tree_remove(const char *path)
{
        DIR *directory = opendir(path);
        struct dirent *entry;

        CHECK(directory != NULL);
        while ((entry = readdir(directory))) {
                char inner[512];

                if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                        continue;
                CHECK(snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name) <
                      (int)sizeof(inner));
                if (entry->d_type == DT_DIR)
                        test_tree_remove(inner);
                else
                        CHECK_EQ(unlink(inner), 0);
        }
        CHECK_EQ(closedir(directory), 0);
        CHECK_EQ(rmdir(path), 0);
}

static inline void test_tree_done(struct test_tree *tree)
{
        test_tree_remove(tree->path);
}
