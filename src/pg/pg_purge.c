#include "pg/pg_purge.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "pg/pg_period.h"
#include "sql.h"

#define DOING "purge"

#define PAGE_ROWS "10000"
#define NUMBER_BYTES 24

/* How long a batch should hold its locks, and after how long it is given up: a single row that does
 * not get through is given more, up to the last of them. What a busy machine adds comes on top. */
#define TARGET_US 10000.0
#define LIMIT_MS 40
#define LIMIT_MS_LAST 80
#define ROWS_FIRST 32

#define DEADLOCKS_MAX 5

/* SQLSTATEs */
#define CANCELED "57014" /* the limit has passed */
#define REFERRED_TO "23503"
#define DEADLOCK "40P01"

/* What is gone through, in the order of time. */
typedef struct walk {
    const char *page; /* the next rows: id and time */
    const char *work; /* on some of them: see the columns below */
    const char *count;
    const char *status; /* of dead events */
} walk;

/* What work and count return. */
enum { DELETED, STRIPPED, TOOK_US, UNRESOLVED };

typedef struct purge {
    cm_pg *pg;
    const cm_pg_purge_config *config;
    cm_pg_purge_report *report;
    const walk *walk;
    char before[CM_PG_TIME_BYTES], expired_before[CM_PG_TIME_BYTES];
    cm_buffer tenants;
    cm_buffer ids; /* of the batch, an array literal */
    uint64_t rows; /* of the next batch */
    uint64_t seen;
} purge;

/* ---- a batch ---- */

static uint64_t number_at(const cm_pg_answer *answer, size_t column)
{
    return strtoull(cm_pg_answer_text(answer, 0, column), NULL, 10);
}

static void add_up(purge *p, const cm_pg_answer *answer)
{
    cm_pg_purge_report *report = p->report;
    bool is_clicks = p->walk->work == cm_sql_queries_purge_clicks;
    uint64_t took_us = number_at(answer, TOOK_US);
    *(p->walk->status != NULL ? &report->dead_deleted : &report->clicks_deleted) +=
        number_at(answer, DELETED);
    *(is_clicks ? &report->clicks_stripped : &report->conversions_stripped) +=
        number_at(answer, STRIPPED);
    report->dead_unresolved += number_at(answer, UNRESOLVED);
    report->longest_us = took_us > report->longest_us ? took_us : report->longest_us;
    report->batches++;
}

/* Towards the time that a batch should take, at most twofold at once. */
static void adapt(purge *p, uint64_t rows, uint64_t took_us)
{
    double factor = TARGET_US / ((double)took_us + 1);
    factor = factor < 0.5 ? 0.5 : factor > 2 ? 2 : factor;
    uint64_t next = (uint64_t)((double)rows * factor);
    next = next > p->config->batch_rows ? p->config->batch_rows : next;
    if (rows == p->rows || next < p->rows) /* a short one, at a page's end, says little */
        p->rows = next == 0 ? 1 : next;
}

static cm_status make_ids(purge *p, const cm_pg_answer *page, size_t at, uint64_t rows,
                          cm_error *error)
{
    p->ids.size = 0;
    for (size_t row = at; row < at + rows; row++) {
        const char *id = cm_pg_answer_text(page, row, 0);
        cm_pg_array_add(&p->ids, id, strlen(id));
    }
    cm_pg_array_end(&p->ids);
    return p->ids.failed ? cm_error_memory(error, "a batch", p->ids.size) : CM_OK;
}

/* keep: clicks lose their personal data and stay. */
static cm_status work_once(purge *p, uint64_t rows, unsigned limit_ms, bool keep, cm_error *error)
{
    char timeout_ms[NUMBER_BYTES];
    const cm_pg_value values[] = {{"ids", p->ids.data},
                                  {"before", p->before},
                                  {"expired_before", p->expired_before},
                                  {"timeout_ms", timeout_ms},
                                  {"keep", keep ? "true" : "false"},
                                  {NULL, NULL}};
    cm_pg_answer answer = {NULL};
    (void)snprintf(timeout_ms, sizeof timeout_ms, "%u", limit_ms);
    const char *sql = p->config->dry_run ? p->walk->count : p->walk->work;
    cm_status status = cm_pg_run(p->pg, DOING, sql, values, &answer, error);
    if (status == CM_OK) {
        add_up(p, &answer);
        adapt(p, rows, p->config->dry_run ? 0 : number_at(&answer, TOOK_US));
    }
    cm_pg_answer_free(&answer);
    return status;
}

