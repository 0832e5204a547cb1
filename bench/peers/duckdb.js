'use strict';
// The peers' rule (docs/peers.md) by DuckDB, in memory: node duckdb.js CLICKS CONVERSIONS OUTPUT
// THREADS. Prints one line of JSON: version, seconds of loading and of matching.
//
// Of what was tried this is the fastest: ASOF joins, over only those clicks whose key an open
// conversion has. (Joining on the key and taking arg_max of the time wins for addresses by little,
// and takes minutes where thousands of conversions share a fingerprint with thousands of clicks.)
// Keys stay text: an ASOF join on fingerprints as BLOBs gave wrong matches in 1.5.6.
const fs = require('fs');
const { DuckDBInstance } = require('@duckdb/node-api');

const TYPES = { click_timestamp: 'TIMESTAMP', conversion_timestamp: 'TIMESTAMP',
                is_valid: 'BOOLEAN' };

const quote = (text) => `'${text.replaceAll("'", "''")}'`;

function header(file) {
  const buffer = Buffer.alloc(65536);
  const size = fs.readSync(fs.openSync(file), buffer, 0, buffer.length, 0);
  return buffer.toString('utf8', 0, size).split(/\r?\n/)[0].split(',');
}

// Explicit types, no sniffing; only the columns that a query names become values.
function readCsv(file) {
  const columns = header(file).map((name) => `${quote(name)}: '${TYPES[name] || 'VARCHAR'}'`);
  return `read_csv(${quote(file)}, header = true, auto_detect = false, delim = ',', quote = '"',
      escape = '"', nullstr = '', parallel = true, columns = {${columns.join(', ')}})`;
}

const load = (clicks, conversions) => [`
  CREATE TABLE clicks AS
  SELECT tenant_id, click_id, click_timestamp AS t, fingerprint_hash AS fingerprint,
         ip_address, device_type
  FROM ${readCsv(clicks)} WHERE is_valid IS NOT false`, `
  CREATE TABLE conversions AS
  SELECT tenant_id, conversion_id, conversion_timestamp AS t, click_id,
         conversion_fingerprint_hash AS fingerprint, ip_address, device_type
  FROM ${readCsv(conversions)}`];

const match = (output) => [`
  CREATE TABLE by_id AS
  SELECT v.*, c.click_id AS found
  FROM conversions v LEFT JOIN clicks c
    ON c.tenant_id = v.tenant_id AND c.click_id = v.click_id
   AND c.t <= v.t AND c.t > v.t - INTERVAL 7 DAYS`, `
  CREATE TABLE by_fingerprint AS
  WITH open AS (SELECT * EXCLUDE (found) FROM by_id WHERE found IS NULL),
       near AS (SELECT tenant_id, fingerprint, t, click_id FROM clicks
                WHERE (tenant_id, fingerprint) IN
                      (SELECT (tenant_id, fingerprint) FROM open WHERE fingerprint IS NOT NULL))
  SELECT v.*, CASE WHEN c.t > v.t - INTERVAL 7 DAYS THEN c.click_id END AS found
  FROM open v ASOF LEFT JOIN near c
    ON c.tenant_id = v.tenant_id AND c.fingerprint = v.fingerprint AND v.t >= c.t`, `
  CREATE TABLE by_address AS
  WITH open AS (SELECT * EXCLUDE (found) FROM by_fingerprint WHERE found IS NULL),
       near AS (SELECT tenant_id, ip_address, device_type, t, click_id FROM clicks
                WHERE (tenant_id, ip_address, device_type) IN
                      (SELECT (tenant_id, ip_address, device_type) FROM open
                       WHERE ip_address IS NOT NULL AND device_type IS NOT NULL))
  SELECT v.*, CASE WHEN c.t > v.t - INTERVAL 24 HOURS THEN c.click_id END AS found
  FROM open v ASOF LEFT JOIN near c
    ON c.tenant_id = v.tenant_id AND c.ip_address = v.ip_address
   AND c.device_type = v.device_type AND v.t >= c.t`, `
  COPY (
    SELECT conversion_id, tenant_id, found AS click_id, 'click_id' AS method
    FROM by_id WHERE found IS NOT NULL
    UNION ALL
    SELECT conversion_id, tenant_id, found, 'fingerprint'
    FROM by_fingerprint WHERE found IS NOT NULL
    UNION ALL
    SELECT conversion_id, tenant_id, found, CASE WHEN found IS NULL THEN 'none' ELSE 'address' END
    FROM by_address
  ) TO ${quote(output)} (FORMAT csv, HEADER)`];

async function main([clicks, conversions, output, threads]) {
  const instance = await DuckDBInstance.create(':memory:',
    { threads, preserve_insertion_order: 'false' });
  const connection = await instance.connect();
  const run = async (statements) => {
    const started = process.hrtime.bigint();
    for (const statement of statements) await connection.run(statement);
    return Number(process.hrtime.bigint() - started) / 1e9;
  };
  const version = (await connection.runAndReadAll('SELECT version()')).getRows()[0][0];
  const load_seconds = await run(load(clicks, conversions));
  const match_seconds = await run(match(output));
  console.log(JSON.stringify({ version, load_seconds, match_seconds }));
}

main(process.argv.slice(2)).catch((error) => {
  console.error(`duckdb.js: ${error.message}`);
  process.exitCode = 1;
});
