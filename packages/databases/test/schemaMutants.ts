/** Planted bugs in schema calls, migrations, actions, pre-save and triggers, for the tests to notice. */
const suite = "packages/databases-pglite/test/conformance.test.ts"
const presave = "test/presave.test.ts"
const trigger = "test/trigger.test.ts"
const action = "test/action.test.ts"

export const schemaMutants = [
  {
    name: "a date without zone",
    file: "src/schema/columnSql.ts",
    find: 'datetime: "timestamptz"',
    replace: 'datetime: "timestamp"',
    tests: suite
  },
  {
    name: "a uuid key without a default",
    file: "src/schema/columnSql.ts",
    find: '(key && field.type === "uuid" && !field.hasDefault)',
    replace: "false",
    tests: suite
  },
  {
    name: "least lengths are not checked",
    file: "src/schema/columnSql.ts",
    find: "if (field.minLength !== undefined) {",
    replace: "if (field.minLength !== undefined && field.required === undefined) {",
    tests: suite
  },
  {
    name: "long names are cut without a hash",
    file: "src/schema/names.ts",
    find: "return `${name.slice(0, maxBytes - 9)}_${hash}`",
    replace: "return `${name.slice(0, maxBytes - 9)}`.concat(hash.slice(8))",
    tests: suite
  },
  {
    name: "quotes in defaults are not doubled",
    file: "src/schema/literal.ts",
    find: `text.replaceAll("'", "''")`,
    replace: "text",
    tests: suite
  },
  {
    name: "conditions of indexes may hold several statements",
    file: "src/migration/operationSql.ts",
    find: "if (splitStatements(text).length !== 1)",
    replace: "if (splitStatements(text).length === 0)",
    tests: suite
  },
  {
    name: "a partial index covers everything",
    file: "src/migration/operationSql.ts",
    find: 'op.where === undefined ? ""',
    replace: 'op.where !== "" ? ""',
    tests: suite
  },
  {
    name: "a changed migration is skipped as if it were the same",
    file: "src/migration/MigrationEngine.ts",
    find: "if (known.checksum !== checksumOf(migration)) throw this.#mismatch(migration.tag)",
    replace: "known.checksum.at(0)",
    tests: suite
  },
  {
    name: "checksums depend on the order of keys",
    file: "src/migration/Migration.ts",
    find: ".sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))",
    replace: "",
    tests: suite
  },
  {
    name: "rollback begins with the oldest",
    file: "src/migration/MigrationEngine.ts",
    find: "history.slice(-n).reverse()",
    replace: "history.slice(-n)",
    tests: suite
  },
  {
    name: "a dry run is none",
    file: "src/migration/MigrationEngine.ts",
    find: "if (options.dryRun === true) {\n        return { applied: pending",
    replace: "if (options.dryRun !== undefined && skipped.length > 99) {\n        return { applied: pending",
    tests: suite
  },
  {
    name: "a step that is done runs again",
    file: "src/migration/MigrationEngine.ts",
    find: "for (let i = journal.done; i < steps.length; i++) {",
    replace: "for (let i = 0; i < steps.length; i++) {",
    tests: suite
  },
  {
    name: "half built indexes are taken for whole ones",
    file: "src/migration/steps.ts",
    find: "if (valid === true) return",
    replace: "if (valid !== undefined) return",
    tests: "test/migrationCrash.test.ts"
  },
  {
    name: "steps without a transaction are noted before they run, not with them",
    file: "src/migration/MigrationEngine.ts",
    find: "          if (!skip) await this.#execute(step.sql, work, transaction)\n          await writeJournal(access, done, transaction)",
    replace:
      "          await writeJournal(access, done)\n          if (!skip) await this.#execute(step.sql, work, transaction)",
    tests: suite
  },
  {
    name: "down forgets the foreign keys of other tables",
    file: "src/schema/restoreSql.ts",
    find: "...constraints.map(addConstraint),\n    ...indexes.map",
    replace: "...constraints.filter((row) => row.own).map(addConstraint),\n    ...indexes.map",
    tests: suite
  },
  {
    name: "down forgets defaults",
    file: "src/schema/restoreSql.ts",
    find: "else if (column.expression !== null) parts.push(`DEFAULT ${column.expression}`)",
    replace: "else parts.push()",
    tests: suite
  },
  {
    name: "a table that was there before is dropped on the way back",
    file: "src/migration/inverse.ts",
    find: "if ((await readSnapshot(read, op.name)) !== undefined) return { ops: [] }",
    replace: "await readSnapshot(read, op.name)",
    tests: suite
  },
  {
    name: "semicolons in strings split statements",
    file: "src/migration/splitStatements.ts",
    find: "if (hidden !== null) {",
    replace: "if (hidden !== null && hidden[0].length > 99) {",
    tests: suite
  },
  {
    name: "updated_at stays as it is",
    file: "src/presave/saveHook.ts",
    find: "if (isKept(table)) touch(event)",
    replace: "isKept(table)",
    tests: suite
  },
  {
    name: "validation comes after trimming",
    file: "src/presave/runPreSave.ts",
    find: "  validate: 2,\n  trim: 3,",
    replace: "  validate: 2,\n  trim: 1,",
    tests: presave
  },
  {
    name: "defaults are put into updates",
    file: "src/presave/runPreSave.ts",
    find: 'new Set<PreSaveOp["type"]>(["default", "uuid"])',
    replace: 'new Set<PreSaveOp["type"]>(["uuid"])',
    tests: presave
  },
  {
    name: "operators of updates are changed",
    file: "src/presave/runPreSave.ts",
    find: "if (isUpdate && (insertOnly.has(op.type) || isOperator(value))) return",
    replace: "if (isUpdate && insertOnly.has(op.type) && isOperator({ $a: 1 })) return",
    tests: presave
  },
  {
    name: "every value is encrypted with the same nonce",
    file: "src/presave/secretText.ts",
    find: "const iv = randomBytes(12)",
    replace: "const iv = Buffer.alloc(12)",
    tests: presave
  },
  {
    name: "masks show what is shorter than what they show",
    file: "src/presave/textOperations.ts",
    find: "const shows = first + last < total",
    replace: "const shows = true",
    tests: presave
  },
  {
    name: "scripts keep their content",
    file: "src/presave/textOperations.ts",
    find: "const after = withoutScripts(before)",
    replace: "const after = before",
    tests: presave
  },
  {
    name: "values of rows become operators of filters",
    file: "src/trigger/placeholders.ts",
    find: 'if (place === "strict" && (found === undefined || hasOperators(found))) {',
    replace: 'if (place === "strict" && found === undefined && hasOperators(found)) {',
    tests: trigger
  },
  {
    name: "asynchronous actions do not wait for the commit",
    file: "src/trigger/triggerHook.ts",
    find: "if (scope.transaction === undefined) run()",
    replace: "if (scope.connection === connection) run()",
    tests: trigger
  },
  {
    name: "what triggers need is given to the caller",
    file: "src/trigger/triggerHook.ts",
    find: "} else records.length = 0",
    replace: "} else records.reverse()",
    tests: trigger
  },
  {
    name: "higher priorities come first",
    file: "src/trigger/TriggerProcessor.ts",
    find: "(a.priority ?? 100) - (b.priority ?? 100)",
    replace: "(b.priority ?? 100) - (a.priority ?? 100)",
    tests: trigger
  },
  {
    name: "values go into addresses as they are",
    file: "src/trigger/placeholders.ts",
    find: 'return place === "address" ? encodeURIComponent(text) : text',
    replace: "return text",
    tests: trigger
  },
  {
    name: "an after-action's failure is thrown without a transaction",
    file: "src/trigger/triggerHook.ts",
    find: "if (scope.transaction !== undefined) throw error",
    replace: "if (scope.connection !== undefined) throw error",
    tests: trigger
  },
  {
    name: "a whole filter may come from the input",
    file: "src/action/DatabaseAction.ts",
    find: "if (hasPlaceholder(value)) throw invalid(",
    replace: 'if (hasPlaceholder(value) && path === "") throw invalid(',
    tests: action
  },
  {
    name: "raw SQL takes placeholders",
    file: "src/action/DatabaseAction.ts",
    find: 'if (hasPlaceholder(given["query"])) {',
    replace: 'if (hasPlaceholder(given["sql"])) {',
    tests: action
  }
]
