import { spawnSync } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Packages, Tools } from "./suite.ts"

/** Most connections of every pool. */
const max = 8

/** A row of the table that is written to. */
export type Made = {
  readonly name: string
  readonly price: number
  readonly qty: number
  readonly note: string
}

/** What is measured, as one library does it. */
export interface Client {
  readonly byKey?: (id: number) => Promise<unknown>
  readonly hundred?: (qty: number) => Promise<unknown>
  /** 20 of a `qty` above a price, dearest first. */
  readonly ordered?: (qty: number, price: number) => Promise<unknown>
  readonly insert?: (rows: ReadonlyArray<Made>) => Promise<unknown>
  readonly update?: (id: number, price: number) => Promise<unknown>
  /** An author with posts with comments. */
  readonly tree?: (id: number) => Promise<unknown>
  /** Inserts, updates and reads, all or nothing. */
  readonly transaction?: (row: Made, id: number) => Promise<unknown>
  readonly empty: () => Promise<unknown>
}

export interface ServerPeer {
  readonly name: string
  readonly packages: Packages
  /** Names of what it does not do, or not in a way of its own. */
  readonly lacks?: ReadonlyArray<string>
  readonly build?: (folder: string) => void
  readonly connect: (tools: Tools) => Promise<Client>
}

type Rows = Array<Record<string, unknown>>

/** `postgres`, as far as it is used here. */
interface Sql {
  (strings: TemplateStringsArray, ...values: ReadonlyArray<unknown>): Promise<Rows>
  (rows: ReadonlyArray<object>, ...columns: ReadonlyArray<string>): object
  begin<A>(run: (sql: Sql) => Promise<A>): Promise<A>
}

const connectPostgres = async (tools: Tools): Promise<Sql> => {
  const { default: postgres } = (await tools.load("postgres")) as {
    readonly default: (url: unknown, options: object) => Sql
  }
  return postgres(tools.context["url"], { max, onnotice: () => undefined })
}

const hang = (rows: Rows, key: string, onto: Rows, relation: string) => {
  const byKey = new Map(onto.map((row) => [row["id"], row]))
  for (const row of onto) row[relation] = []
  for (const row of rows) (byKey.get(row[key])?.[relation] as Rows | undefined)?.push(row)
}

const rawPostgres = async (tools: Tools): Promise<Client> => {
  const sql = await connectPostgres(tools)
  return {
    byKey: (id) => sql`SELECT * FROM items WHERE id = ${id}`,
    hundred: (qty) => sql`SELECT * FROM items WHERE qty = ${qty}`,
    ordered: (qty, price) =>
      sql`SELECT * FROM items WHERE qty = ${qty} AND price > ${price} ORDER BY price DESC, id LIMIT 20`,
    insert: (rows) => sql`INSERT INTO made ${sql(rows, "name", "price", "qty", "note")} RETURNING id`,
    update: (id, price) => sql`UPDATE items SET price = ${price} WHERE id = ${id}`,
    tree: async (id) => {
      const authors = await sql`SELECT * FROM authors WHERE id = ${id}`
      const posts = await sql`SELECT * FROM posts WHERE author_id = ${id} ORDER BY id`
      const ids = posts.map((post) => post["id"])
      const comments = await sql`SELECT * FROM comments WHERE post_id = ANY(${ids}) ORDER BY id`
      hang(posts, "author_id", authors, "posts")
      hang(comments, "post_id", posts, "comments")
      return authors
    },
    transaction: (row, id) =>
      sql.begin(async (tx) => {
        await tx`INSERT INTO made ${tx([row], "name", "price", "qty", "note")} RETURNING id`
        await tx`UPDATE items SET price = ${row.price} WHERE id = ${id}`
        return tx`SELECT * FROM items WHERE id = ${id}`
      }),
    empty: () => sql`TRUNCATE made`
  }
}

/** A query under construction in drizzle, Kysely, Knex. */
interface Chain extends Promise<unknown> {
  readonly from: (table: unknown) => Chain
  readonly where: (...condition: ReadonlyArray<unknown>) => Chain
  readonly whereIn: (column: string, values: ReadonlyArray<unknown>) => Chain
  readonly orderBy: (...order: ReadonlyArray<unknown>) => Chain
  readonly limit: (rows: number) => Chain
  readonly values: (rows: unknown) => Chain
  readonly set: (values: object) => Chain
  readonly returning: (columns?: unknown) => Chain
  readonly prepare: (name: string) => { execute(values: object): Promise<unknown> }
  readonly selectAll: (table?: string) => Chain
  readonly select: (columns: unknown) => Chain
  readonly whereRef: (left: string, operator: string, right: string) => Chain
  readonly execute: () => Promise<unknown>
  readonly as: (name: string) => Chain
  readonly insert: (rows: unknown, returning?: unknown) => Chain
  readonly update: (values: object) => Chain
}

