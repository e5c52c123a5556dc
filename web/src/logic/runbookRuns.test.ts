import { expect, test } from 'vitest'
import { latelyInWords, runFigures } from './runbookRuns'

test('runs are counted by how they ended', () => {
  const runs = [
    { state: 'completed', duration_ms: 300 }, { state: 'completed', duration_ms: 100 },
    { state: 'completed', duration_ms: null },
    { state: 'completed', duration_ms: 200 }, { state: 'completed', duration_ms: 5_000 },
    { state: 'failed', duration_ms: 9 }, { state: 'needs_human' }, { state: 'rolled_back' },
    { state: 'denied' }, { state: 'expired' },
    { state: 'awaiting_approval' }, { state: 'a word of tomorrow' },
  ]
  expect(runFigures(runs)).toEqual({ seen: 12, completed: 5, failed: 3, stopped: 2, open: 2, median: 250 })
})

test('no runs, no median', () => {
  expect(runFigures([])).toEqual({ seen: 0, completed: 0, failed: 0, stopped: 0, open: 0, median: undefined })
})

test.each([
  [{ runs: 0, completed: 0, failed: 0 }, 'none', 'None began in the last 30 days.'],
  [{ runs: 7, completed: 7, failed: 0 }, '7', '7 began in the last 30 days: 7 completed.'],
  [
    { runs: 9, completed: 5, failed: 3 }, '9, 3 failed',
    '9 began in the last 30 days: 5 completed, 3 failed or undone, 1 under way or stopped.',
  ],
])('%j is told as "%s"', (of, short, long) => expect(latelyInWords(of)).toEqual({ short, long }))
