'use strict';
// The peers' rule (docs/peers.md) by ClickHouse within the process, tables of engine Memory:
// node chdb.js CLICKS CONVERSIONS OUTPUT THREADS. Prints one line of JSON: version, seconds of
// loading and of matching.
//
// Of what was tried this is the fastest: times read as text and parsed by a function, joins (the
// default hash join, ASOF) over only those clicks whose key an open conversion has. LowCardinality
// columns, fingerprints as bytes, parallel_hash and full_sorting_merge joins were not faster.
const fs = require('fs');
const path = require('path');
const { Session } = require('chdb');

const quote = (text) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

function header(file) {
  const buffer = Buffer.alloc(65536);
  const size = fs.readSync(fs.openSync(file), buffer, 0, buffer.length, 0);
  return buffer.toString('utf8', 0, size).split(/\r?\n/)[0].split(',');
}

function readCsv(file) {
  const type = (name) => (name === 'is_valid' ? 'Nullable(Bool)' : 'String');
  const columns = header(file).map((name) => `${name} ${type(name)}`).join(', ');
  return `file(${quote(path.resolve(file))}, 'CSVWithNames', ${quote(columns)})`;
}

const TIME = "DateTime64(6, 'UTC')";
const time = (column) => `parseDateTime64BestEffort(${column}, 6, 'UTC')`;
const table = (name, columns) => `CREATE TABLE ${name} (tenant_id String, t ${TIME},
  fingerprint String, ip_address String, device_type String, ${columns}) ENGINE = Memory`;

const load = (clicks, conversions) => [
  table('clicks', 'click_id String'), `
  INSERT INTO clicks
  SELECT tenant_id, ${time('click_timestamp')}, fingerprint_hash, ip_address, device_type, click_id
  FROM ${readCsv(clicks)} WHERE coalesce(is_valid, true)`,
  table('conversions', 'conversion_id String, click_id String'), `
  INSERT INTO conversions
  SELECT tenant_id, ${time('conversion_timestamp')}, conversion_fingerprint_hash, ip_address,
         device_type, conversion_id, click_id
  FROM ${readCsv(conversions)}`];

const KEPT = 'v.tenant_id, v.t, v.fingerprint, v.ip_address, v.device_type, v.conversion_id';
const found = (name) => table(name, 'conversion_id String, found String');

// A conversion without a match meets a row of defaults: an empty click id, the year 1970.
const match = (output) => [
  found('by_id'), found('by_fingerprint'), found('by_address'), `
  INSERT INTO by_id
  SELECT ${KEPT}, if(c.t <= v.t AND c.t > v.t - INTERVAL 7 DAY, c.click_id, '')
  FROM conversions v ANY LEFT JOIN
       (SELECT * FROM clicks WHERE (tenant_id, click_id) IN
               (SELECT tenant_id, click_id FROM conversions WHERE click_id != '')) c
    ON v.tenant_id = c.tenant_id AND v.click_id = c.click_id`, `
  INSERT INTO by_fingerprint
  SELECT ${KEPT}, if(c.t > v.t - INTERVAL 7 DAY, c.click_id, '')
  FROM (SELECT * FROM by_id WHERE found = '') v ASOF LEFT JOIN
       (SELECT * FROM clicks WHERE fingerprint != '' AND (tenant_id, fingerprint) IN
               (SELECT tenant_id, fingerprint FROM by_id WHERE found = '')) c
    ON v.tenant_id = c.tenant_id AND v.fingerprint = c.fingerprint AND v.t >= c.t`, `
  INSERT INTO by_address
  SELECT ${KEPT}, if(c.t > v.t - INTERVAL 24 HOUR, c.click_id, '')
  FROM (SELECT * FROM by_fingerprint WHERE found = '') v ASOF LEFT JOIN
       (SELECT * FROM clicks WHERE ip_address != '' AND device_type != ''
           AND (tenant_id, ip_address, device_type) IN
               (SELECT tenant_id, ip_address, device_type FROM by_fingerprint WHERE found = '')) c
    ON v.tenant_id = c.tenant_id AND v.ip_address = c.ip_address
   AND v.device_type = c.device_type AND v.t >= c.t`, `
  INSERT INTO FUNCTION file(${quote(path.resolve(output))}, 'CSVWithNames',
      'conversion_id String, tenant_id String, click_id String, method String')
  SELECT conversion_id, tenant_id, found, 'click_id' FROM by_id WHERE found != ''
  UNION ALL
  SELECT conversion_id, tenant_id, found, 'fingerprint' FROM by_fingerprint WHERE found != ''
  UNION ALL
  SELECT conversion_id, tenant_id, found, if(found = '', 'none', 'address') FROM by_address`];

function main([clicks, conversions, output, threads]) {
  const session = new Session();
  const run = (statements) => {
    const started = process.hrtime.bigint();
    for (const statement of statements) session.query(statement);
    return Number(process.hrtime.bigint() - started) / 1e9;
  };
  run([`SET max_threads = ${Number(threads)}`, `SET max_insert_threads = ${Number(threads)}`,
    'SET join_use_nulls = 0', 'SET engine_file_truncate_on_insert = 1']);
  const version = session.query('SELECT version()', 'TabSeparated').trim();
  const load_seconds = run(load(clicks, conversions));
  const match_seconds = run(match(output));
  session.cleanup();
  console.log(JSON.stringify({ version, load_seconds, match_seconds }));
}

try {
  main(process.argv.slice(2));
} catch (error) {
  console.error(`chdb.js: ${error.message}`);
  process.exitCode = 1;
}
