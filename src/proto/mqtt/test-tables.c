/* The tables of 5.0 that say which property and which reason code may stand in which packet,
 * cell by cell: every number that there is in every packet. */
#include "base/attributes.h"
#include "proto/mqtt/decode-fixture.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>

enum { NUMBERS = 256, HEX_SIZE = 256 };

/* The packets, with what stands before and behind their properties. */
static const struct place {
        const char *name, *type, *before, *behind;
} places[] = {
        {"CONNECT", "10", "00044d515454 05 02 0000", "0000"},
        {"CONNACK", "20", "00 00", ""},
        {"PUBLISH", "30", "0001 61", ""},
        {"PUBACK", "40", "0001 00", ""},
        {"PUBREC", "50", "0001 00", ""},
        {"PUBREL", "62", "0001 00", ""},
        {"PUBCOMP", "70", "0001 00", ""},
        {"SUBSCRIBE", "82", "0001", "0001 61 00"},
        {"SUBACK", "90", "0001", "00"},
        {"UNSUBSCRIBE", "a2", "0001", "0001 61"},
        {"UNSUBACK", "b0", "0001", "00"},
        {"DISCONNECT", "e0", "00", ""},
        {"AUTH", "f0", "18", ""},
        {"will", "10", "00044d515454 05 06 0000 00 0000", "0001 61 0000"},
};

#define ACKNOWLEDGEMENTS "PUBACK PUBREC PUBREL PUBCOMP SUBACK UNSUBACK"

/* Table 2-4: where each property may stand, and a value that it may have. */
static const struct property {
        unsigned number;
        const char *value, *where;
} properties[] = {
        {0x01, "01", "PUBLISH will"},
        {0x02, "00000001", "PUBLISH will"},
        {0x03, "0001 61", "PUBLISH will"},
        {0x08, "0001 61", "PUBLISH will"},
        {0x09, "0001 ff", "PUBLISH will"},
        {0x0b, "01", "PUBLISH SUBSCRIBE"},
        {0x11, "00000001", "CONNECT CONNACK DISCONNECT"},
        {0x12, "0001 61", "CONNACK"},
        {0x13, "0001", "CONNACK"},
        {0x15, "0001 61", "CONNECT CONNACK AUTH"},
        {0x16, "0001 ff", "CONNECT CONNACK AUTH"},
        {0x17, "01", "CONNECT"},
        {0x18, "00000001", "will"},
        {0x19, "01", "CONNECT"},
        {0x1a, "0001 61", "CONNACK"},
        {0x1c, "0001 61", "CONNACK DISCONNECT"},
        {0x1f, "0001 61", "CONNACK DISCONNECT AUTH " ACKNOWLEDGEMENTS},
        {0x21, "0001", "CONNECT CONNACK"},
        {0x22, "0001", "CONNECT CONNACK"},
        {0x23, "0001", "PUBLISH"},
        {0x24, "01", "CONNACK"},
        {0x25, "01", "CONNACK"},
        {0x26, "0001 61 0001 62",
         "CONNECT CONNACK PUBLISH SUBSCRIBE UNSUBSCRIBE DISCONNECT AUTH will " ACKNOWLEDGEMENTS},
        {0x27, "00000001", "CONNECT CONNACK"},
        {0x28, "01", "CONNACK"},
        {0x29, "01", "CONNACK"},
        {0x2a, "01", "CONNACK"},
};

static const struct property *property_of(unsigned number)
{
        for (size_t i = 0; i < ARRAY_SIZE(properties); i++)
                if (properties[i].number == number)
                        return &properties[i];
        return NULL;
}

