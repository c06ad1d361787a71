import { describe, expect, it } from "vitest"
import { compileTemplate } from "../src/index.ts"
import { failureOf, over } from "./templates.ts"

const input = {
  n: 5,
  half: 0.5,
  text: "5.5",
  hex: "0x10",
  blank: "",
  name: "Zoë 👩‍🚀!",
  word: "  Hello \n",
  flag: true,
  nothing: null,
  list: [3, 1, 2],
  names: ["b", "a", "ä", "😀", "\uffee"],
  mixed: [1, "2", "x", null, true, { a: 2 }, [2]],
  rows: [
    { id: 1, tag: "a", at: { x: 10 } },
    { id: 2, tag: "b", at: { x: 20 } },
    { id: 3, tag: "b" }
  ],
  object: { a: 1, b: { c: 2 } },
  big: 1.7e308,
  when: new Date(Date.UTC(2024, 0, 31, 12))
}

const evaluate = (template: string): unknown => compileTemplate(template, "definition").evaluate(over(input))

const gives = (name: string, cases: ReadonlyArray<readonly [string, unknown]>): void => {
  describe(name, () => {
    it.each(cases)("%s gives %j", (template, value) => {
      expect(evaluate(template)).toEqual(value)
    })
  })
}

gives("$Add", [
  ["$Add(1)", 1],
  ["$Add(1, 2, 3.5)", 6.5],
  ["$Add($Input{n}, '2')", 7],
  ["$Add(' 2 ', '-1.5e1')", -13],
  ["$Add(0.1, 0.2)", 0.1 + 0.2],
  ["$Add('.5', '5.', '+1')", 6.5]
])

gives("$Subtract", [
  ["$Subtract(10, 3, 2)", 5],
  ["$Subtract('10', $Input{text})", 4.5]
])

gives("$Concat", [
  ["$Concat(['a', 'b'])", "ab"],
  ["$Concat(['a', 1, true, 1.50], '-')", "a-1-true-1.5"],
  ["$Concat([], ',')", ""],
  ["$Concat($Input{list}, ' ')", "3 1 2"]
])

gives("$Substring counts code points", [
  ["$Substring('hello', 1, 3)", "el"],
  ["$Substring('hello', 2)", "llo"],
  ["$Substring('hello', -3)", "llo"],
  ["$Substring('hello', -3, -1)", "ll"],
  ["$Substring('hello', 5)", ""],
  ["$Substring('hello', 2, 2)", ""],
  ["$Substring('hello', 0, 5)", "hello"],
  ["$Substring('a😀b', 1, 2)", "😀"],
  ["$Substring('a😀b', -1)", "b"]
])

gives("$Trim, $Uppercase, $Lowercase", [
  ["$Trim($Input{word})", "Hello"],
  ["$Trim('\\u00a0x\\u2003')", "x"],
  ["$Uppercase('straße')", "STRASSE"],
  ["$Uppercase('i')", "I"],
  ["$Lowercase('ÀÉ')", "àé"]
])

gives("$Split", [
  ["$Split('a.b.c', '.')", ["a", "b", "c"]],
  ["$Split('abc', 'x')", ["abc"]],
  ["$Split('a😀', '')", ["a", "😀"]],
  ["$Split('', '')", []],
  ["$Split('', ',')", [""]]
])

gives("$Pick", [
  ["$Pick($Input{list}, 0)", 3],
  ["$Pick('a😀b', 1)", "😀"],
  ["$Pick([[1]], 0)", [1]]
])

gives("$Join", [
  ["$Join([[1], [2, [3]], []])", [1, 2, [3]]],
  ["$Join([])", []],
  ["$Join(['a', 2], '+')", "a+2"]
])

gives("$Replace", [
  ["$Replace('a.b.c', '.', '$&')", "a$&b$&c"],
  ["$Replace('aaa', 'aa', 'b')", "ba"],
  ["$Replace('x', 'y', 'z')", "x"],
  ["$Replace('aXa', 'X', '')", "aa"]
])