interface Drizzle {
  select(): Chain
  insert(table: unknown): Chain
  update(table: unknown): Chain
  execute(sql: string): Promise<unknown>
  transaction<A>(run: (tx: Drizzle) => Promise<A>): Promise<A>
  readonly query: { readonly authors: { findMany(options: object): Chain } }
}

type Column = { primaryKey(): Column & { generatedByDefaultAsIdentity(): Column }; notNull(): Column }

interface DrizzleCore {
  readonly pgTable: (
    name: string,
    columns: Record<string, unknown>
  ) => Record<"id" | "price" | "qty" | "author_id" | "post_id", unknown>
  readonly integer: () => Column
  readonly text: () => Column
  readonly doublePrecision: () => Column
}

type Operator = (...parts: ReadonlyArray<unknown>) => unknown
type Link = (table: unknown, columns?: object) => unknown

const openDrizzle = async (tools: Tools) => {
  const sql = await connectPostgres(tools)
  const { doublePrecision, integer, pgTable, text } = (await tools.load("drizzle-orm/pg-core")) as DrizzleCore
  const { drizzle } = (await tools.load("drizzle-orm/postgres-js")) as {
    readonly drizzle: (options: object) => Drizzle
  }
  const orm = (await tools.load("drizzle-orm")) as Record<"eq" | "gt" | "and" | "desc", Operator> & {
    readonly sql: { placeholder(name: string): unknown }
    readonly relations: (table: unknown, links: (link: { one: Link; many: Link }) => object) => unknown
  }
  const columns = () => ({
    name: text().notNull(),
    price: doublePrecision().notNull(),
    qty: integer().notNull(),
    note: text().notNull()
  })
  const items = pgTable("items", { id: integer().primaryKey(), ...columns() })
  const made = pgTable("made", { id: integer().primaryKey().generatedByDefaultAsIdentity(), ...columns() })
  const authors = pgTable("authors", { id: integer().primaryKey(), name: text().notNull() })
  const posts = pgTable("posts", {
    id: integer().primaryKey(),
    author_id: integer().notNull(),
    title: text().notNull()
  })
  const comments = pgTable("comments", {
    id: integer().primaryKey(),
    post_id: integer().notNull(),
    body: text().notNull()
  })
  const schema = {
    authors,
    posts,
    comments,
    authorLinks: orm.relations(authors, ({ many }) => ({ posts: many(posts) })),
    postLinks: orm.relations(posts, ({ many, one }) => ({
      author: one(authors, { fields: [posts.author_id], references: [authors.id] }),
      comments: many(comments)
    })),
    commentLinks: orm.relations(comments, ({ one }) => ({
      post: one(posts, { fields: [comments.post_id], references: [posts.id] })
    }))
  }
  const db = drizzle({ client: sql, schema })
  const { and, desc, eq, gt } = orm
  const byKey = (on: Drizzle, id: unknown) => on.select().from(items).where(eq(items.id, id))
  const insert = (on: Drizzle, rows: unknown) => on.insert(made).values(rows).returning({ id: made.id })
  const update = (on: Drizzle, id: unknown, price: unknown) =>
    on.update(items).set({ price }).where(eq(items.id, id))
  return {
    placeholder: (name: string) => orm.sql.placeholder(name),
    byKey: (id: unknown) => byKey(db, id),
    hundred: (qty: unknown) => db.select().from(items).where(eq(items.qty, qty)),
    ordered: (qty: unknown, price: unknown) =>
      db
        .select()
        .from(items)
        .where(and(eq(items.qty, qty), gt(items.price, price)))
        .orderBy(desc(items.price), items.id)
        .limit(20),
    insert: (rows: unknown) => insert(db, rows),
    update: (id: unknown, price: unknown) => update(db, id, price),
    tree: (id: unknown) =>
      db.query.authors.findMany({
        where: eq(authors.id, id),
        with: { posts: { with: { comments: true } } }
      }),
    transaction: (row: Made, id: number) =>
      db.transaction(async (tx) => {
        await insert(tx, row)
        await update(tx, id, row.price)
        return byKey(tx, id)
      }),
    empty: () => db.execute("TRUNCATE made")
  }
}

