#include "cli/agent-program.h"
#include "cli/check.h"
#include "cli/config-file.h"
#include "data/json.h"
#include "data/yaml-edit.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

const char *check_setting(const struct check_place *place, const char *section, const char *key,
                          const char *standard)
{
        const cJSON *holder = section ? json_get(place->outline, section) : place->outline;
        const char *text = json_get_string(holder, key);

        return text ? text + 1 : standard; /* behind the mark of its style */
}

static void check_permissions(const char *path, const struct config_file *file,
                              struct findings *findings)
{
        if (file->mode & S_IWOTH)
                finding_advise(finding_add(findings, FINDING_PROBLEM, "config",
                                           "every user of this machine can change %s (%04o)", path,
                                           (unsigned)file->mode),
                               "chmod 0640 %s", path);
        else if (file->mode & S_IROTH)
                finding_advise(finding_add(findings, FINDING_WARNING, "config",
                                           "every user of this machine can read %s (%04o), hashes "
                                           "and all",
                                           path, (unsigned)file->mode),
                               "chmod 0640 %s; chgrp " CONFIG_FILE_GROUP
                               " %s where the agent runs in that group",
                               path, path);
        else
                finding_add(findings, FINDING_OK, "config", "%s is private (%04o)", path,
                            (unsigned)file->mode);
}

static void check_content(const char *path, struct findings *findings)
{
        char output[AGENT_PROGRAM_OUTPUT_MAX];
        struct error error = {0};
        int status = 0;

        if (agent_program_check_config(path, &status, output, &error) < 0) {
                finding_advise(finding_add(findings, FINDING_WARNING, "config", "not checked: %s",
                                           error.text),
                               "install the package pifleet-agent, or check it where the agent is");
                return;
        }
        if (status == 0) {
                finding_add(findings, FINDING_OK, "config", "the agent accepts it");
                return;
        }
        output[strcspn(output, "\n")] = '\0';
        finding_advise(finding_add(findings, FINDING_PROBLEM, "config",
                                   "the agent refuses it: %.300s",
                                   *output ? output : "without saying why"),
                       "the agent will not start again before this is mended");
}

/* An appliance opens no port, and the Unix socket needs no token. */
static bool has_ports(const struct check_place *place)
{
        return strcmp(check_setting(place, NULL, "profile", "standard"), "appliance") != 0 &&
               (strcmp(check_setting(place, "command", "port", "3000"), "0") != 0 ||
                strcmp(check_setting(place, "command", "tls_port", "0"), "0") != 0);
}

static bool is_open_to_network(const struct check_place *place)
{
        const char *host = check_setting(place, "command", "host", "0.0.0.0");

        return strcmp(check_setting(place, "access", "mode", "token"), "open") == 0 &&
               strncmp(host, "127.", 4) != 0 && strcmp(host, "::1") != 0 &&
               strcmp(host, "localhost") != 0 &&
               strcmp(check_setting(place, "access", "allow_open_network", "false"), "true") == 0;
}

static void check_access(const struct check_place *place, struct findings *findings)
{
        const cJSON *tokens = json_get(json_get(place->outline, "access"), "tokens");
        const char *mode = check_setting(place, "access", "mode", "token");

        if (!has_ports(place))
                finding_add(findings, FINDING_OK, "access", "no port: local users only");
        else if (is_open_to_network(place))
                finding_advise(finding_add(findings, FINDING_WARNING, "access",
                                           "open to the network: whoever reaches this machine may "
                                           "control it"),
                               "set access.mode to token, then: pifleet setup");
        else if (strcmp(mode, "token") == 0 && (!cJSON_IsArray(tokens) || !tokens->child))
                finding_advise(finding_add(findings, FINDING_WARNING, "access",
                                           "no token exists: the agent serves this machine only"),
                               "sudo pifleet setup");
        else if (strcmp(mode, "token") == 0)
                finding_add(findings, FINDING_OK, "access", "%d token%s",
                            cJSON_GetArraySize(tokens), tokens->child->next ? "s" : "");
        else
                finding_add(findings, FINDING_OK, "access", "open, to this machine only");
}

static bool is_below(const char *path, const char *folder)
{
        size_t length = strlen(folder);

        return strncmp(path, folder, length) == 0 && path[length] == '/';
}

/* What the spawner allows by itself, and its unit lets it write to. */
static void check_shared(const struct check_place *place, struct findings *findings)
{
        const cJSON *folders = json_get(json_get(place->outline, "handlers"), "shared_dirs");
        const cJSON *one;

        cJSON_ArrayForEach(one, folders)
        {
                const char *text = cJSON_GetStringValue(one);

                if (!text || text[0] == '\0')
                        continue;
                text++; /* behind the mark of its style */
                if (is_below(text, "/home") || is_below(text, "/srv") || is_below(text, "/mnt") ||
                    is_below(text, "/media"))
                        continue;
                finding_advise(finding_add(findings, FINDING_WARNING, "handlers",
                                           "shared_dirs: an installed spawner shares %.100s only "
                                           "when told, and no module starts until then",
                                           text),
                               "systemctl edit pifleet-spawner@: ReadWritePaths=%.100s, and "
                               "--allow-shared %.100s in ExecStart=; or take a folder below /home, "
                               "/srv, /mnt or /media",
                               text, text);
        }
}

static void explain_absence(const struct check_place *place, int reason, const char *sentence,
                            struct findings *findings)
{
        if (reason == -ENOENT && !place->config_given)
                finding_advise(finding_add(findings, FINDING_OK, "config",
                                           "%s is not there: the agent serves this machine only, "
                                           "in open mode",
                                           place->config_path),
                               "to let others in: sudo pifleet setup");
        else if (reason == -EACCES || reason == -EPERM)
                finding_advise(finding_add(findings, FINDING_WARNING, "config",
                                           "%s may not be read by you", place->config_path),
                               "sudo pifleet doctor");
        else
                finding_add(findings, FINDING_PROBLEM, "config", "%s", sentence);
}

void check_config(struct check_place *place, struct findings *findings)
{
        AUTO(config_file) struct config_file *file = NULL;
        struct error error = {0};
        int r = config_file_open(place->config_path, false, &file, &error);

        if (r < 0) {
                explain_absence(place, r, error.text, findings);
                return;
        }
        check_permissions(place->config_path, file, findings);
        check_content(place->config_path, findings);
        /* What is no YAML at all was reported by the agent. */
        if (yaml_edit_outline(file->text, file->length, &place->outline, NULL) < 0)
                return;
        check_access(place, findings);
        check_shared(place, findings);
}