gives("$Dateformat", [
  ["$Dateformat(0, 'YYYY-MM-DD HH:mm:ss')", "1970-01-01 00:00:00"],
  ["$Dateformat('2024-02-05', 'YY M D MMM MMMM ddd dddd')", "24 2 5 Feb February Mon Monday"],
  ["$Dateformat('2024-02-05T00:05:09Z', 'H HH h hh m mm s ss A a')", "0 00 12 12 5 05 9 09 AM am"],
  ["$Dateformat('2024-02-05T13:00:00', 'h A')", "1 PM"],
  ["$Dateformat('2024-02-05T12:00:00', 'hh a')", "12 pm"],
  ["$Dateformat('2024-02-05T23:30:00+02:00', 'DD HH:mm')", "05 21:30"],
  ["$Dateformat('2024-07-01T12:00:00Z', 'HH:mm', 'America/New_York')", "08:00"],
  ["$Dateformat('2024-01-01T03:00:00Z', 'YYYY-MM-DD dddd HH', 'America/New_York')", "2023-12-31 Sunday 22"],
  ["$Dateformat('2024-01-01T18:30:00Z', 'DD HH:mm', 'Asia/Kathmandu')", "02 00:15"],
  ["$Dateformat('2024-01-01', '[Day] D [of] MMMM [[YYYY]')", "Day 1 of January [YYYY"],
  ["$Dateformat('2024', 'MM-DD')", "01-01"],
  ["$Dateformat('2024-06', 'MM-DD')", "06-01"],
  ["$Dateformat('2024-02-29 10:20', 'HH:mm')", "10:20"],
  ["$Dateformat('2024-01-01T24:00:00Z', 'YYYY-MM-DD HH')", "2024-01-02 00"],
  ["$Dateformat('0050-01-01', 'YYYY YY')", "0050 50"],
  ["$Dateformat('2024-01-01T00:00:00.999Z', 'ss')", "00"],
  ["$Dateformat($Input{when}, 'YYYY-MM-DD')", "2024-01-31"],
  ["$Dateformat($Now, 'YYYY-MM-DD')", "2023-11-14"],
  ["$Format('2024-01-01', 'YYYY')", "2024"]
])

const day = (text: string): number => Date.parse(text)

gives("$DateAdd", [
  ["$DateAdd('2024-01-31', 1, 'month')", day("2024-02-29")],
  ["$DateAdd('2023-01-31', 1, 'months')", day("2023-02-28")],
  ["$DateAdd('2024-03-31', -1, 'months')", day("2024-02-29")],
  ["$DateAdd('2024-02-29', 1, 'year')", day("2025-02-28")],
  ["$DateAdd('2024-02-29', 4, 'years')", day("2028-02-29")],
  ["$DateAdd('2024-11-30T10:20:30.400Z', 3, 'months')", day("2025-02-28T10:20:30.400Z")],
  ["$DateAdd('1969-12-31T23:00:00Z', 1, 'month')", day("1970-01-31T23:00:00Z")],
  ["$DateAdd('2024-01-01', -13, 'months')", day("2022-12-01")],
  ["$DateAdd('2024-01-01', 2, 'weeks')", day("2024-01-15")],
  ["$DateAdd('2024-02-28', 2, 'days')", day("2024-03-01")],
  ["$DateAdd(0, 2, 'hours')", 7_200_000],
  ["$DateAdd(0, 2, 'minutes')", 120_000],
  ["$DateAdd(0, 2, 'seconds')", 2_000],
  ["$DateAdd(0, 1, 'second')", 1_000]
])

