import { Group } from '@mantine/core'
import type { Schema } from '../../api/client'
import { duration } from '../../logic/time'
import { PlainTable } from '../../parts/PlainTable'
import { Empty } from '../../parts/State'
import { When } from '../../parts/When'
import { StepState } from './StepState'
import { useSome } from './useSome'

type Call = Schema<'ToolCallOut'>

/** The typed actions an execution called, in order. */
export function ToolCalls({ calls }: { calls: Call[] }) {
  const { shown, more } = useSome(calls, 'call')
  if (calls.length === 0) {
    return <Empty title="No tool was called yet">Each attempt of a step is one call of its typed action.</Empty>
  }
  return (
    <>
      <PlainTable
        label="Tool calls" rows={shown} id={(call) => call.id}
        columns={[
          { name: 'Action', cell: (call) => <span className="mono">{call.tool_name}</span> },
          { name: 'State', cell: (call) => <Group gap={4}><StepState of={call.status} /></Group> },
          { name: 'Began', cell: (call) => <When at={call.started_at} /> },
          { name: 'Took', cell: took },
          { name: 'Sandbox', cell: (call) => call.sandbox_id ? <span className="mono">{call.sandbox_id}</span> : 'none' },
          { name: 'Output', cell: (call) => <Kept call={call} /> },
        ]}
      />
      {more}
    </>
  )
}

function took({ started_at: began, completed_at: ended }: Call): string {
  return ended ? duration(Math.max(0, Date.parse(ended) - Date.parse(began))) : '–'
}

/** Where what it gave lies, and its hash. */
function Kept({ call }: { call: Call }) {
  if (!call.output_ref) return <span className="faint">not kept</span>
  return (
    <>
      <div className="mono">{call.output_ref}</div>
      {call.output_sha256 && <div className="mono faint">SHA-256 {call.output_sha256}</div>}
    </>
  )
}