static bool is_word_of(const char *word, const char *words)
{
        size_t length = strlen(word);

        for (const char *at = strstr(words, word); at; at = strstr(at + 1, word))
                if ((at == words || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
                        return true;
        return false;
}

static size_t count_bytes(const char *hex)
{
        size_t digits = 0;

        for (; *hex; hex++)
                digits += *hex != ' ';
        return digits / 2;
}

/* What is said of the packet with these properties. */
static int judge_with(const struct place *place, const char *text)
{
        size_t length = count_bytes(text), size;
        char hex[HEX_SIZE];

        size = count_bytes(place->before) + 1 + length + count_bytes(place->behind);
        CHECK(length < 0x80 && size < 0x80);
        snprintf(hex, sizeof(hex), "%s%02zx %s %02zx %s %s", place->type, size, place->before,
                 length, text, place->behind);
        return packet_judge(hex, MQTT_VERSION_5);
}

/* Authentication data, and AUTH itself, want a method beside them. */
static const char *company_of(const struct place *place, unsigned number)
{
        bool is_auth = strcmp(place->name, "AUTH") == 0;

        if (number == 0x15)
                return "";
        return is_auth || (number == 0x16 && strcmp(place->name, "CONNECT") == 0) ? "15 0001 61"
                                                                                  : "";
}

/* A number that no property has gets a value all the same. */
static void write_property(unsigned number, char *text, size_t size)
{
        const struct property *property = property_of(number);
        int length = number < 0x80 ? snprintf(text, size, "%02x", number)
                                   : snprintf(text, size, "%02x %02x", number | 0x80, number >> 7);

        snprintf(text + length, size - (size_t)length, " %s", property ? property->value : "00");
}

TEST(a_property_may_stand_where_table_2_4_says_and_nowhere_else)
{
        for (size_t i = 0; i < ARRAY_SIZE(places); i++)
                for (unsigned number = 0; number < NUMBERS; number++) {
                        const struct property *property = property_of(number);
                        bool may = property && is_word_of(places[i].name, property->where);
                        char one[64], text[128];

                        write_property(number, one, sizeof(one));
                        snprintf(text, sizeof(text), "%s %s", one, company_of(&places[i], number));
                        if (judge_with(&places[i], text) != (may ? 0 : MQTT_MALFORMED_PACKET))
                                FAIL("%s: %s: %d", places[i].name, text,
                                     judge_with(&places[i], text));
                }
}

TEST(a_property_stands_once_but_for_user_properties_and_identifiers_of_publish)
{
        for (size_t i = 0; i < ARRAY_SIZE(places); i++)
                for (size_t j = 0; j < ARRAY_SIZE(properties); j++) {
                        const struct property *property = &properties[j];
                        bool may = property->number == 0x26 ||
                                   (property->number == 0x0b &&
                                    strcmp(places[i].name, "PUBLISH") == 0);
                        char text[128];

                        if (!is_word_of(places[i].name, property->where))
                                continue;
                        snprintf(text, sizeof(text), "%02x %s %02x %s %s", property->number,
                                 property->value, property->number, property->value,
                                 company_of(&places[i], property->number));
                        if (judge_with(&places[i], text) != (may ? 0 : MQTT_PROTOCOL_ERROR))
                                FAIL("%s: %s: %d", places[i].name, text,
                                     judge_with(&places[i], text));
                }
}

/* The tables of reasons of each packet, 3.2.2.2 to 3.15.2.1: `before` and `behind` the
 * code. */
static const struct reasons {
        const char *name, *before, *behind, *codes;
} reasons[] = {
        {"CONNACK", "2003 00", "00",
         "00 80 81 82 83 84 85 86 87 88 89 8a 8c 90 95 97 99 9a 9b 9c 9d 9f"},
        {"PUBACK", "4003 0001", "", "00 10 80 83 87 90 91 97 99"},
        {"PUBREC", "5003 0001", "", "00 10 80 83 87 90 91 97 99"},
        {"PUBREL", "6203 0001", "", "00 92"},
        {"PUBCOMP", "7003 0001", "", "00 92"},
        {"SUBACK", "9004 0001 00", "", "00 01 02 80 83 87 8f 91 97 9e a1 a2"},
        {"UNSUBACK", "b004 0001 00", "", "00 11 80 83 87 8f 91"},
        /* 0x8c stands in table 2-6 only. */
        {"DISCONNECT", "e001", "",
         "00 04 80 81 82 83 87 89 8b 8c 8d 8e 8f 90 93 94 95 96 97 98 99 9a 9b 9c 9d 9e 9f a0 a1 "
         "a2"},
        {"AUTH", "f006", "04 15 0001 61", "00 18 19"},
};

TEST(a_packet_has_the_reasons_of_its_table_and_no_others)
{
        for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
                for (unsigned code = 0; code < NUMBERS; code++) {
                        char hex[HEX_SIZE], word[4];
                        int expected, verdict;

                        snprintf(word, sizeof(word), "%02x", code);
                        snprintf(hex, sizeof(hex), "%s %s %s", reasons[i].before, word,
                                 reasons[i].behind);
                        expected = is_word_of(word, reasons[i].codes) ? 0 : MQTT_PROTOCOL_ERROR;
                        verdict = packet_judge(hex, MQTT_VERSION_5);
                        if (verdict != expected)
                                FAIL("%s: %s: %d", reasons[i].name, hex, verdict);
                }
}
