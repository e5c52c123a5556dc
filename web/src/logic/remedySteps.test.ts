import { expect, test } from 'vitest'
import { remedyName, remedySaid, remedySteps } from './remedySteps'

const stands = (state: string, more: object = {}, kind = 'auto_revert') =>
  remedySteps({ kind, state, ...more }).map((step) => step.stand)

test.each([
  ['preparing', ['now', 'later', 'later']],
  ['asked', ['done', 'now', 'later']],
  ['checking', ['done', 'done', 'now']],
  ['published', ['done', 'done', 'now']],
  ['resolved', ['done', 'done', 'done']],
  ['something_new', ['now', 'later', 'later']],
])('%s', (state, expected) => {
  expect(stands(state)).toEqual(expected)
  expect(remedySaid(state)).not.toBe('')
})

test('a failure stands at the step that was begun last', () => {
  expect(stands('failed')).toEqual(['failed', 'later', 'later'])
  expect(stands('failed', { preparation_id: 'exe_1', execution_id: null })).toEqual(['failed', 'later', 'later'])
  expect(stands('failed', { preparation_id: 'exe_1', execution_id: 'exe_2' })).toEqual(['done', 'failed', 'later'])
  expect(stands('failed', { preparation_id: 'exe_1', execution_id: 'exe_2', check_id: 'exe_3' }))
    .toEqual(['done', 'done', 'failed'])
})

test('steps are called by what they do', () => {
  expect(remedySteps({ kind: 'codify_iac', state: 'asked' })[1]?.name).toBe('Propose the code')
  expect(remedySteps({ kind: 'auto_revert', state: 'asked' })[1]?.name).toBe('Revert it')
  expect([remedyName('auto_revert'), remedyName('codify_iac'), remedyName('some_thing')])
    .toEqual(['Revert to the code', 'Codify it', 'some thing'])
})
