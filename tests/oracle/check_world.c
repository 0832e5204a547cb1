/**
 * Looks after the oracle itself: do the random worlds reach every word of every layer, and what
 * does the C reference say of one of them, for compare_world.py to hold against the Python one?
 *
 *     check_world [WORLDS]            count the words over so many worlds; fails where one never
 * came check_world --dump DIR NUMBER   write one world, its model and the results as files
 */
#include "world.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const methods[CM_METHOD_COUNT] = {"unattributed", "url_param", "fingerprint",
                                                     "probabilistic"};
static const char *const words[CM_LAYER_WORD_COUNT] = {
    "success",        "not_attempted",  "no_param",  "no_match",      "expired",        "invalid",
    "no_fingerprint", "low_confidence", "no_signal", "no_candidates", "low_probability"};

/* Which words each layer can give. */
static const bool possible[CM_LAYER_COUNT][CM_LAYER_WORD_COUNT] = {
    {1, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0},
    {1, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0},
    {1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1},
};

/* ---- Counting ---- */

typedef struct tally {
    size_t words[CM_LAYER_COUNT][CM_LAYER_WORD_COUNT];
    size_t methods[CM_METHOD_COUNT], candidates[CM_RESULT_CANDIDATES_MAX + 1];
    size_t results, duplicates;
} tally;

static void count_world(uint64_t number, tally *counts)
{
    reference_model model;
    char *json;
    world *made = world_numbered(number, &model, &json);
    reference *matcher = reference_create(&model);
    counts->duplicates += reference_add(matcher, made->clicks, made->click_count);
    for (size_t i = 0; i < made->conversion_count; i++) {
        cm_result result;
        reference_match(matcher, &made->conversions[i], &result);
        for (size_t layer = 0; layer < CM_LAYER_COUNT; layer++)
            counts->words[layer][result.layers[layer]]++;
        counts->methods[result.method]++;
        counts->candidates[result.candidate_count]++;
        counts->results++;
    }
    reference_destroy(matcher);
    world_destroy(made);
    free(json);
}

static int count_worlds(uint64_t end)
{
    tally counts = {0};
    int status = EXIT_SUCCESS;
    for (uint64_t number = 0; number < end; number++)
        count_world(number, &counts);
    printf("%zu results, %zu duplicate clicks\n", counts.results, counts.duplicates);
    for (size_t i = 0; i < CM_METHOD_COUNT; i++)
        printf("%-15s %8zu\n", methods[i], counts.methods[i]);
    for (size_t i = 0; i <= CM_RESULT_CANDIDATES_MAX; i++)
        printf("%zu candidates    %8zu\n", i, counts.candidates[i]);
    for (size_t layer = 0; layer < CM_LAYER_COUNT; layer++)
        for (size_t word = 0; word < CM_LAYER_WORD_COUNT; word++) {
            size_t count = counts.words[layer][word];
            if (possible[layer][word] != (count > 0)) {
                printf("WRONG: ");
                status = EXIT_FAILURE;
            }
            if (possible[layer][word] || count > 0)
                printf("layer %zu %-15s %8zu\n", layer + 1, words[word], count);
        }
    return status;
}

/* ---- Writing one world ---- */

static FILE *open_in(const char *folder, const char *name)
{
    char path[4096];
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
        abort();
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    return file;
}

static void close_file(FILE *file)
{
    if (fclose(file) != 0) {
        perror("writing the world");
        exit(EXIT_FAILURE);
    }
}

/* Always quoted; an empty field is missing all the same. */
static void write_text(FILE *file, cm_slice text)
{
    fputs(",\"", file);
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '"')
            fputc('"', file);
        fputc(text.data[i], file);
    }
    fputc('"', file);
}

static void write_time(FILE *file, int64_t time_us)
{
    char text[32];
    struct tm parts;
    time_t seconds = (time_t)(time_us / 1000000);
    if (time_us == CM_TIME_MISSING) {
        fputc(',', file);
        return;
    }
    gmtime_r(&seconds, &parts);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    fprintf(file, ",%s.%06" PRId64 "Z", text, time_us % 1000000);
}

static const char device_columns[] =
    "fingerprint_hash,ip_address,user_agent,device_type,os,browser,"
    "screen_width,screen_height,timezone,timezone_offset\n";

