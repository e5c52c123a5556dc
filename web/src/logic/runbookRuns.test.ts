import { expect, test } from 'vitest'
import { runFigures } from './runbookRuns'

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
