import { expect, test } from 'vitest'
import { closest, firstUnmet, onlyAsleep, readReports, unmetInWords, wantedAndFound } from './triggerReport'

const report = (trigger: string, unmet: string[], more: object = {}) => ({
  trigger, priority: 100, matched: unmet.length === 0, chosen: false,
  verdicts: ['firing', 'active', 'mode', 'alert_name', 'labels'].map((criterion) => ({
    criterion, holds: !unmet.includes(criterion), reason: `the ${criterion}`,
  })),
  ...more,
})

test.each([
  [[report('a', [])], ['a']],
  [{ triggers: [report('a', []), report('b', [])], started: [] }, ['a', 'b']],
  [report('a', []), ['a']],
  [null, []],
  [{ resolved: 'nothing to do' }, []],
  ['text', []],
])('reports are read however they are wrapped', (value, expected) => {
  expect(readReports(value).map((one) => one.trigger)).toEqual(expected)
})

test.each([
  ['firing', 'the alert is resolved', 'firing', 'resolved', 'The alert is resolved, not firing.'],
  ['active', 'the runbook is draft', 'active', 'draft', 'The runbook is draft: alerts ask for active ones only.'],
  ['mode', 'its mode is manual', 'auto or semi_auto', 'manual', 'The runbook’s mode is manual: no alert asks for it.'],
  ['enabled', 'the trigger is disabled', 'enabled', 'disabled', 'The trigger is switched off.'],
  ['alert_name', 'Disk* does not match ServiceDown', 'Disk*', 'ServiceDown',
    'The name is ServiceDown; wanted is Disk*.'],
  ['alert_name', '[a: no glob: unclosed', '', '[a: no glob: unclosed', 'The name: [a: no glob: unclosed.'],
  ['severity', '{high,critical} does not match warning or medium', '{high,critical}', 'warning or medium',
    'The severity is warning or medium; wanted is {high,critical}.'],
  ['source', 'nothing is asked', 'anything', '', 'The source is ; wanted is anything.'],
  ['labels', 'the label service is missing', 'service', 'no such label', 'The label service is missing.'],
  ['labels', 'mountpoint: / does not match /var', 'mountpoint: /', '/var',
    'The label is /var; wanted is mountpoint: /.'],
  ['labels', '2 labels match', '2 labels', 'all of them', 'The label is all of them; wanted is 2 labels.'],
  ['labels', '0 labels match', 'anything', '', 'The label is ; wanted is anything.'],
  ['time_window', '03:10:00 in Europe/Berlin is outside 09:00:00 to 17:00:00', '09:00:00 to 17:00:00 in Europe/Berlin',
    '03:10:00', 'It was 03:10:00; wanted is 09:00:00 to 17:00:00 in Europe/Berlin.'],
  ['time_window', 'the window is half given', '', 'the window is half given', 'The time: the window is half given.'],
  ['cooldown', '12 of 300 seconds have passed', '300 s', '12 s',
    'It had started here 12 s before; 300 s must pass at least.'],
  ['cooldown', 'it has not started here before', '', 'it has not started here before',
    'The cooldown: it has not started here before.'],
  ['unheard_of', 'who knows', '', 'who knows', 'who knows.'],
])('%s: %s', (criterion, reason, wanted, found, sentence) => {
  expect(wantedAndFound(criterion, reason)).toEqual({ wanted, found })
  expect(unmetInWords({ criterion, label: '', holds: false, wanted, found, reason })).toBe(sentence)
})

test('the first condition that does not hold is the one to mend first', () => {
  const [one] = readReports([report('a', ['labels', 'mode'])])
  expect(one && firstUnmet(one)?.criterion).toBe('mode')
  expect(firstUnmet({ trigger: '', priority: 1, matched: true, chosen: true, conditions: [] })).toBeUndefined()
})

test('the closest is the chosen, then what matched, then what lacks least', () => {
  const name = (...reports: object[]) => closest(readReports(reports))?.trigger
  expect(name(report('far', ['labels', 'mode']), report('near', ['labels']))).toBe('near')
  expect(name(report('near', ['labels']), report('hit', []))).toBe('hit')
  expect(name(report('hit', [], { priority: 1 }), report('chosen', [], { chosen: true }))).toBe('chosen')
  expect(name(report('later', ['labels']), report('first', ['mode'], { priority: 5 }))).toBe('first')
  expect(name()).toBeUndefined()
})

test('what only waits for the runbook to be active is told apart', () => {
  expect(onlyAsleep(readReports([report('a', ['active', 'mode'])]))).toBe(true)
  expect(onlyAsleep(readReports([report('a', ['active', 'labels'])]))).toBe(false)
  expect(onlyAsleep(readReports([report('a', [])]))).toBe(false)
  expect(onlyAsleep([])).toBe(false)
})
