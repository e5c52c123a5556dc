import { expect, test } from 'vitest'
import { pieces, references } from './template'

test.each([
  ['plain', [{ text: 'plain' }]],
  ['a {{ b }} c', [{ text: 'a ' }, { source: ' b ' }, { text: ' c' }]],
  ['{{a}}{{b}}', [{ source: 'a' }, { source: 'b' }]],
  // A shell's own brace, and braces inside of a quoted text.
  ['${x} {{ "}}" }}!', [{ text: '${x} ' }, { source: ' "}}" ' }, { text: '!' }]],
  ["{{ 'it\\'s }}' }}.", [{ source: " 'it\\'s }}' " }, { text: '.' }]],
  ['never {{ ends', [{ text: 'never {{ ends' }]],
  ['', []],
])('the parts of %j', (template, expected) => {
  expect(pieces(template)).toEqual(expected)
})

const paths = (source: string) => references(source).map((one) => `${one.parts.join('.')}${one.open ? '[?]' : ''}`)

test.each([
  ['alert.labels.service', ['alert.labels.service']],
  ['alert.labels["the service"]', ['alert.labels.the service']],
  ['alert.labels[name]', ['alert.labels[?]', 'name']],
  ['SERVICE_NAME | lower | default("x")', ['SERVICE_NAME']],
  ['a if b is defined and c is not none else "d"', ['a', 'b', 'c']],
  ['x | replace(from="a", to=y)', ['x', 'y']],
  ['steps.check.stdout', ['steps.check.stdout']],
  ['1.5 + 2', []],
  ['"alert.labels.service"', []],
  ['not a == b', ['a', 'b']],
  ['env["A"]', ['env.A']],
])('what %j reads', (source, expected) => {
  expect(paths(source)).toEqual(expected)
})
