import { expect, test } from 'vitest'
import { documentFaults, faultProblem, placeOf, stretchOf, type LintProblem } from './lintPlace'

const TEXT = 'name: a\nsteps:\n  - name: "😀 x" \n    command: ls {{ a }}\n'

const problem = (given: Partial<LintProblem>): LintProblem => ({
  weight: 'error', path: '', line: 0, column: 0, code: 'c', message: 'm', ...given,
})

const marked = (given: Partial<LintProblem>) => {
  const { from, to } = stretchOf(TEXT, problem(given))
  return TEXT.slice(from, to)
}

test.each([
  [{ line: 4, column: 14 }, 'ls {{ a }}'],
  [{ line: 4, column: 17 }, '{{ a }}'],
  // The face is one character for lint and two units here.
  [{ line: 3, column: 14 }, 'x"'],
  [{ line: 1, column: 1 }, 'name: a'],
  [{ line: 1, column: 99 }, 'name: a'],
  [{ line: 99, column: 1 }, ''],
  [{ path: '/steps/0/command' }, 'command: ls {{ a }}'],
  [{ path: '/steps/0/none' }, '- name: "😀 x"'],
])('%j marks %j', (given, expected) => {
  expect(marked(given)).toBe(expected)
})

test('a place of its own goes before that of the path', () => {
  expect(placeOf(TEXT, problem({ line: 2, column: 0, path: '/name' }))).toEqual({ line: 2, column: 1 })
  expect(placeOf(TEXT, problem({ path: '/steps' }))).toEqual({ line: 2, column: 1 })
})

test('faults of an import are read as lint tells them', () => {
  const fault = {
    path: '/yaml#/steps/0/command', code: 'nested_shell', message: '4:20: a: b [x] [nested_shell]; leave it out',
  }
  expect(faultProblem(fault)).toEqual({
    weight: 'error', path: '/steps/0/command', line: 4, column: 20, code: 'nested_shell', message: 'a: b [x]',
    hint: 'leave it out',
  })
  expect(faultProblem(fault, false)).toMatchObject({ line: 0, column: 0, message: 'a: b [x]' })
  expect(faultProblem({ path: '/change_summary', code: 'length', message: 'too long' })).toEqual({
    weight: 'error', path: '', line: 0, column: 0, code: 'length', message: 'too long',
  })
})

test('of a refusal only what is about the document is a problem of the document', () => {
  const errors = [
    { path: '/change_summary', code: 'length', message: 'too long' },
    { path: '/yaml#/name', code: 'empty', message: '1:7: a name is needed [empty]' },
  ]
  expect(documentFaults({ errors })).toMatchObject([{ path: '/name', line: 1, message: 'a name is needed' }])
  expect(documentFaults(undefined)).toEqual([])
})
