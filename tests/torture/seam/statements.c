/* Statements of a text: where one ends, and the one that meets a fault. */
#include "torture/seam/statements.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "torture/seam/seam.h"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"

static const char *behind(const char *at, const char *mark, size_t size)
{
    const char *end = strstr(at, mark);
    return end == NULL ? at + strlen(at) : end + size;
}

/* Behind $tag$ ... $tag$, where such a thing begins here. */
static const char *pass_dollars(const char *at)
{
    char tag[64];
    size_t size = 2 + strspn(at + 1, LETTERS);
    if (at[size - 1] != '$' || size >= sizeof tag)
        return at + 1;
    memcpy(tag, at, size);
    tag[size] = '\0';
    return behind(at + size, tag, size);
}

/* Behind what begins here: quotes, a comment, or a byte. A doubled quote within quotes is the end
 * of one and the beginning of another. */
static const char *pass(const char *at)
{
    if (*at == '\'' || *at == '"')
        return behind(at + 1, *at == '"' ? "\"" : "'", 1);
    if (*at == '$')
        return pass_dollars(at);
    if (strncmp(at, "--", 2) == 0)
        return behind(at, "\n", 1);
    return strncmp(at, "/*", 2) == 0 ? behind(at, "*/", 2) : at + 1;
}

/* The first word; what stands before it is passed by. */
static const char *skip_blanks(const char *at)
{
    while (*at == ' ' || *at == '\n' || *at == ';' || strncmp(at, "--", 2) == 0)
        at = pass(at);
    return at;
}

static const char *end_of(const char *at)
{
    while (*at != '\0' && *at != ';')
        at = pass(at);
    return at;
}

/* Where COMMIT fails, the transaction is over. */
static char *refuse(const char *sql, const char *from, const char *to, const char *sqlstate)
{
    static const char raise[] = "DO $$BEGIN RAISE EXCEPTION 'injected' USING ERRCODE = '%s'; END$$";
    char *changed = NULL, refusal[160];
    if (strcmp(sqlstate, "57P01") == 0)
        (void)snprintf(refusal, sizeof refusal, "SELECT pg_terminate_backend(pg_backend_pid())");
    else
        (void)snprintf(refusal, sizeof refusal, raise, sqlstate);
    if (asprintf(&changed, "%.*s%s%s%s", (int)(from - sql), sql,
                 strncmp(from, "COMMIT", 6) == 0 ? "ROLLBACK; " : "", refusal, to) < 0)
        abort();
    return changed;
}

static const char *mode_of(const char *from)
{
    char word[16];
    size_t size = strspn(from, LETTERS);
    size = size < sizeof word ? size : sizeof word - 1;
    memcpy(word, from, size);
    word[size] = '\0';
    const char *mode = seam_meets(SEAM_SQL, word);
    if (strcmp(word, "COMMIT") != 0)
        return mode;
    const char *of_commit = seam_meets(SEAM_COMMIT, word);
    return mode != NULL ? mode : of_commit;
}

seam_text seam_statements_meet(const char *sql)
{
    seam_text text = {NULL, false};
    const char *to;
    for (const char *from = skip_blanks(sql); *from != '\0'; from = skip_blanks(to)) {
        to = end_of(from);
        const char *mode = mode_of(from);
        if (mode == NULL || text.is_lost || text.changed != NULL)
            continue;
        seam_is_inside = true;
        if (strcmp(mode, "lost") == 0)
            text.is_lost = true;
        else
            text.changed = refuse(sql, from, to, mode);
        seam_is_inside = false;
    }
    return text;
}
