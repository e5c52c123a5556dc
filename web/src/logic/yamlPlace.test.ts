import { expect, test } from 'vitest'
import { hides, lineOfPointer, pointerLines, topLevel, withTopLevel } from './yamlPlace'

const RUNBOOK = `# Restarts a service.
---
name: restart-service   # unique
"odd/key~": 'x'

environment_vars:
  SERVICE: "{{ alert.labels.service }}"
  'it''s': http://x:80/y
steps:
  - name: Check
    command: |
      set -eu
      name: not a key
      - not an item

      echo done
    expected_exit_codes: [0,
      3]
  -
    name: Restart
    command: echo a: b
    params: &service
      steps.check.stdout:
        pattern: "[a-z]+"
  - command: >-
      folded: text
    name: Verify
triggers:
- name: Same column
  labels_match:
    service: "*"
- name: Second
nested:
  - - a
    - b
  - |
    text: here
  - last
`

test.each([
  ['/name', 3],
  ['/odd~1key~0', 4],
  ['/environment_vars', 6],
  ['/environment_vars/SERVICE', 7],
  ["/environment_vars/it's", 8],
  ['/steps', 9],
  ['/steps/0', 10],
  ['/steps/0/name', 10],
  ['/steps/0/command', 11],
  ['/steps/0/expected_exit_codes', 17],
  ['/steps/1', 19],
  ['/steps/1/name', 20],
  ['/steps/1/command', 21],
  ['/steps/1/params/steps.check.stdout/pattern', 24],
  ['/steps/2/command', 25],
  ['/steps/2/name', 27],
  ['/triggers', 28],
  ['/triggers/0/name', 29],
  ['/triggers/0/labels_match/service', 31],
  ['/triggers/1', 32],
  ['/nested/0/1', 35],
  ['/nested/1', 36],
  ['/nested/2', 38],
])('%s stands in line %i', (pointer, line) => {
  expect(lineOfPointer(RUNBOOK, pointer)).toBe(line)
})

test.each([
  ['/steps/0/none', 10],
  ['/steps/0/expected_exit_codes/1', 17],
  ['/steps/9', 9],
  ['/none/deep', 1],
  ['', 1],
  ['no pointer', 1],
])('%s is not there: the nearest around it stands in line %i', (pointer, line) => {
  expect(lineOfPointer(RUNBOOK, pointer)).toBe(line)
})

test('texts of several lines hold no nodes', () => {
  const pointers = [...pointerLines(RUNBOOK).keys()]
  expect(pointers.filter((pointer) => /not a|folded|text/.test(pointer))).toEqual([])
})

const BROKEN = ['', '   ', '{name: a, steps: [b]}', '\t:', '- - -', ':', 'a: "', '? x\n: y']

test.each(BROKEN)('%j breaks nothing', (text) => {
  expect(lineOfPointer(text, '/name')).toBeGreaterThan(0)
})

test.each([
  ['name: a\nstatus: active\n', 'status', 'active'],
  ['status: "active" # now\n', 'status', 'active'],
  ["name: 'it''s'\n", 'name', "it's"],
  ['steps:\n  - status: active\n', 'status', undefined],
  ['# status: active\n', 'status', undefined],
  ['status:\n', 'status', undefined],
  ['name: |\n  long\n', 'name', undefined],
])('%j: %s is %j', (yaml, key, expected) => {
  expect(topLevel(yaml, key)).toBe(expected)
})

test.each([
  ['name: a\nstatus: active # for now\nsteps:\n', 'name: a\nstatus: draft # for now\nsteps:\n'],
  ['# first\nname: a\nsteps:\n  - status: x\n', '# first\nname: a\nstatus: draft\nsteps:\n  - status: x\n'],
  ['{name: a}', '{name: a}'],
])('setting the status of %j', (yaml, expected) => {
  expect(withTopLevel(yaml, 'status', 'draft', 'name')).toBe(expected)
})

test.each([
  ['name: x\nstatus: active\n', false],
  ['name: x\nsteps:\n  - name: y\n', false],
  ['# remark\n---\nname: x\n', false],
  ['name: x\n"status": active\n', true],
  ['name: x\n"st\\u0061tus": active\n', true],
  ['name: x\nstatus: &a active\n', true],
  ['name: x\nstatus:\n  active\n', true],
  ['{name: x, status: active}\n', true],
  ['name: x\n? status\n: active\n', true],
  ['<<: *other\nname: x\n', true],
])('what %j says of its status is read, or known to be unread (%s)', (yaml, hidden) => {
  expect(hides(yaml, 'status')).toBe(hidden)
})

test('a line that was made to take long is read in one pass', () => {
  const yaml = `-${' '.repeat(200_000)}name: x\n`.repeat(1) + `a${' '.repeat(200_000)}b\n`
  expect(topLevel(`${yaml}name: y\n`, 'name')).toBe('y')
  expect(pointerLines(yaml).get('/0/name')).toBe(1)
})