gives("$Filter and $Find over scalars", [
  ["$Filter($Input{list}, '>', 1)", [3, 2]],
  ["$Filter($Input{list}, '>=', 2)", [3, 2]],
  ["$Filter($Input{list}, '<', 2)", [1]],
  ["$Filter($Input{list}, '<=', 2)", [1, 2]],
  ["$Filter($Input{list}, '==', 2)", [2]],
  ["$Filter($Input{list}, '===', 2)", [2]],
  ["$Filter($Input{list}, '!==', 2)", [3, 1]],
  ["$Filter($Input{list}, '!=', 2)", [3, 1]],
  ["$Find($Input{list}, '>', 1)", 3],
  ["$Find($Input{list}, '>', 9)", null],
  ["$Filter($Input{list}, '==', '2')", []],
  ["$Filter($Input{list}, '>', '1')", [3, 2]],
  ["$Filter(['9', '10', 'x'], '>', 9)", ["10"]],
  ["$Filter(['9', '10'], '>', '1')", ["9", "10"]],
  ["$Filter(['9', '10'], '>', '2')", ["9"]],
  ["$Filter($Input{names}, '>', 'ä')", ["😀", "\uffee"]],
  ["$Filter($Input{names}, '>', '\uffee')", ["😀"]],
  ["$Filter([null, true, 'a'], '>=', 0)", []],
  ["$Filter([null, true], '<=', null)", []],
  ["$Filter([null, 1], '==', null)", [null]],
  ["$Filter([[1, 2], [1]], '==', [1, 2])", [[1, 2]]]
])

gives("$Filter and $Find over objects", [
  ["$Filter($Input{rows}, 'tag', '==', 'b')", [input.rows[1], input.rows[2]]],
  ["$Filter($Input{rows}, 'at.x', '>', 10)", [input.rows[1]]],
  ["$Filter($Input{rows}, 'at.x', '!==', 10)", [input.rows[1], input.rows[2]]],
  ["$Filter($Input{rows}, 'at', '==', {x: 20})", [input.rows[1]]],
  ["$Find($Input{rows}, 'id', '>=', 2)", input.rows[1]],
  ["$Find($Input{rows}, 'id', '>', 3)", null],
  ["$Filter($Input{rows}, '==', 'b')", [input.rows[1], input.rows[2]]],
  ["$Filter($Input{rows}, '!==', 'b')", [input.rows[0]]],
  ["$Filter($Input{rows}, '>', 2)", [input.rows[2]]],
  ["$Filter($Input{rows}, '==', {id: 3, tag: 'b'})", [input.rows[2]]],
  ["$Filter($Input{rows}, '>', 15)", []]
])

gives("$Default", [
  ["$Default($Input{nope}, 'x')", "x"],
  ["$Default($Input{nothing}, 'x')", "x"],
  ["$Default($Input{n}, 'x')", 5],
  ["$Default($Input{blank}, 'x')", ""],
  ["$Default(false, 'x')", false],
  ["$Default($Uppercase($Input{nope}), 'x')", "x"],
  ["$Default($Input{nope}, $Default($Input{nada}, 7))", 7],
  // The fallback is not evaluated when it is not needed.
  ["$Default(1, $Trim(5))", 1]
])

gives("$Size and $Length", [
  ["$Size{$Input{list}}", 3],
  ["$Size($Input{list})", 3],
  ["$Length{ $Input{object} }", 2],
  ["$Length( 'a😀b' )", 3],
  ["$Size{[]}", 0],
  ["$Size{{a: 1}}", 1],
  ["$Length('')", 0]
])

gives("$Now", [
  ["$Now", 1_700_000_000_000],
  ["$Now()", 1_700_000_000_000],
  ["$Now( )", 1_700_000_000_000],
  ["$Add($Now, 1)", 1_700_000_000_001]
])