/* Why a batch failed. */
typedef enum failure { FATAL, LATE, IS_REFERRED_TO, DEADLOCKED } failure;

static failure why_failed(const cm_pg *pg, cm_status status)
{
    static const struct {
        const char *sqlstate;
        failure why;
    } known[] = {{CANCELED, LATE}, {REFERRED_TO, IS_REFERRED_TO}, {DEADLOCK, DEADLOCKED}};
    for (size_t i = 0; status == CM_ERROR_DATABASE && i < sizeof known / sizeof *known; i++)
        if (strcmp(pg->sqlstate, known[i].sqlstate) == 0)
            return known[i].why;
    return FATAL;
}

/* Whether another attempt is worth it, which *rows or *limit_ms are changed for. */
static bool is_worth_it(failure why, unsigned attempt, uint64_t *rows, unsigned *limit_ms)
{
    if (why == DEADLOCKED)
        return attempt < DEADLOCKS_MAX;
    if (*rows > 1) {
        *rows /= 2;
        return true;
    }
    *limit_ms *= 2;
    return why == LATE && *limit_ms <= LIMIT_MS_LAST;
}

/* Some rows of a page from one on. @param done  receives how many are dealt with */
static cm_status work_on(purge *p, const cm_pg_answer *page, size_t at, uint64_t *done,
                         cm_error *error)
{
    uint64_t left = cm_pg_answer_rows(page) - at;
    unsigned limit_ms = LIMIT_MS;
    bool keep = false;
    *done = p->rows < left ? p->rows : left;
    for (unsigned attempt = 1;; attempt++) {
        cm_status status = make_ids(p, page, at, *done, error);
        if (status == CM_OK)
            status = work_once(p, *done, limit_ms, keep, error);
        failure why = why_failed(p->pg, status);
        if (status == CM_OK || why == FATAL)
            return status;
        cm_pg_rollback(p->pg);
        if (why == IS_REFERRED_TO && *done == 1 && !keep) {
            keep = true;
            p->report->kept++;
            continue;
        }
        if (is_worth_it(why, attempt, done, &limit_ms)) {
            p->rows = *done;
            continue;
        }
        p->report->left += why == LATE;
        return why == DEADLOCKED ? status : CM_OK;
    }
}

/* ---- all of a table ---- */

static cm_status read_page(purge *p, const char *after_time, const char *after_id,
                           cm_pg_answer *page, cm_error *error)
{
    const cm_pg_value values[] = {
        {"before", p->before},        {"expired_before", p->expired_before},
        {"tenants", p->tenants.data}, {"after_time", after_time},
        {"after_id", after_id},       {"status", p->walk->status == NULL ? "" : p->walk->status},
        {"page_rows", PAGE_ROWS},     {NULL, NULL}};
    return cm_pg_run(p->pg, DOING, p->walk->page, values, page, error);
}

static cm_status work_page(purge *p, const cm_pg_answer *page, cm_error *error)
{
    cm_status status = CM_OK;
    for (size_t at = 0; status == CM_OK && at < cm_pg_answer_rows(page);) {
        uint64_t done = 0;
        status = work_on(p, page, at, &done, error);
        at += done;
        p->seen += done;
        if (status == CM_OK && p->config->on_progress != NULL)
            p->config->on_progress(p->config->context, p->seen);
    }
    return status;
}

static cm_status take_walk(purge *p, cm_error *error)
{
    cm_pg_answer last = {NULL}, page = {NULL};
    cm_status status =
        read_page(p, "-infinity", "00000000-0000-0000-0000-000000000000", &page, error);
    size_t rows;
    while (status == CM_OK && (rows = cm_pg_answer_rows(&page)) > 0) {
        status = work_page(p, &page, error);
        cm_pg_answer_free(&last);
        last = page;
        page = (cm_pg_answer){NULL};
        if (status == CM_OK)
            status = read_page(p, cm_pg_answer_text(&last, rows - 1, 1),
                               cm_pg_answer_text(&last, rows - 1, 0), &page, error);
    }
    cm_pg_answer_free(&last);
    cm_pg_answer_free(&page);
    return status;
}

