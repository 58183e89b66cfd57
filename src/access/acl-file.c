#include "access/acl-file.h"

#include "access/text-lines.h"
#include "access/user-table.h"

#include <errno.h>
#include <string.h>

/* Where we are in a file. */
struct section {
        bool of_user;
        char user[USER_NAME_MAX + 1];
};

/* The first word; *rest is what follows it. */
static char *take_word(char *line, char **rest)
{
        char *end = line + strcspn(line, " \t");

        *rest = end + strspn(end, " \t");
        *end = '\0';
        return line;
}

static int read_user(struct section *section, const char *name, struct error *error)
{
        int r = user_name_check(name, error);

        if (r < 0)
                return r;
        section->of_user = true;
        strcpy(section->user, name);
        return 0;
}

static bool read_access(const char *word, struct acl_rule *rule)
{
        static const struct {
                const char *word;
                uint8_t access;
        } words[] = {{"read", ACL_READ},
                     {"write", ACL_WRITE},
                     {"readwrite", ACL_READWRITE},
                     {"deny", ACL_READWRITE}};

        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
                if (strcmp(word, words[i].word) == 0) {
                        rule->access = words[i].access;
                        rule->denies = strcmp(word, "deny") == 0;
                        return true;
                }
        }
        return false;
}

/* What stands behind `topic` and `pattern`. */
static int read_rule(char *rest, struct acl_rule *rule, struct error *error)
{
        char *topic;
        const char *word = take_word(rest, &topic);

        if (word[0] == '\0')
                return error_set(error, -EINVAL, "expected a topic");
        rule->access = ACL_READWRITE;
        if (topic[0] == '\0') {
                rule->topic = word;
                return 0;
        }
        rule->topic = topic;
        if (!read_access(word, rule))
                return error_set(error, -EINVAL,
                                 "expected read, write, readwrite or deny, and a topic");
        return 0;
}

static int read_line(char *line, struct section *section, struct acl *acl, struct error *error)
{
        struct acl_rule rule = {.whom = ACL_EVERYBODY};
        const char *word;
        char *rest;
        int r;

        if (line[0] == '\0' || line[0] == '#')
                return 0;
        word = take_word(line, &rest);
        if (strcmp(word, "user") == 0)
                return read_user(section, rest, error);
        if (strcmp(word, "topic") == 0) {
                rule.whom = section->of_user ? ACL_USER : ACL_ANONYMOUS;
                rule.name = section->user;
                rule.literal = true;
        } else if (strcmp(word, "pattern") != 0) {
                return error_set(error, -EINVAL,
                                 "expected user, topic, pattern or # and a comment");
        }
        r = read_rule(rest, &rule, error);
        return r < 0 ? r : acl_add(acl, &rule, error);
}

int acl_file_read(const char *name, const char *text, size_t length, struct acl *acl,
                  struct error *error)
{
        struct text_lines lines = {.text = text, .length = length};
        char line[ACL_RULE_MAX + 64];
        struct section section = {0};
        int r;

        while ((r = text_lines_next(&lines, line, sizeof(line), error)) > 0) {
                r = read_line(line, &section, acl, error);
                if (r < 0)
                        break;
        }
        if (r < 0)
                error_prefix(error, "%s:%zu: ", name, lines.number);
        return r;
}
