import { expect, test } from 'vitest'
import { attempts, doubts, over, readEvent, type Told } from './executionEvents'

const sent = (seq: number, kind: string, run: string | null, message: string, details: object) =>
  JSON.stringify({
    event: kind, seq, ts: `2026-01-01T00:00:0${seq}Z`,
    data: { execution_id: 'exe', step_run_id: run, message, details },
  })

const told = (...events: string[]): Told[] =>
  events.flatMap((event) => {
    const heard = readEvent(event)
    return heard && 'told' in heard ? [heard.told] : []
  })

const opened = (seq: number, run: string, attempt: number, direction = 'do') =>
  sent(seq, 'step', run, 'restart on web-1: started', { state: 'running', direction, attempt })
const closed = (seq: number, run: string, attempt: number, state: string, code: number, direction = 'do') =>
  sent(
    seq, 'step', run, 'restart on web-1',
    {
      state: 'pending', direction, attempt, attempt_state: state, exit_code: code,
      error: code ? `exit code ${code}` : null,
    },
  )

test('output is told by its step run, without its text', () => {
  expect(
    readEvent(sent(1, 'output', 'run', 'a lot of text', { stream: 'stdout', until: 9 })),
  ).toEqual({ output: 'run' })
})

test('a change of state says where from, where to and why', () => {
  const [event] = told(sent(
    3, 'state', null, 'restart on web-1: exit code 1',
    { from: 'in_progress', to: 'rolling_back', because: 'step_failed' },
  ))
  expect(event).toMatchObject({ seq: 3, kind: 'state', state: 'rolling_back', because: 'step_failed', run: undefined })
})

test('the closing word of a stream says how it ended', () => {
  const heard = readEvent(JSON.stringify({ event: 'execution.ended', seq: 9, data: { state: 'completed' } }))
  expect(heard).toMatchObject({ told: { kind: 'execution.ended', state: 'completed' } })
})

test.each(
  ['', 'x', '[]', '{}', '{"seq":1}', '{"event":"step"}', '{"event":"output","seq":1,"data":{}}'],
)('%j is nothing', (text) => {
  expect(readEvent(text)).toBeUndefined()
})

test('attempts are put together from their beginnings and ends', () => {
  const all = attempts(told(
    opened(1, 'a', 1), closed(2, 'a', 1, 'failed', 7), opened(3, 'b', 1), opened(4, 'a', 2),
    closed(5, 'a', 2, 'succeeded', 0),
    opened(6, 'a', 1, 'undo'),
  ))
  expect(all.get('a')).toEqual([
    {
      run: 'a', direction: 'do', no: 1, state: 'failed', began: '2026-01-01T00:00:01Z', ended: '2026-01-01T00:00:02Z',
      exitCode: 7, error: 'exit code 7',
    },
    {
      run: 'a', direction: 'do', no: 2, state: 'succeeded', began: '2026-01-01T00:00:04Z',
      ended: '2026-01-01T00:00:05Z', exitCode: 0, error: undefined,
    },
    { run: 'a', direction: 'undo', no: 1, state: 'running', began: '2026-01-01T00:00:06Z' },
  ])
  expect(all.get('b')).toHaveLength(1)
})

test('an event of a step that is about no attempt makes none', () => {
  expect(attempts(told(sent(1, 'step', 'a', 'a on x: skipped', { state: 'skipped', error: null }))).size).toBe(0)
})

test('in doubt is what the server says is, in the direction it went', () => {
  const steps = [{ id: 'a', in_doubt: 'undo' }, { id: 'b', in_doubt: null }, { id: 'c', in_doubt: 'do' }, { id: 'd' }]
  expect(doubts(steps)).toEqual([{ run: 'a', direction: 'undo' }, { run: 'c', direction: 'do' }])
  expect(doubts([{ id: 'a', in_doubt: 'sideways' }])).toEqual([])
})

test.each(
  [['completed', true], ['rollback_failed', true], ['needs_human', false], ['in_progress', false], ['', false]],
)('%s is over: %s', (state, is) => {
  expect(over(state)).toBe(is)
})
