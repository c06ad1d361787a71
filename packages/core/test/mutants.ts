/** Planted bugs, each of which the named tests must notice. */
const template = "packages/core/test/Template.test.ts"
const properties = "packages/core/test/Template.property.test.ts"
const operators = "packages/core/test/TemplateOperators.test.ts"
const parse = "packages/core/test/FilterParse.test.ts"
const evaluate = "packages/core/test/FilterEvaluate.test.ts"
const shape = "packages/core/test/FilterShape.test.ts"
const action = "packages/core/test/ActionTemplate.test.ts"

export default [
  {
    name: "plain input resolves secrets",
    file: "src/TemplateHead.ts",
    find: 'mode === "input" && (head.kind === "unknown" || (head.kind === "reference" && isTrusted(head.name)))',
    replace: 'mode === "input" && head.kind === "unknown"',
    tests: template
  },
  {
    name: "plain input resolves auth data",
    file: "src/TemplateHead.ts",
    find: 'name === "Secret" || name === "Auth"',
    replace: 'name === "Secret"',
    tests: properties
  },
  {
    name: "a stored definition lets plain input read secrets",
    file: "src/TemplateEvaluate.ts",
    find: "if (evaluation.plain && isTrusted(reference.name)) {",
    replace: "if (evaluation.plain && evaluation.active.length === 0 && isTrusted(reference.name)) {",
    tests: template
  },
  {
    name: "distrust of one string sticks to the next",
    file: "src/Template.ts",
    find: "evaluation.plain = before",
    replace: "evaluation.plain = true",
    tests: template
  },
  {
    name: "values put into a tagged template are templates",
    file: "src/Template.ts",
    find: ": constant(value)\n    )",
    replace: ': programOf(value, "definition", path, depth + 1)\n    )',
    tests: template
  },
  {
    name: "every value of a tagged template is its first",
    file: "src/TemplateParse.ts",
    find: "index: hole++",
    replace: "index: 0 * hole++",
    tests: template
  },
  {
    name: "an escape keeps both dollars",
    file: "src/TemplateParse.ts",
    find: 'headAt(source, next + 1) !== undefined) {\n        text += "$"',
    replace: 'headAt(source, next + 1) !== undefined) {\n        text += "$$"',
    tests: template
  },
  {
    name: "every $$ is an escape",
    file: "src/TemplateParse.ts",
    find: 'source[next + 1] === "$" && headAt(source, next + 1) !== undefined',
    replace: 'source[next + 1] === "$"',
    tests: properties
  },
  {
    name: "escapeTemplate escapes the first dollar only",
    file: "src/TemplateHead.ts",
    find: "    result += `${text.slice(from, at)}$`\n    from = at",
    replace: "    if (from > 0) continue\n    result += `${text.slice(from, at)}$`\n    from = at",
    tests: properties
  },
  {
    name: "a name may run on after $Now",
    file: "src/TemplateHead.ts",
    find: "code === undefined || !wordCharacter.test(String.fromCodePoint(code))",
    replace: 'code === undefined || String.fromCodePoint(code) !== "{"',
    tests: template
  },
  {
    name: "a single expression becomes text",
    file: "src/Template.ts",
    find: 'if (typeof first !== "string") {',
    replace: 'if (typeof first !== "string" && first.kind !== "reference") {',
    tests: template
  },
  {
    name: "null in text is written out",
    file: "src/TemplateEvaluate.ts",
    find: 'if (value === null) return ""',
    replace: 'if (value === null) return "null"',
    tests: template
  },
  {
    name: "cycles are not noticed",
    file: "src/TemplateEvaluate.ts",
    find: "if (active.includes(found.id)) {",
    replace: "if (active.at(-1) === found.id) {",
    tests: template
  },
  {
    name: "a definition used twice looks like a cycle",
    file: "src/TemplateEvaluate.ts",
    find: "    } finally {\n      active.pop()\n    }",
    replace: "    }",
    tests: template
  },
  {
    name: "work is not counted",
    file: "src/TemplateEvaluate.ts",
    find: "this.#steps++",
    replace: "this.#steps = 0",
    tests: template
  },
  {
    name: "nesting is counted but never left",
    file: "src/TemplateParse.ts",
    find: "this.depth--",
    replace: "",
    tests: template
  },
  {
    name: "the limit of the source counts characters",
    file: "src/TemplateParse.ts",
    find: "text.length > limit || (text.length * 3 > limit && Buffer.byteLength(text) > limit)",
    replace: "text.length > limit",
    tests: template
  },
  {
    name: "the clock is read for each field",
    file: "src/TemplateEvaluate.ts",
    find: "this.#now ??= Date.now()\n    return this.#now",
    replace: "return this.#now ?? performance.now()",
    tests: template
  },
  {
    name: "$Default of a missing value fails",
    file: "src/TemplateEvaluate.ts",
    find: "if (!isMissing(error)) throw error",
    replace: "throw error",
    tests: operators
  },
  {
    name: "$Default hides every error",
    file: "src/TemplateEvaluate.ts",
    find: "if (!isMissing(error)) throw error",
    replace: "",
    tests: template
  },
  {
    name: "$Default takes an empty string for nothing",
    file: "src/TemplateEvaluate.ts",
    find: "return found ?? run(fallback)",
    replace: "return found || run(fallback)",
    tests: operators
  },
  {
    name: "secrets of stored definitions are not announced",
    file: "src/Template.ts",
    find: 'visit(compileValue(found.template, "definition").references)',
    replace: "",
    tests: template
  },
  {
    name: "the least recently used template stays",
    file: "src/Template.ts",
    find: "      this.#kept.delete(source)\n      this.#kept.set(source, found)",
    replace: "",
    tests: template
  },
  {
    name: "a path leaves the data",
    file: "src/ReadPath.ts",
    find: "return Object.hasOwn(value, name) ?",
    replace: "return name in value ?",
    tests: "packages/core/test/ReadPath.test.ts"
  },
  {
    name: "forbidden names are read",
    file: "src/ReadPath.ts",
    find: "value === null || forbidden.has(name)) return undefined",
    replace: "value === null) return undefined",
    tests: "packages/core/test/ReadPath.test.ts"
  },
  {
    name: "positions count UTF-16 units",
    file: "src/TemplateOperators.ts",
    find: "const points = [...str(args, 0, at)]",
    replace: 'const points = str(args, 0, at).split("")',
    tests: operators
  },
  {
    name: "$Replace reads patterns of its replacement",
    file: "src/TemplateOperators.ts",
    find: "parts.join(replacement)",
    replace: "text.replaceAll(search, replacement)",
    tests: operators
  },
  {
    name: "$Pick counts negative positions from the end",
    file: "src/TemplateOperators.ts",
    find: "return i < 0 || i >= items.length",
    replace: "return i >= items.length",
    tests: operators
  },
  {
    name: "months overflow into the next",
    file: "src/TemplateDate.ts",
    find: "Math.min(date.getUTCDate(), daysIn(year, month))",
    replace: "date.getUTCDate()",
    tests: operators
  },
  {
    name: "leap years follow Julius Caesar",
    file: "src/TemplateDate.ts",
    find: "year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)",
    replace: "year % 4 === 0",
    tests: operators
  },
  {
    name: "noon is AM",
    file: "src/TemplateDate.ts",
    find: '(f.hour < 12 ? "am" : "pm")',
    replace: '(f.hour <= 12 ? "am" : "pm")',
    tests: operators
  },
  {
    name: "an offset is added twice the wrong way",
    file: "src/TemplateDate.ts",
    find: "milliseconds) - offset",
    replace: "milliseconds) + offset",
    tests: operators
  },
  {
    name: "!== on objects asks whether any field differs",
    file: "src/TemplateOperators.ts",
    find: 'if (comparator === "!==") return !testElement(element, "==", wanted)',
    replace: "",
    tests: operators
  },
  {
    name: "an empty $in is dropped",
    file: "src/FilterParse.ts",
    find: 'operator === "in" ? none : all\n',
    replace: "all\n",
    tests: parse
  },
  {
    name: "an empty $or is dropped",
    file: "src/Filter.ts",
    find: 'return type === "and" ? all : none',
    replace: "return all",
    tests: parse
  },
  {
    name: "undefined is null",
    file: "src/FilterParse.ts",
    find: "if (value === undefined) {\n    throw",
    replace: "if (value === undefined) return isNull(field)\n  if (false) {\n    throw",
    tests: parse
  },
  {
    name: "unknown operators are dropped",
    file: "src/FilterParse.ts",
    find: "if (operator === undefined) {",
    replace: "if (operator === undefined) continue\n    if (false) {",
    tests: parse
  },
  {
    name: "$nor is $or",
    file: "src/FilterParse.ts",
    find: 'return negate(group("or", membersOf(value, path, depth, state)))',
    replace: 'return group("or", membersOf(value, path, depth, state))',
    tests: parse
  },
  {
    name: "several operators on one field are ORed",
    file: "src/FilterParse.ts",
    find: 'members.push(comparison(field, operator, value[key], at))\n  }\n  return group("and", members)',
    replace: 'members.push(comparison(field, operator, value[key], at))\n  }\n  return group("or", members)',
    tests: parse
  },
  {
    name: "a null in $nin matches null",
    file: "src/FilterParse.ts",
    find: 'group("and", [isNotNull(field), own])',
    replace: "own",
    tests: parse
  },
  {
    name: "$ne does not match null",
    file: "src/FilterEvaluate.ts",
    find: "return missing || !equalValues(value, operand)",
    replace: "return !missing && !equalValues(value, operand)",
    tests: evaluate
  },
  {
    name: "$between leaves out its upper bound",
    file: "src/FilterEvaluate.ts",
    find: "(compareValues(value, hi) ?? 1) <= 0",
    replace: "(compareValues(value, hi) ?? 1) < 0",
    tests: evaluate
  },
  {
    name: "values of different kinds are ordered as equal",
    file: "src/FilterEvaluate.ts",
    find: "(compareValues(value, operand) ?? 1) <= 0",
    replace: "(compareValues(value, operand) ?? 0) <= 0",
    tests: evaluate
  },
  {
    name: "strings are ordered by UTF-16 unit",
    file: "src/Kind.ts",
    find: "if (x !== y) return x < y ? -1 : 1\n    return a.charCodeAt",
    replace: "return a.charCodeAt",
    tests: evaluate
  },
  {
    name: "decimals lose their last digits",
    file: "src/Kind.ts",
    find: "return compareDecimals(a, b)",
    replace: "return Number(a) - Number(b)",
    tests: evaluate
  },
  {
    name: "objects are equal when one holds the other",
    file: "src/Kind.ts",
    find: "keys.length === Object.keys(y).length &&",
    replace: "",
    tests: evaluate
  },
  {
    name: "an escape in a pattern is forgotten",
    file: "src/FilterEvaluate.ts",
    find: 'if (char === "\\\\") tokens.push({ kind: "char", char: chars[++i] ?? "" })\n    else if',
    replace: "if",
    tests: evaluate
  },
  {
    name: "$contains reads text as a pattern",
    file: "src/FilterEvaluate.ts",
    find: "value.includes(wanted)",
    replace: "like(value, `%${wanted}%`)",
    tests: evaluate
  },
  {
    name: "$containsAll is satisfied by any",
    file: "src/FilterEvaluate.ts",
    find: ".every((wanted) => hasElement",
    replace: ".some((wanted) => hasElement",
    tests: evaluate
  },
  {
    name: "and/or look alike in a shape",
    file: "src/FilterShape.ts",
    find: "let key = `${filter.type}(`",
    replace: 'let key = "("',
    tests: shape
  },
  {
    name: "a shape forgets the case of a regex",
    file: "src/FilterShape.ts",
    find: "return ignoreCase ? `${head} i` : head",
    replace: "return head",
    tests: shape
  },
  {
    name: "a field name can pass for structure",
    file: "src/FilterShape.ts",
    find: "const head = `${field.length}:${field} ${operator}`",
    replace: "const head = `${field} ${operator}`",
    tests: shape
  },
  {
    name: "a whole placeholder becomes text",
    file: "src/ActionTemplate.ts",
    find: "return (pass) => read(first, pass)",
    replace: "return (pass) => String(read(first, pass))",
    tests: action
  },
  {
    name: "operators in action input pass",
    file: "src/ActionTemplate.ts",
    find: "refuseOperators(value[key], path, faults)",
    replace: "",
    tests: action
  },
  {
    name: "only the first missing input is told",
    file: "src/ActionTemplate.ts",
    find: 'faults.push({ path: placeholder.name, rule: "required", message: "is missing" })',
    replace:
      'if (faults.length === 0) faults.push({ path: placeholder.name, rule: "required", message: "is missing" })',
    tests: action
  }
]