const drizzlePrepared = async (tools: Tools): Promise<Client> => {
  const { byKey, empty, hundred, insert, ordered, placeholder, tree, update } = await openDrizzle(tools)
  const named = (name: string) => placeholder(name)
  const prepared = {
    byKey: byKey(named("id")).prepare("by_key"),
    hundred: hundred(named("qty")).prepare("hundred"),
    ordered: ordered(named("qty"), named("price")).prepare("ordered"),
    insert: insert({
      name: named("name"),
      price: named("price"),
      qty: named("qty"),
      note: named("note")
    }).prepare("insert"),
    update: update(named("id"), named("price")).prepare("update"),
    tree: tree(named("id")).prepare("tree")
  }
  return {
    byKey: (id) => prepared.byKey.execute({ id }),
    hundred: (qty) => prepared.hundred.execute({ qty }),
    ordered: (qty, price) => prepared.ordered.execute({ qty, price }),
    insert: ([row]) => prepared.insert.execute(row ?? {}),
    update: (id, price) => prepared.update.execute({ id, price }),
    tree: (id) => prepared.tree.execute({ id }),
    empty
  }
}

interface Query {
  selectFrom(table: string): Chain
  insertInto(table: string): Chain
  updateTable(table: string): Chain
  transaction(): { execute<A>(run: (tx: Query) => Promise<A>): Promise<A> }
}

interface KyselyModule {
  readonly Kysely: new (options: object) => Query
  readonly PostgresDialect: new (options: object) => object
  readonly sql: (strings: TemplateStringsArray) => { execute(db: Query): Promise<unknown> }
}

const kysely = async (tools: Tools): Promise<Client> => {
  const { Kysely, PostgresDialect, sql } = (await tools.load("kysely")) as KyselyModule
  const { jsonArrayFrom } = (await tools.load("kysely/helpers/postgres")) as {
    readonly jsonArrayFrom: (query: Chain) => Chain
  }
  const { default: pg } = (await tools.load("pg")) as {
    readonly default: { readonly Pool: new (options: object) => object }
  }
  const pool = new pg.Pool({ connectionString: tools.context["url"], max })
  const db = new Kysely({ dialect: new PostgresDialect({ pool }) })
  const byKey = (on: Query, id: number) => on.selectFrom("items").selectAll().where("id", "=", id).execute()
  const insert = (on: Query, rows: unknown) => on.insertInto("made").values(rows).returning("id").execute()
  const update = (on: Query, id: number, price: number) =>
    on.updateTable("items").set({ price }).where("id", "=", id).execute()
  const comments = (from: Query) =>
    jsonArrayFrom(
      from.selectFrom("comments").selectAll("comments").whereRef("comments.post_id", "=", "posts.id")
    ).as("comments")
  const posts = (from: Query) =>
    jsonArrayFrom(
      from
        .selectFrom("posts")
        .selectAll("posts")
        .select(comments)
        .whereRef("posts.author_id", "=", "authors.id")
    ).as("posts")
  return {
    byKey: (id) => byKey(db, id),
    hundred: (qty) => db.selectFrom("items").selectAll().where("qty", "=", qty).execute(),
    ordered: (qty, price) =>
      db
        .selectFrom("items")
        .selectAll()
        .where("qty", "=", qty)
        .where("price", ">", price)
        .orderBy("price", "desc")
        .orderBy("id")
        .limit(20)
        .execute(),
    insert: (rows) => insert(db, rows),
    update: (id, price) => update(db, id, price),
    tree: (id) => db.selectFrom("authors").selectAll().select(posts).where("authors.id", "=", id).execute(),
    transaction: (row, id) =>
      db.transaction().execute(async (tx) => {
        await insert(tx, row)
        await update(tx, id, row.price)
        return byKey(tx, id)
      }),
    empty: () => sql`TRUNCATE made`.execute(db)
  }
}

interface Knex {
  (table: string): Chain
  raw(sql: string): Promise<unknown>
  transaction<A>(run: (tx: Knex) => Promise<A>): Promise<A>
}

