// simdjson behind a small C interface: all objects of a block in one go, as it is fastest.
#include <simdjson.h>

// What our headers write in C11.
#define _Noreturn [[noreturn]]
#define _Alignas(bytes) alignas(bytes)

extern "C" {
#include "parsers.h"
}

using namespace simdjson;

namespace {

// --- DOM: stage 2 validates everything ----------------------------------------------------------

void put(json_sink *sink, size_t field, dom::element value)
{
    switch (value.type()) {
    case dom::element_type::STRING: {
        std::string_view text = value.get_string().value_unsafe();
        return sink_put_text(sink, field, text.data(), text.size());
    }
    case dom::element_type::INT64:
        return sink_put_number(sink, field, cm_slice{}, value.get_int64().value_unsafe());
    case dom::element_type::UINT64:
        return sink_put_number(sink, field, cm_slice{},
                               (int64_t)value.get_uint64().value_unsafe());
    case dom::element_type::DOUBLE:
        return sink_put_number(sink, field, cm_slice{}, (int64_t)value.get_double().value_unsafe());
    case dom::element_type::BOOL:
        return sink_put_boolean(sink, field, value.get_bool().value_unsafe());
    case dom::element_type::NULL_VALUE:
        return sink_put_kind(sink, field, CM_VALUE_MISSING);
    default:
        return sink_put_kind(sink, field, CM_VALUE_WRONG);
    }
}

void put_members(json_sink *sink, dom::object object)
{
    sink_begin(sink);
    for (dom::key_value_pair member : object)
        put(sink, sink_field_padded(sink, member.key.data(), member.key.size()), member.value);
    sink_end(sink);
}

void read_dom_many(void *state, const char *block, size_t size, json_sink *sink)
{
    dom::parser *parser = (dom::parser *)state;
    dom::document_stream lines;
    if (parser->parse_many(block, size, size + 1).get(lines)) {
        sink->malformed++;
        return;
    }
    for (auto line : lines) {
        dom::object object;
        if (line.get(object))
            sink->malformed++;
        else
            put_members(sink, object);
    }
    sink->malformed += lines.truncated_bytes() > 0;
}

void read_dom(void *state, const char *block, size_t size, json_sink *sink)
{
    dom::parser *parser = (dom::parser *)state;
    size_t line_size;
    const char *at = block;
    for (const char *line; (line = json_next_line(&at, block + size, &line_size)) != NULL;) {
        dom::object object;
        if (parser->parse(line, line_size, false).get(object))
            sink->malformed++;
        else
            put_members(sink, object);
    }
}

void *open_dom()
{
    return new dom::parser;
}

void close_dom(void *state)
{
    delete (dom::parser *)state;
}

// --- On demand: what is not asked for is not looked at ------------------------------------------

// Look at a value and all in it, so that faults are found. True where there is one.
bool has_fault(ondemand::value value)
{
    ondemand::json_type type;
    if (value.type().get(type))
        return true;
    switch (type) {
    case ondemand::json_type::array: {
        ondemand::array array;
        if (value.get_array().get(array))
            return true;
        for (auto item : array) {
            ondemand::value inner;
            if (item.get(inner) || has_fault(inner))
                return true;
        }
        return false;
    }
    case ondemand::json_type::object: {
        ondemand::object object;
        if (value.get_object().get(object))
            return true;
        for (auto member : object) {
            std::string_view key;
            ondemand::value inner;
            if (member.unescaped_key().get(key) || member.value().get(inner) || has_fault(inner))
                return true;
        }
        return false;
    }
    case ondemand::json_type::string:
        return value.get_string().error();
    case ondemand::json_type::number:
        return value.get_number().error();
    case ondemand::json_type::boolean:
        return value.get_bool().error();
    default: {
        auto is_null = value.is_null();
        return is_null.error() || !is_null.value_unsafe();
    }
    }
}

// True where there is a fault.
bool put(json_sink *sink, size_t field, ondemand::value value)
{
    ondemand::json_type type;
    if (value.type().get(type))
        return true;
    switch (type) {
    case ondemand::json_type::string: {
        std::string_view text;
        if (value.get_string().get(text))
            return true;
        sink_put_text(sink, field, text.data(), text.size());
        return false;
    }
    case ondemand::json_type::number: {
        std::string_view text = value.raw_json_token();
        ondemand::number number;
        if (value.get_number().get(number))
            return true;
        sink_put_number(sink, field, cm_slice_of(text.data(), text.size()), 0);
        return false;
    }
    case ondemand::json_type::boolean: {
        bool is_true;
        if (value.get_bool().get(is_true))
            return true;
        sink_put_boolean(sink, field, is_true);
        return false;
    }
    case ondemand::json_type::null:
        sink_put_kind(sink, field, CM_VALUE_MISSING);
        return has_fault(value);
    default:
        sink_put_kind(sink, field, CM_VALUE_WRONG);
        return has_fault(value);
    }
}

bool put_members(json_sink *sink, ondemand::object object, bool is_all_read)
{
    sink_begin(sink);
    for (auto member : object) {
        std::string_view key;
        ondemand::value value;
        if (member.unescaped_key().get(key) || member.value().get(value))
            return true;
        size_t field = sink_field_padded(sink, key.data(), key.size());
        if (field < CM_FIELD_COUNT_MAX ? put(sink, field, value) : is_all_read && has_fault(value))
            return true;
    }
    sink_end(sink);
    return false;
}

void read_on_demand(ondemand::parser *parser, const char *block, size_t size, json_sink *sink,
                    bool is_all_read)
{
    ondemand::document_stream lines;
    if (parser->iterate_many(block, size, size + 1).get(lines)) {
        sink->malformed++;
        return;
    }
    for (auto line : lines) {
        ondemand::object object;
        if (line.get_object().get(object) || put_members(sink, object, is_all_read)) {
            sink->malformed++;
            return; // after a fault the iterator must not be used
        }
    }
    sink->malformed += lines.truncated_bytes() > 0;
}

void read_known(void *state, const char *block, size_t size, json_sink *sink)
{
    read_on_demand((ondemand::parser *)state, block, size, sink, false);
}

void read_all(void *state, const char *block, size_t size, json_sink *sink)
{
    read_on_demand((ondemand::parser *)state, block, size, sink, true);
}

void *open_on_demand()
{
    return new ondemand::parser;
}

void close_on_demand(void *state)
{
    delete (ondemand::parser *)state;
}

} // namespace

extern "C" {
const json_parser json_simdjson[] = {
    {"simdjson, DOM, block", nullptr, open_dom, read_dom_many, close_dom},
    {"simdjson, DOM, line", nullptr, open_dom, read_dom, close_dom},
    {"simdjson, on demand", nullptr, open_on_demand, read_known, close_on_demand},
    {"simdjson, on demand, all read", nullptr, open_on_demand, read_all, close_on_demand},
};
const size_t json_simdjson_count = sizeof json_simdjson / sizeof *json_simdjson;
}