describe("errors name the operator and its offset", () => {
  it.each<[string, string, string]>([
    ["$Add('x')", "OPERATOR_TYPE", "$Add"],
    ["$Add($Input{hex})", "OPERATOR_TYPE", "$Add"],
    ["$Add($Input{blank})", "OPERATOR_TYPE", "$Add"],
    ["$Add(true)", "OPERATOR_TYPE", "$Add"],
    ["$Add(null)", "OPERATOR_TYPE", "$Add"],
    ["$Add($Input{big}, $Input{big})", "OPERATOR_RANGE", "$Add"],
    ["$Subtract(1, [])", "OPERATOR_TYPE", "$Subtract"],
    ["$Subtract([], 1)", "OPERATOR_TYPE", "$Subtract"],
    ["$Subtract(-1.7e308, $Input{big})", "OPERATOR_RANGE", "$Subtract"],
    ["$Concat('ab')", "OPERATOR_TYPE", "$Concat"],
    ["$Concat([null])", "OPERATOR_TYPE", "$Concat"],
    ["$Concat([['a']])", "OPERATOR_TYPE", "$Concat"],
    ["$Concat(['a'], 1)", "OPERATOR_TYPE", "$Concat"],
    ["$Substring(5, 0)", "OPERATOR_TYPE", "$Substring"],
    ["$Substring('abc', '1')", "OPERATOR_TYPE", "$Substring"],
    ["$Substring('abc', 1.5)", "OPERATOR_TYPE", "$Substring"],
    ["$Substring('abc', 4)", "OPERATOR_RANGE", "$Substring"],
    ["$Substring('abc', 0, 4)", "OPERATOR_RANGE", "$Substring"],
    ["$Substring('abc', -4)", "OPERATOR_RANGE", "$Substring"],
    ["$Substring('abc', 2, 1)", "OPERATOR_RANGE", "$Substring"],
    ["$Trim(5)", "OPERATOR_TYPE", "$Trim"],
    ["$Uppercase(null)", "OPERATOR_TYPE", "$Uppercase"],
    ["$Lowercase([])", "OPERATOR_TYPE", "$Lowercase"],
    ["$Split(5, '')", "OPERATOR_TYPE", "$Split"],
    ["$Split('a', 5)", "OPERATOR_TYPE", "$Split"],
    ["$Pick('abc', 3)", "OPERATOR_RANGE", "$Pick"],
    ["$Pick('abc', -1)", "OPERATOR_RANGE", "$Pick"],
    ["$Pick({a: 1}, 0)", "OPERATOR_TYPE", "$Pick"],
    ["$Pick([1], '0')", "OPERATOR_TYPE", "$Pick"],
    ["$Join([1])", "OPERATOR_TYPE", "$Join"],
    ["$Join('a')", "OPERATOR_TYPE", "$Join"],
    ["$Join([['a']], ',')", "OPERATOR_TYPE", "$Join"],
    ["$Replace('a', '', 'b')", "OPERATOR_TYPE", "$Replace"],
    ["$Replace('a', 'a', 1)", "OPERATOR_TYPE", "$Replace"],
    ["$Dateformat('yesterday', 'YYYY')", "OPERATOR_TYPE", "$Dateformat"],
    ["$Dateformat('2024-02-30', 'YYYY')", "OPERATOR_TYPE", "$Dateformat"],
    ["$Dateformat('2023-02-29', 'YYYY')", "OPERATOR_TYPE", "$Dateformat"],
    ["$Dateformat('1900-02-29', 'YYYY')", "OPERATOR_TYPE", "$Dateformat"],
    ["$Dateformat('2024-13-01', 'YYYY')", "OPERATOR_TYPE", "$Dateformat"],
    ["$Dateformat('2024-01-01T24:01:00Z', 'YYYY')", "OPERATOR_TYPE", "$Dateformat"],
    ["$Dateformat('2024-01-01T10:60:00Z', 'YYYY')", "OPERATOR_TYPE", "$Dateformat"],
    ["$Dateformat('2024-01-01T10:00:00+25:00', 'YYYY')", "OPERATOR_TYPE", "$Dateformat"],
    ["$Dateformat('20240101', 'YYYY')", "OPERATOR_TYPE", "$Dateformat"],
    ["$Dateformat(null, 'YYYY')", "OPERATOR_TYPE", "$Dateformat"],
    ["$Dateformat(1e300, 'YYYY')", "OPERATOR_TYPE", "$Dateformat"],
    ["$Dateformat(0, 5)", "OPERATOR_TYPE", "$Dateformat"],
    ["$Dateformat(0, 'YYYY', 'Mars/Olympus')", "OPERATOR_TYPE", "$Dateformat"],
    ["$Dateformat(0, 'YYYY', '+01:00')", "OPERATOR_TYPE", "$Dateformat"],
    ["$Format(0, 'YYYY', 5)", "OPERATOR_TYPE", "$Format"],
    ["$DateAdd('x', 1, 'day')", "OPERATOR_TYPE", "$DateAdd"],
    ["$DateAdd(0, 1.5, 'day')", "OPERATOR_TYPE", "$DateAdd"],
    ["$DateAdd(0, '1', 'day')", "OPERATOR_TYPE", "$DateAdd"],
    ["$DateAdd(0, 1, 'decade')", "OPERATOR_TYPE", "$DateAdd"],
    ["$DateAdd(0, 1, 'Days')", "OPERATOR_TYPE", "$DateAdd"],
    ["$DateAdd(0, 1, 'dayss')", "OPERATOR_TYPE", "$DateAdd"],
    ["$DateAdd(0, 300000, 'years')", "OPERATOR_RANGE", "$DateAdd"],
    ["$DateAdd(8640000000000000, 1, 'second')", "OPERATOR_RANGE", "$DateAdd"],
    ["$DateAdd(0, 9007199254740991, 'months')", "OPERATOR_RANGE", "$DateAdd"],
    ["$Filter('abc', '==', 'a')", "OPERATOR_TYPE", "$Filter"],
    ["$Filter([1], '=', 1)", "OPERATOR_TYPE", "$Filter"],
    ["$Filter([1], 'constructor', 1)", "OPERATOR_TYPE", "$Filter"],
    ["$Filter([1], 5, 1)", "OPERATOR_TYPE", "$Filter"],
    ["$Filter([1], 5, '==', 1)", "OPERATOR_TYPE", "$Filter"],
    ["$Find([1], 'a', '~', 1)", "OPERATOR_TYPE", "$Find"],
    ["$Size{5}", "OPERATOR_TYPE", "$Size"],
    ["$Length(null)", "OPERATOR_TYPE", "$Length"],
    ["$Size{$Input{when}}", "OPERATOR_TYPE", "$Size"]
  ])("%s: %s", (template, code, operator) => {
    const error = failureOf(() => evaluate(`é: ${template}`))
    expect(error).toMatchObject({ code, status: 400, details: { operator, offset: 3 } })
    expect(error.message).toContain(operator)
  })

  it.each<[string]>([
    ["$Add()"],
    ["$Subtract(1)"],
    ["$Concat()"],
    ["$Concat([], '', 1)"],
    ["$Substring('a')"],
    ["$Substring('a', 1, 2, 3)"],
    ["$Trim()"],
    ["$Trim('a', 'b')"],
    ["$Uppercase()"],
    ["$Lowercase('a', 'b')"],
    ["$Split('a')"],
    ["$Pick([])"],
    ["$Join()"],
    ["$Join([], '', '')"],
    ["$Replace('a', 'b')"],
    ["$Dateformat(0)"],
    ["$Format(0, '', '', '')"],
    ["$DateAdd(0, 1)"],
    ["$Filter([], '==')"],
    ["$Find([], 'a', '==', 1, 2)"],
    ["$Default(1)"],
    ["$Default(1, 2, 3)"]
  ])("%s: OPERATOR_ARITY, when compiled", (template) => {
    const error = failureOf(() => compileTemplate(`x${template}`, "definition"))
    expect(error).toMatchObject({ code: "OPERATOR_ARITY", details: { offset: 1 } })
    expect((error.details as { operator: string }).operator).toBe(template.slice(0, template.indexOf("(")))
  })

  it("never shows a value", () => {
    const canary = "canary-5d1f"
    const scope = over({ c: canary, list: [canary], o: { [canary]: canary } })
    for (const template of [
      "$Add($Input{c})",
      "$Pick($Input{c}, 99)",
      "$Substring($Input{c}, 99)",
      "$Dateformat($Input{c}, 'YYYY')",
      "$Dateformat(0, 'YYYY', $Input{c})",
      "$DateAdd(0, 1, $Input{c})",
      "$Filter($Input{list}, $Input{c}, 1)",
      "$Join($Input{list})",
      "$Concat([$Input{o}])",
      "$Trim($Input{o})"
    ]) {
      const error = failureOf(() => compileTemplate(template, "definition").evaluate(scope))
      expect(JSON.stringify(error) + error.message + error.stack).not.toContain(canary)
    }
  })
})