const knex = async (tools: Tools): Promise<Client> => {
  const { default: make } = (await tools.load("knex")) as { readonly default: (options: object) => Knex }
  const db = make({ client: "pg", connection: tools.context["url"], pool: { min: 0, max } })
  return {
    byKey: (id) => db("items").where({ id }),
    hundred: (qty) => db("items").where({ qty }),
    ordered: (qty, price) =>
      db("items")
        .where({ qty })
        .where("price", ">", price)
        .orderBy([{ column: "price", order: "desc" }, { column: "id" }])
        .limit(20),
    insert: (rows) => db("made").insert(rows, ["id"]),
    update: (id, price) => db("items").where({ id }).update({ price }),
    tree: async (id) => {
      const authors = (await db("authors").where({ id })) as Rows
      const posts = (await db("posts").where({ author_id: id }).orderBy("id")) as Rows
      const ids = posts.map((post) => post["id"])
      const comments = (await db("comments").whereIn("post_id", ids).orderBy("id")) as Rows
      hang(posts, "author_id", authors, "posts")
      hang(comments, "post_id", posts, "comments")
      return authors
    },
    transaction: (row, id) =>
      db.transaction(async (tx) => {
        await tx("made").insert(row, ["id"])
        await tx("items").where({ id }).update({ price: row.price })
        return tx("items").where({ id })
      }),
    empty: () => db.raw("TRUNCATE made")
  }
}

interface Repository {
  find(options: object): Promise<unknown>
  insert(rows: unknown): Promise<unknown>
  update(where: unknown, values: object): Promise<unknown>
}

interface Entities {
  getRepository(name: string): Repository
}

interface Source extends Entities {
  initialize(): Promise<unknown>
  query(sql: string): Promise<unknown>
  transaction<A>(run: (entities: Entities) => Promise<A>): Promise<A>
}

interface TypeOrm {
  readonly DataSource: new (options: object) => Source
  readonly EntitySchema: new (options: object) => object
  readonly MoreThan: (value: number) => unknown
}

const typeorm = async (tools: Tools): Promise<Client> => {
  const { DataSource, EntitySchema, MoreThan } = (await tools.load("typeorm")) as TypeOrm
  const id = { type: "int", primary: true }
  const columns = {
    name: { type: "text" },
    price: { type: "float8" },
    qty: { type: "int" },
    note: { type: "text" }
  }
  const to = (target: string, type: string, inverseSide: string, column?: string) => ({
    target,
    type,
    inverseSide,
    ...(column === undefined ? {} : { joinColumn: { name: column } })
  })
  const source = new DataSource({
    type: "postgres",
    url: tools.context["url"],
    poolSize: max,
    entities: [
      new EntitySchema({ name: "items", columns: { id, ...columns } }),
      new EntitySchema({ name: "made", columns: { id: { ...id, generated: "identity" }, ...columns } }),
      new EntitySchema({
        name: "authors",
        columns: { id, name: { type: "text" } },
        relations: { posts: to("posts", "one-to-many", "author") }
      }),
      new EntitySchema({
        name: "posts",
        columns: { id, author_id: { type: "int" }, title: { type: "text" } },
        relations: {
          author: to("authors", "many-to-one", "posts", "author_id"),
          comments: to("comments", "one-to-many", "post")
        }
      }),
      new EntitySchema({
        name: "comments",
        columns: { id, post_id: { type: "int" }, body: { type: "text" } },
        relations: { post: to("posts", "many-to-one", "comments", "post_id") }
      })
    ]
  })
  await source.initialize()
  const items = source.getRepository("items")
  return {
    byKey: (id) => items.find({ where: { id } }),
    hundred: (qty) => items.find({ where: { qty } }),
    ordered: (qty, price) =>
      items.find({ where: { qty, price: MoreThan(price) }, order: { price: "DESC", id: "ASC" }, take: 20 }),
    // It writes the keys into the rows that it is given.
    insert: (rows) => source.getRepository("made").insert(rows.map((row) => ({ ...row }))),
    update: (id, price) => items.update({ id }, { price }),
    tree: (id) =>
      source.getRepository("authors").find({ where: { id }, relations: { posts: { comments: true } } }),
    transaction: (row, id) =>
      source.transaction(async (entities) => {
        await entities.getRepository("made").insert({ ...row })
        await entities.getRepository("items").update({ id }, { price: row.price })
        return entities.getRepository("items").find({ where: { id } })
      }),
    empty: () => source.query("TRUNCATE made")
  }
}

