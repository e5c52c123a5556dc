import { Button, Text, Timeline } from '@mantine/core'
import { useState } from 'react'
import type { Told } from '../../logic/executionEvents'
import { count } from '../../logic/words'
import { Outside } from '../../parts/Outside'
import { Empty } from '../../parts/State'
import { When } from '../../parts/When'
import { stateColour } from './StepState'

/** Events drawn before somebody asks for more. */
const MOST = 200

const BAD = new Set([
  'failed', 'timed_out', 'unknown', 'undo_failed', 'rollback_failed', 'needs_human', 'blocked', 'denied',
])

/** What happened in an execution, the newest first. */
export function Happenings({ told, onChoose }: { told: readonly Told[]; onChoose: (run: string) => void }) {
  const [most, setMost] = useState(MOST)
  const all = told.filter((one) => one.kind !== 'execution.ended')
  if (all.length === 0) return <Empty title="Nothing has happened yet" />
  const shown = all.slice(-most).reverse()
  return (
    <>
      <Timeline bulletSize={12} lineWidth={2}>
        {shown.map((one) => (
          <Timeline.Item key={one.seq} color={BAD.has(one.attemptState ?? one.state ?? '') ? 'red' : 'teal'}>
            <Text size="sm" component="div">
              {one.kind === 'state' && <span className={stateColour(one.state ?? '')}>Execution: </span>}
              <Outside>{one.message}</Outside>
              {one.because && <> (because: {one.because.replaceAll('_', ' ')})</>}
              {one.exitCode !== undefined && one.exitCode !== 0 && <>, exit code {one.exitCode}</>}
            </Text>
            <Text size="xs" className="faint" component="div">
              <When at={one.at} none="" /> · event {one.seq}
              {one.run && (
                <Button
                  size="compact-xs" variant="subtle" onClick={() => onChoose(one.run ?? '')}
                  aria-label={`Its output: ${one.message}`}
                >
                  its output
                </Button>
              )}
            </Text>
          </Timeline.Item>
        ))}
      </Timeline>
      {shown.length < all.length && (
        <Button size="compact-sm" variant="default" mt="sm" onClick={() => setMost(most + 1_000)}>
          Show earlier: {count(all.length - shown.length, 'event')}
        </Button>
      )}
    </>
  )
}
