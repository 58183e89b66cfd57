/* `pifleet doctor`: what is wrong on this machine, and what to do about it. */
#include "cli/check.h"
#include "cli/config-file.h"
#include "cli/console-shape.h"
#include "cli/console.h"
#include "cli/subcommand.h"
#include "data/json.h"

#include <errno.h>
#include <string.h>

struct doctor_options {
        const char *config;
        struct console_shape shape;
        struct target_options target;
};

static const struct options_entry entries[] = {
        {.name = "config",
         .type = OPTIONS_TEXT,
         .offset = offsetof(struct doctor_options, config),
         .value = "FILE",
         .help = "the agent's config (" CONFIG_FILE_DEFAULT ")"},
};

static const struct options_form form = {
        .name = "pifleet doctor",
        .arguments = "",
        .summary = "look for what is wrong on this machine, and say what to do",
        .text = "Looks at the config and who can read it, whether the agent answers, who else has\n"
                "its port, the state directory, the clock, the disk, the limits, systemd's unit, "
                "the\nsupervisor, the GPIO chips, their pins in use, and the PWM channels.\n"
                "Changes nothing. As root it sees more.",
        .groups = {{"Options", entries, ARRAY_SIZE(entries), 0},
                   CONSOLE_SHAPE_GROUP(struct doctor_options, shape),
                   TARGET_OPTIONS_GROUP(struct doctor_options, target)},
        .examples = "  sudo pifleet doctor\n"
                    "  pifleet doctor --config ./agent.yaml --port 3001\n"
                    "  pifleet doctor --json | jq '.findings[] | select(.level != \"ok\")'",
        .after = "Exit status: 0 no problem (warnings may be there), 1 a problem, 2 wrong usage.",
};

static int print(const struct console *console, const struct findings *findings)
{
        AUTO_JSON cJSON *object = NULL;
        struct buffer out;
        int r;

        if (!console->readable) {
                object = findings_to_json(findings);
                return object ? console_write_object(console, object, false) : -ENOMEM;
        }
        buffer_init(&out, 1 << 20);
        r = findings_render(findings, &console->style, &out);
        if (r == 0)
                r = console_write(&out);
        buffer_done(&out);
        return r;
}

static enum exit_status run(int argc, char *argv[])
{
        struct doctor_options options = {.target = TARGET_OPTIONS_DEFAULT};
        struct findings findings = {.count = 0};
        struct check_place place = {.devices = "/dev",
                                    .root = "",
                                    .gpio = &gpio_probe_kernel,
                                    .target = &options.target};
        const char *state_directory;
        struct console console;
        enum exit_status status;
        size_t words;
        int r;

        if (!subcommand_parse(&form, argc, argv, &options, &words, &status))
                return status;
        console_init(&console, options.shape.json, options.shape.text);
        place.config_given = options.config != NULL;
        place.config_path = options.config ? options.config : CONFIG_FILE_DEFAULT;
        check_config(&place, &findings);
        check_agent(&place, &findings);
        state_directory = check_setting(&place, NULL, "state_dir", "/var/lib/pifleet");
        check_state_directory(state_directory, &findings);
        check_disk(state_directory, &findings);
        check_clock(&findings);
        check_unit(&place, &findings);
        check_supervisor(&place, &findings);
        check_gpio(&place, &findings);
        check_released_outputs(&place, &findings);
        check_pwm(&place, &findings);
        check_descriptors(&findings);
        cJSON_Delete(place.outline);
        r = print(&console, &findings);
        if (r < 0)
                console_complain(&console, "the findings cannot be printed: %s", strerror(-r));
        return r < 0 || findings.problems > 0 ? EXIT_REFUSED : EXIT_OK;
}

const struct subcommand subcommand_doctor = {"doctor", &form, run};