const prismaSchema = `
generator client {
  provider = "prisma-client"
  output = "./client"
}
datasource db {
  provider = "postgresql"
}
model items {
  id Int @id
  name String
  price Float
  qty Int
  note String
  @@index([qty])
}
model made {
  id Int @id @default(autoincrement())
  name String
  price Float
  qty Int
  note String
}
model authors {
  id Int @id
  name String
  posts posts[]
}
model posts {
  id Int @id
  author_id Int
  title String
  author authors @relation(fields: [author_id], references: [id])
  comments comments[]
}
model comments {
  id Int @id
  post_id Int
  body String
  post posts @relation(fields: [post_id], references: [id])
}
`

/** Its client is generated. The engine for migrations, which its installation would download, is not needed. */
const generatePrisma = (folder: string) => {
  mkdirSync(join(folder, "prisma"))
  writeFileSync(join(folder, "prisma", "schema.prisma"), prismaSchema)
  writeFileSync(join(folder, "prisma.config.ts"), 'export default { schema: "prisma/schema.prisma" }\n')
  const command = join(folder, "node_modules", "prisma", "build", "index.js")
  const done = spawnSync(process.execPath, [command, "generate", "--no-hints"], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, CHECKPOINT_DISABLE: "1" },
    timeout: 120_000
  })
  if (done.status !== 0) throw new Error(`prisma generate: ${done.stderr.trim().split("\n")[0]}`)
}

interface Model {
  findUnique(options: object): Promise<unknown>
  findMany(options: object): Promise<unknown>
  create(options: object): Promise<unknown>
  createMany(options: object): Promise<unknown>
  updateMany(options: object): Promise<unknown>
}

interface Prisma extends Record<"items" | "made" | "authors", Model> {
  $executeRawUnsafe(sql: string): Promise<unknown>
  $transaction<A>(run: (tx: Prisma) => Promise<A>, options: object): Promise<A>
}

const prisma = async (tools: Tools): Promise<Client> => {
  const { PrismaPg } = (await tools.load("@prisma/adapter-pg")) as {
    readonly PrismaPg: new (options: object) => object
  }
  const { PrismaClient } = (await tools.load("./prisma/client/client.ts")) as {
    readonly PrismaClient: new (options: object) => Prisma
  }
  const db = new PrismaClient({ adapter: new PrismaPg({ connectionString: tools.context["url"], max }) })
  return {
    byKey: (id) => db.items.findUnique({ where: { id } }),
    hundred: (qty) => db.items.findMany({ where: { qty } }),
    ordered: (qty, price) =>
      db.items.findMany({
        where: { qty, price: { gt: price } },
        orderBy: [{ price: "desc" }, { id: "asc" }],
        take: 20
      }),
    insert: (rows) =>
      rows.length === 1 ? db.made.create({ data: rows[0] }) : db.made.createMany({ data: rows }),
    update: (id, price) => db.items.updateMany({ where: { id }, data: { price } }),
    tree: (id) =>
      db.authors.findUnique({ where: { id }, include: { posts: { include: { comments: true } } } }),
    transaction: (row, id) =>
      db.$transaction(
        async (tx) => {
          await tx.made.create({ data: row })
          await tx.items.updateMany({ where: { id }, data: { price: row.price } })
          return tx.items.findUnique({ where: { id } })
        },
        { maxWait: 60_000, timeout: 60_000 }
      ),
    empty: () => db.$executeRawUnsafe("TRUNCATE made")
  }
}

const overPostgres = { "drizzle-orm": "0.45.4", postgres: "3.4.9" }

export const serverPeers: ReadonlyArray<ServerPeer> = [
  { name: "postgres, prepared", packages: { postgres: "3.4.9" }, connect: rawPostgres },
  { name: "drizzle, per call", packages: overPostgres, connect: openDrizzle },
  {
    name: "drizzle, prepared",
    packages: overPostgres,
    lacks: ["insert of 1,000 rows", "transaction of three statements"],
    connect: drizzlePrepared
  },
  { name: "Kysely", packages: { kysely: "0.29.9", pg: "8.23.1" }, connect: kysely },
  {
    name: "Prisma",
    packages: { prisma: "7.10.0", "@prisma/client": "7.10.0", "@prisma/adapter-pg": "7.10.0" },
    build: generatePrisma,
    connect: prisma
  },
  { name: "TypeORM", packages: { typeorm: "1.1.1", pg: "8.23.1" }, connect: typeorm },
  { name: "Knex", packages: { knex: "3.3.0", pg: "8.23.1" }, connect: knex }
]