static cm_status take_walks(purge *p, cm_error *error)
{
#define DEAD(status)                                                                               \
    {                                                                                              \
        cm_sql_queries_purge_dead_page, cm_sql_queries_purge_dead,                                 \
            cm_sql_queries_purge_dead_count, status                                                \
    }
    static const walk walks[] = {
        {cm_sql_queries_purge_clicks_page, cm_sql_queries_purge_clicks,
         cm_sql_queries_purge_clicks_count, NULL},
        {cm_sql_queries_purge_conversions_page, cm_sql_queries_purge_conversions,
         cm_sql_queries_purge_conversions_count, NULL},
        DEAD("pending"),
        DEAD("in_progress"),
        DEAD("resolved"),
        DEAD("ignored"),
    };
#undef DEAD
    cm_status status = CM_OK;
    for (size_t i = 0; i < sizeof walks / sizeof *walks && status == CM_OK; i++) {
        p->walk = &walks[i];
        status = take_walk(p, error);
    }
    return status;
}

/* ---- the whole ---- */

static cm_status check_indexes(cm_pg *pg, cm_error *error)
{
    cm_pg_answer answer = {NULL};
    cm_status status = cm_pg_run(pg, DOING, cm_sql_queries_purge_indexes, NULL, &answer, error);
    if (status == CM_OK && cm_pg_answer_rows(&answer) > 0) {
        const char *table = cm_pg_answer_text(&answer, 0, 0);
        const char *column = cm_pg_answer_text(&answer, 0, 1);
        status = cm_error_set(error, CM_ERROR_DATABASE,
                              "no index on %s begins with %s, so that each batch would read the "
                              "whole table; CREATE INDEX CONCURRENTLY ON %s (%s), and drop it "
                              "after the purge if you like",
                              table, column, table, column);
    }
    cm_pg_answer_free(&answer);
    return status;
}

static cm_status set_up(purge *p, cm_error *error)
{
    const cm_pg_purge_config *config = p->config;
    cm_pg_time_text(config->before_us, p->before);
    cm_pg_time_text(config->expired_before_us, p->expired_before);
    for (size_t i = 0; i < config->tenant_count; i++)
        cm_pg_array_add(&p->tenants, config->tenants[i], strlen(config->tenants[i]));
    cm_pg_array_end(&p->tenants);
    if (p->tenants.failed)
        return cm_error_memory(error, "the tenants", config->tenant_count);
    cm_status status = check_indexes(p->pg, error);
    if (status == CM_OK)
        status = cm_pg_run(p->pg, DOING, cm_sql_queries_purge_session, NULL, NULL, error);
    return status;
}

/* What was committed is to be on disk, also after an interrupt; where the server failed nobody can
 * ask for it, and the next purge does again what it lost. */
static cm_status sync(purge *p, cm_status status, cm_error *error)
{
    const atomic_bool *interrupt = p->pg->interrupt;
    if (p->config->dry_run || (status != CM_OK && status != CM_ERROR_INTERRUPTED))
        return status;
    cm_pg_rollback(p->pg); /* an interrupted batch */
    p->pg->interrupt = NULL;
    cm_status synced = cm_pg_run(p->pg, DOING, cm_sql_queries_purge_end, NULL, NULL,
                                 status == CM_OK ? error : NULL);
    p->pg->interrupt = interrupt;
    return status == CM_OK ? synced : status;
}

cm_status cm_pg_purge(cm_pg *pg, const cm_pg_purge_config *config, cm_pg_purge_report *report,
                      cm_error *error)
{
    uint64_t rows = config->batch_rows < ROWS_FIRST ? config->batch_rows : ROWS_FIRST;
    purge p = {.pg = pg, .config = config, .report = report, .rows = rows};
    *report = (cm_pg_purge_report){0};
    cm_status status = set_up(&p, error);
    if (status == CM_OK)
        status = sync(&p, take_walks(&p, error), error);
    cm_buffer_destroy(&p.tenants);
    cm_buffer_destroy(&p.ids);
    return status;
}
