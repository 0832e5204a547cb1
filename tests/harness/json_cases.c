#include "harness/json_cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH "tests/golden/json/cases.tsv"
#define LINE_BYTES_MAX 4096

_Noreturn static void fail(const char *what, const char *line)
{
    fprintf(stderr, "%s: %s %.80s\n", PATH, what, line);
    exit(1);
}

/* Cut the next column off a line. */
static char *next_column(char **line)
{
    char *column = *line, *tab = strpbrk(column, "\t\n");
    if (tab == NULL)
        fail("a column is missing:", column);
    *tab = '\0';
    *line = tab + 1;
    return column;
}

/* Undo \xNN and \\ in place; the bytes that are left. */
static size_t unescape(char *text)
{
    size_t size = 0;
    for (const char *at = text; *at != '\0'; size++) {
        unsigned byte = (unsigned char)*at;
        size_t taken = 1;
        if (byte == '\\') {
            taken = at[1] == '\\' ? 2 : 4;
            if (taken == 4 && sscanf(at, "\\x%2x", &byte) != 1)
                fail("a malformed escape:", at);
        }
        text[size] = (char)byte;
        at += taken;
    }
    return size;
}

static void read_case(char *line, json_case *one)
{
    const char *name = next_column(&line);
    size_t times = strtoul(next_column(&line), NULL, 10);
    char *text = next_column(&line), *behind = next_column(&line);
    if (times == 0 || strlen(name) >= sizeof one->name || strchr("yni", name[0]) == NULL)
        fail("a malformed case:", name);
    size_t text_size = unescape(text), behind_size = unescape(behind);
    memcpy(one->name, name, strlen(name) + 1);
    one->verdict = (json_verdict)name[0];
    one->size = times * text_size + behind_size;
    one->text = malloc(one->size + 1);
    if (one->text == NULL)
        fail("no memory for", name);
    for (size_t i = 0; i < times; i++)
        memcpy(one->text + i * text_size, text, text_size);
    memcpy(one->text + times * text_size, behind, behind_size);
}

json_cases json_cases_load(void)
{
    json_cases cases = {0};
    char line[LINE_BYTES_MAX];
    FILE *file = fopen(PATH, "rb");
    if (file == NULL)
        fail("cannot be read;", "run from the root of the repository");
    while (fgets(line, sizeof line, file) != NULL) {
        json_case *list = realloc(cases.list, (cases.count + 1) * sizeof *list);
        if (list == NULL)
            fail("no memory for", line);
        cases.list = list;
        read_case(line, &list[cases.count++]);
    }
    fclose(file);
    return cases;
}

void json_cases_free(json_cases *cases)
{
    for (size_t i = 0; i < cases->count; i++)
        free(cases->list[i].text);
    free(cases->list);
    *cases = (json_cases){0};
}
