// DuckDB reads Parquet, CSV and NDJSON: the types of the columns, the rows, and the
// answers to the questions of questions.py, which are in DIR/questions.json with
// their answers and the types. Usage: node duckdb.mjs DIR
import { readFileSync } from 'node:fs'
import { DuckDBInstance } from '@duckdb/node-api'

const dir = process.argv[2]
const { types, questions } = JSON.parse(readFileSync(`${dir}/questions.json`, 'utf8'))

// What a column of each type is, in Parquet and in CSV where types are guessed.
const PARQUET = {
  id: 'BLOB', hash: 'BLOB', addr: 'VARCHAR', text: 'VARCHAR', int: 'BIGINT',
  float: 'DOUBLE', bool: 'BOOLEAN', time: 'TIMESTAMP WITH TIME ZONE',
}
const GUESSED = { int: 'BIGINT', float: 'DOUBLE', bool: 'BOOLEAN', time: 'TIMESTAMP WITH TIME ZONE' }

// Nothing is fetched: what it reads needs no extension that it does not bring.
const offline = { autoinstall_known_extensions: 'false', autoload_known_extensions: 'false' }
const instance = await DuckDBInstance.create(':memory:', offline)
const connection = await instance.connect()
const ask = async (sql) => (await connection.runAndReadAll(sql)).getRows()
const one = async (sql) => (await ask(sql))[0][0]

let failed = false
async function check(name, what) {
  try {
    await what()
    console.log(`ok      ${name}`)
  } catch (e) {
    failed = true
    console.log(`FAILED  ${name}: ${String(e.message).replace(/\s+/g, ' ').slice(0, 500)}`)
  }
}

function same(got, want, of) {
  const [a, b] = [JSON.stringify(got), JSON.stringify(want)]
  if (a !== b) throw new Error(`${of}: ${a}, want ${b}`)
}

// described returns the types that DuckDB gives to the columns of a query.
async function described(sql) {
  return Object.fromEntries((await ask(`DESCRIBE ${sql}`)).map((row) => [row[0], row[1]]))
}

// texts is a query of all rows as texts that are the same from every format.
function texts(source, columns, binary) {
  const text = {
    id: (c) => (binary ? `lower(hex(${c}))` : `${c}::VARCHAR`),
    time: (c) => `epoch_us(${c}::TIMESTAMPTZ)::VARCHAR`,
    float: (c) => `${c}::DOUBLE::VARCHAR`,
    bool: (c) => `${c}::BOOLEAN::VARCHAR`,
    int: (c) => `${c}::BIGINT::VARCHAR`,
  }
  text.hash = text.id
  const all = Object.entries(columns).map(([c, kind]) => (text[kind] ?? ((c) => `${c}::VARCHAR`))(`"${c}"`) + ` AS "${c}"`)
  return `SELECT ${all.join(', ')} FROM ${source}`
}

// alike fails unless two queries have the same rows, each as often.
async function alike(a, b) {
  for (const [x, y, word] of [[a, b, 'not in the parquet'], [b, a, 'in the parquet alone']]) {
    const left = await ask(`(${x}) EXCEPT ALL (${y})`)
    if (left.length > 0) throw new Error(`${left.length} rows are ${word}, such as ${left[0].join(' ')}`)
  }
}

// plain is a value as JSON has it in the answers.
function plain(value) {
  if (typeof value === 'bigint') return Number(value)
  return value === null || ['number', 'boolean', 'string'].includes(typeof value) ? value : String(value)
}
const sorted = (rows) => rows.map((row) => JSON.stringify(row)).sort()

async function parquet(what, columns) {
  const file = `'${dir}/out/${what}.parquet'`
  await check(`duckdb, parquet ${what}: types`, async () => {
    const want = Object.fromEntries(Object.entries(columns).map(([c, kind]) => [c, PARQUET[kind]]))
    same(await described(`SELECT * FROM ${file}`), want, 'columns')
    for (const [c, kind] of Object.entries(columns)) {
      if (kind !== 'id' && kind !== 'hash') continue
      const odd = await one(`SELECT count(*) FROM ${file} WHERE octet_length("${c}") <> 20`)
      same(Number(odd), 0, `values of ${c} without 20 bytes`)
    }
  })
  await check(`duckdb, parquet ${what}: the rows of the csv, as many as its footer says`, async () => {
    const csv = `read_csv('${dir}/out/${what}.csv', all_varchar = true, header = true)`
    await ask(`CREATE TABLE ${what}_texts AS ${texts(file, columns, true)}`)
    await alike(texts(csv, columns), `SELECT * FROM ${what}_texts`)
    const counts = await ask(`SELECT (SELECT count(*) FROM ${file}), (SELECT num_rows FROM parquet_file_metadata(${file}))`)
    same(Number(counts[0][1]), Number(counts[0][0]), 'rows by the footer')
  })
}

// guessing holds the types that DuckDB guesses of a CSV file to those of the
// columns that have values. A text may look like a number.
async function guessing(what, columns) {
  const names = Object.keys(columns)
  for (const ending of ['csv', 'csv.gz', 'csv.zst']) {
    const source = `read_csv('${dir}/out/${what}.${ending}')`
    const guessed = await described(`SELECT * FROM ${source}`)
    const filled = (await ask(`SELECT ${names.map((c) => `count("${c}")`).join(', ')} FROM ${source}`))[0]
    same(Object.keys(guessed), names, `columns of ${ending}`)
    names.forEach((c, i) => {
      const kind = columns[c]
      if (GUESSED[kind] && filled[i] > 0n) same(guessed[c], GUESSED[kind], `${ending}, ${c}`)
    })
  }
}

async function ndjson(what, columns) {
  const names = Object.keys(columns).map((c) => `"${c}": '${PARQUET[columns[c]].replace('BLOB', 'VARCHAR')}'`)
  for (const ending of ['ndjson', 'ndjson.gz', 'ndjson.zst']) {
    const typed = `read_json('${dir}/out/${what}.${ending}', format = 'newline_delimited', columns = {${names.join(', ')}})`
    await alike(texts(typed, columns), `SELECT * FROM ${what}_texts`)
  }
  const n = await one(`SELECT count(*) FROM read_json('${dir}/out/${what}.ndjson')`)
  same(Number(n), Number(await one(`SELECT count(*) FROM ${what}_texts`)), 'rows, types guessed')
}

await ask(`SET TimeZone = 'UTC'`)
for (const [what, columns] of Object.entries(types)) {
  await parquet(what, columns)
  await check(`duckdb, csv ${what}: types guessed, plain and compressed`, () => guessing(what, columns))
  await check(`duckdb, ndjson ${what}: the rows of the parquet, plain and compressed`, () => ndjson(what, columns))
  await ask(`CREATE TABLE ${what} AS SELECT * FROM '${dir}/out/${what}.parquet'`)
}
for (const { name, sql, answer } of questions) {
  await check(`duckdb: ${name}`, async () => same(sorted((await ask(sql)).map((row) => row.map(plain))), sorted(answer), 'rows'))
}
process.exitCode = failed ? 1 : 0
