#include "http/media-type.h"

#include "base/attributes.h"

#include <string.h>

const char *http_media_type(const char *path)
{
        static const struct {
                const char *extension, *type;
        } known[] = {
                {"html", "text/html; charset=utf-8"},
                {"js", "text/javascript; charset=utf-8"},
                {"mjs", "text/javascript; charset=utf-8"},
                {"css", "text/css; charset=utf-8"},
                {"json", "application/json"},
                {"map", "application/json"},
                {"webmanifest", "application/manifest+json"},
                {"txt", "text/plain; charset=utf-8"},
                {"svg", "image/svg+xml"},
                {"png", "image/png"},
                {"jpg", "image/jpeg"},
                {"ico", "image/x-icon"},
                {"webp", "image/webp"},
                {"woff2", "font/woff2"},
                {"wasm", "application/wasm"},
                {"gz", "application/gzip"},
        };
        const char *slash = strrchr(path, '/');
        const char *dot = strrchr(slash ? slash : path, '.');

        for (size_t i = 0; dot && i < ARRAY_SIZE(known); i++)
                if (strcmp(dot + 1, known[i].extension) == 0)
                        return known[i].type;
        return "application/octet-stream";
}