static void write_device(FILE *file, const cm_device *device)
{
    char address[INET6_ADDRSTRLEN] = "";
    int family = device->ip_address.version == 4 ? AF_INET : AF_INET6;
    if (device->ip_address.version != 0)
        inet_ntop(family, device->ip_address.bytes, address, sizeof address);
    fputc(',', file);
    for (size_t i = 0; device->has_fingerprint && i < 32; i++)
        fprintf(file, "%02x", device->fingerprint[i]);
    fprintf(file, ",%s", address);
    const cm_slice rest[] = {device->user_agent, device->device_type,    device->os,
                             device->browser,    device->screen_width,   device->screen_height,
                             device->timezone,   device->timezone_offset};
    for (size_t i = 0; i < sizeof rest / sizeof *rest; i++)
        write_text(file, rest[i]);
    fputc('\n', file);
}

static void write_clicks(FILE *file, const world *made)
{
    fprintf(file,
            "row,tenant_id,click_id,click_timestamp,expires_at,is_valid,fbclid,gclid,campaign_id,"
            "adset_id,ad_id,creative_id,%s",
            device_columns);
    for (size_t i = 0; i < made->click_count; i++) {
        const cm_click *click = &made->clicks[i];
        fprintf(file, "%zu", i);
        write_text(file, click->tenant_id);
        write_text(file, click->click_id);
        write_time(file, click->click_timestamp);
        write_time(file, click->expires_at);
        fputs(click->is_valid ? ",t" : ",f", file);
        write_text(file, click->fbclid);
        write_text(file, click->gclid);
        write_text(file, click->campaign_id);
        write_text(file, click->adset_id);
        write_text(file, click->ad_id);
        write_text(file, click->creative_id);
        write_device(file, &click->device);
    }
}

static void write_conversions(FILE *file, const world *made)
{
    fprintf(file, "row,tenant_id,conversion_id,conversion_timestamp,click_id,fbclid,gclid,%s",
            device_columns);
    for (size_t i = 0; i < made->conversion_count; i++) {
        const cm_conversion *conversion = &made->conversions[i];
        fprintf(file, "%zu", i);
        write_text(file, conversion->tenant_id);
        write_text(file, conversion->conversion_id);
        write_time(file, conversion->conversion_timestamp);
        write_text(file, conversion->click_id);
        write_text(file, conversion->fbclid);
        write_text(file, conversion->gclid);
        write_device(file, &conversion->device);
    }
}

/* Numbers in hexadecimal, so that every bit counts. */
static void write_result(FILE *file, const cm_conversion *conversion, const cm_result *result)
{
    const cm_matched_click *click = &result->click;
    fprintf(file, "%s", methods[result->method]);
    write_text(file, conversion->conversion_id);
    write_text(file, click->click_id);
    write_text(file, click->campaign_id);
    write_text(file, click->adset_id);
    write_text(file, click->ad_id);
    write_text(file, click->creative_id);
    fprintf(file, ",%a,%a,%" PRId64, result->confidence, result->probability, result->window_hours);
    for (size_t i = 0; i < CM_LAYER_COUNT; i++)
        fprintf(file, ",%s", words[result->layers[i]]);
    fprintf(file, ",%d,%a", result->layer_2_weighed, result->layer_2_probability);
    for (size_t i = 0; i < result->candidate_count; i++) {
        write_text(file, result->candidates[i].click_id);
        fprintf(file, ",%a", result->candidates[i].probability);
    }
    fputc('\n', file);
}

static int dump_world(const char *folder, uint64_t number)
{
    reference_model model;
    char *json;
    world *made = world_numbered(number, &model, &json);
    reference *matcher = reference_create(&model);
    FILE *clicks = open_in(folder, "clicks.csv");
    FILE *conversions = open_in(folder, "conversions.csv");
    FILE *results = open_in(folder, "results.csv");
    FILE *text = open_in(folder, "model.json");
    write_clicks(clicks, made);
    write_conversions(conversions, made);
    fputs(json != NULL ? json : "{}\n", text);
    fprintf(results, "%zu\n", reference_add(matcher, made->clicks, made->click_count));
    for (size_t i = 0; i < made->conversion_count; i++) {
        cm_result result;
        reference_match(matcher, &made->conversions[i], &result);
        write_result(results, &made->conversions[i], &result);
    }
    close_file(clicks);
    close_file(conversions);
    close_file(results);
    close_file(text);
    reference_destroy(matcher);
    world_destroy(made);
    free(json);
    return EXIT_SUCCESS;
}

int main(int count, char **arguments)
{
    if (count == 4 && strcmp(arguments[1], "--dump") == 0)
        return dump_world(arguments[2], strtoull(arguments[3], NULL, 10));
    if (count > 2) {
        fputs("usage: check_world [WORLDS] | check_world --dump DIR NUMBER\n", stderr);
        return 2;
    }
    return count_worlds(count == 2 ? strtoull(arguments[1], NULL, 10) : 48);
}
