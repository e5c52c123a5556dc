import { expect, test } from 'vitest'
import { alike, changes, inOneSentence, named, readPlan, runsNowhere, shown, wayBack } from './planDocument'

const target = (id: string, name: string, transport = 'ssh') =>
  ({ resource_id: id, name, host: `${name}.example.com`, port: 22, username: 'deploy', transport, environment: 'prod',
    credential_version: 2, host_keys: ['ssh-ed25519 AAAA'] })

const step = (name: string, over: Record<string, unknown> = {}) => ({
  order: 1, name, stage: 'act', action: 'host.shell', semantics: 'idempotent', expected_exit_codes: [0], timeout_s: 60,
  scripts: { r1: [{ text: `run ${name}` }], r2: [{ text: `run ${name}` }] }, undo: {}, evidence: [], ...over,
})

const document = (steps: unknown[], targets = [target('r1', 'web-1'), target('r2', 'web-2')]) =>
  readPlan({ runbook: { id: 'rbk_1', name: 'restart', version: 3 }, steps, targets, max_parallel: 5, timeout_s: 300 })

test('a document is read with its targets and the late values of its scripts', () => {
  const slot = { name: 'steps.check.stdout', pattern: '.*', tainted: true }
  const plan = document([step('use', { scripts: { r1: [{ text: 'echo ' }, { slot }, { text: ' end' }] } })])
  expect(plan.runbook).toEqual({ id: 'rbk_1', name: 'restart', version: 3 })
  const hostKeys = ['ssh-ed25519 AAAA']
  expect(plan.targets[1]).toMatchObject({ id: 'r2', name: 'web-2', credentialVersion: 2, hostKeys })
  const script = plan.steps[0]?.scripts.r1 ?? []
  expect(script[1]).toEqual({ slot })
  expect(shown(script)).toBe('echo <steps.check.stdout> end')
})

test('whatever is not there or not understood is empty and breaks nothing', () => {
  for (const broken of [undefined, null, 'plan', 7, [], {}, { steps: 'x', targets: [null], runbook: 4 }]) {
    const plan = readPlan(broken)
    expect(plan.steps).toEqual([])
    expect(plan.runbook.name).toBe('')
    expect(runsNowhere(plan)).toBe(false)
  }
  const [one] = readPlan({ steps: [{ scripts: { r1: [{ what: 1 }, null, { slot: {} }] } }] }).steps
  expect(one?.scripts.r1).toEqual([])
})

test('targets with the same command and undo stand together', () => {
  const same = document([step('a')])
  const [first] = same.steps
  if (!first) throw new Error('no step')
  expect(alike(first, same.targets).map((group) => group.targets.map((one) => one.name))).toEqual([['web-1', 'web-2']])
  const undo = { r2: [{ text: 'back' }] }
  const [apart] = document([step('a', { undo })]).steps
  if (!apart) throw new Error('no step')
  const groups = alike(apart, same.targets)
  expect(groups).toHaveLength(2)
  expect(groups[0]?.undo).toBeUndefined()
  expect(groups[1]?.undo).toEqual([{ text: 'back' }])
})

test('a step that runs on some targets alone is shown for those', () => {
  const plan = document([step('a', { scripts: { r2: [{ text: 'x' }] } })])
  const [one] = plan.steps
  if (!one) throw new Error('no step')
  expect(alike(one, plan.targets).map((group) => group.targets.map((place) => place.name))).toEqual([['web-2']])
})

test('what has an undo on every target can be undone, reads and checks need none', () => {
  const both = { r1: [{ text: 'u' }], r2: [{ text: 'u' }] }
  const plan = document([
    step('whole', { undo: both }),
    step('half', { undo: { r1: both.r1 } }),
    step('look', { semantics: 'read' }),
    step('check', { stage: 'verify' }),
  ])
  const { undone, final } = wayBack(plan)
  expect(undone.map((one) => one.name)).toEqual(['whole'])
  expect(final.map((one) => one.name)).toEqual(['half'])
  expect(plan.steps.map(changes)).toEqual([true, true, false, false])
})

test('a plan for an exception runs nowhere', () => {
  expect(runsNowhere(document([step('grant', { scripts: {} })], [target('r0', 'countersign', 'none')]))).toBe(true)
  expect(runsNowhere(document([step('a')]))).toBe(false)
})

test.each([
  [[], ''],
  [['a'], 'a'],
  [['a', 'b'], 'a and b'],
  [['a', 'b', 'c'], 'a, b and c'],
  [['a', 'b', 'c', 'd', 'e'], 'a, b and 3 more'],
])('%j in a sentence', (names, expected) => {
  expect(named(names)).toBe(expected)
})

const look = step('Look', { semantics: 'read' })
const check = (name: string) => step(name, { stage: 'verify' })
const grant = step('Grant', { scripts: {}, description: 'fnd_1 may stand' })
const web1 = [target('r1', 'web-1')]

test.each([
  [document([step('Restart'), look, check('Check')]),
    'Changes web-1 and web-2: “Restart”. 1 step only reads, 1 step checks the result.'],
  [document([look, check('A'), check('B')], web1), 'Only reads on web-1: 1 step, 2 steps check the result.'],
  [document([step('Restart'), step('Reload')], web1), 'Changes web-1: “Restart” and “Reload”.'],
  [document([grant], [target('r0', 'countersign', 'none')]), 'fnd_1 may stand'],
  [readPlan(null), 'Only reads on no target: 0 steps.'],
])('what a plan does in one sentence: %#', (plan, sentence) => {
  expect(inOneSentence(plan)).toBe(sentence)
})
