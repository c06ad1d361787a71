/** How values of a column are compared, bound and read. */
export type ValueKind =
  | "int"
  | "float"
  | "numeric"
  | "text"
  | "bool"
  | "date"
  | "time"
  | "timestamp"
  | "uuid"
  | "json"
  | "bytes"
  | "enum"
  | "array"
  | "other"

const kinds: Readonly<Record<string, ValueKind>> = {
  int2: "int",
  int4: "int",
  int8: "int",
  oid: "int",
  float4: "float",
  float8: "float",
  numeric: "numeric",
  text: "text",
  varchar: "text",
  bpchar: "text",
  name: "text",
  citext: "text",
  bool: "bool",
  date: "date",
  time: "time",
  timetz: "time",
  timestamp: "timestamp",
  timestamptz: "timestamp",
  uuid: "uuid",
  json: "json",
  jsonb: "json",
  bytea: "bytes"
}

export const kindOfType = (name: string, typtype: string, category: string): ValueKind =>
  typtype === "e" ? "enum" : category === "A" ? "array" : (kinds[name] ?? "other")

/** OIDs of the types that come with PostgreSQL (src/include/catalog/pg_type.dat). */
export const oids = {
  bool: 16,
  bytea: 17,
  name: 19,
  int8: 20,
  int2: 21,
  int4: 23,
  text: 25,
  oid: 26,
  json: 114,
  float4: 700,
  float8: 701,
  bpchar: 1042,
  varchar: 1043,
  date: 1082,
  time: 1083,
  timestamp: 1114,
  timestamptz: 1184,
  interval: 1186,
  timetz: 1266,
  numeric: 1700,
  uuid: 2950,
  jsonb: 3802,
  inet: 869
} as const

/** OID of the array type → OID of its element type. */
export const arrayOids: Readonly<Record<number, number>> = {
  1000: oids.bool,
  1001: oids.bytea,
  1003: oids.name,
  1016: oids.int8,
  1005: oids.int2,
  1007: oids.int4,
  1009: oids.text,
  1028: oids.oid,
  199: oids.json,
  1021: oids.float4,
  1022: oids.float8,
  1014: oids.bpchar,
  1015: oids.varchar,
  1182: oids.date,
  1183: oids.time,
  1115: oids.timestamp,
  1185: oids.timestamptz,
  1187: oids.interval,
  1270: oids.timetz,
  1231: oids.numeric,
  2951: oids.uuid,
  3807: oids.jsonb,
  1041: oids.inet
}

export const intRange: Readonly<Record<string, readonly [bigint, bigint]>> = {
  int2: [-32768n, 32767n],
  int4: [-2147483648n, 2147483647n],
  int8: [-9223372036854775808n, 9223372036854775807n],
  oid: [0n, 4294967295n]
}
