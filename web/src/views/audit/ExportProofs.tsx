import { Button, Group, Modal, Progress, Stack, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useEffect, useRef, useState } from 'react'
import { asProblem } from '../../api/problem'
import { count } from '../../logic/words'
import { Failed } from '../../parts/State'
import { saveFile } from '../../parts/saveFile'
import { exportProofs, MOST_PROOFS, type Exported } from './exportProofs'

/** Takes the proofs of the events that meet the search away, in one archive. */
export function ExportProofs({ filter }: { filter: Record<string, string | undefined> }) {
  const [opened, { open, close }] = useDisclosure(false)
  return (
    <>
      <Button variant="default" onClick={open}>Export proofs</Button>
      <Modal opened={opened} onClose={close} title="Export proofs">
        {opened && <Form filter={filter} />}
      </Modal>
    </>
  )
}

function Form({ filter }: { filter: Record<string, string | undefined> }) {
  const [state, setState] = useState<{ done: number; all: number }>()
  const [result, setResult] = useState<Exported>()
  const [error, setError] = useState<unknown>()
  const stop = useRef<AbortController>(undefined)
  useEffect(() => () => stop.current?.abort(), [])
  const named = Object.values(filter).some((value) => value)
  const run = async () => {
    const stopping = new AbortController()
    stop.current = stopping
    setError(undefined)
    setResult(undefined)
    setState({ done: 0, all: 0 })
    try {
      const exported = await exportProofs(filter, stopping.signal, (done, all) => setState({ done, all }))
      if (exported.proofs > 0) saveFile(new Blob([exported.archive], { type: 'application/zip' }), exported.name)
      setResult(exported)
    } catch (problem) {
      if (!stopping.signal.aborted) setError(problem)
    } finally {
      setState(undefined)
    }
  }
  return (
    <Stack gap="sm">
      <Text size="sm">
        A <code>.tlog-proof</code> file for each event {named ? 'that meets the search' : 'of the log'}, the newest{' '}
        {MOST_PROOFS} at most, in one archive. Each holds the event, its way to the root and the signed checkpoint, and
        is checked without the server: <code>countersign audit verify --proof FILE --keys KEYS</code>.
      </Text>
      <Text size="sm" className="faint">
        The keys are not in it: whoever checks gets them from whoever runs the deployment. For the whole log there
        is <code>countersign audit export</code>.
      </Text>
      {state && <Progress value={state.all > 0 ? (state.done / state.all) * 100 : 0} aria-label="Proofs fetched" />}
      {state && (
        <Text size="sm" role="status">
          {state.all === 0 ? 'Looking which events…' : `${state.done} of ${count(state.all, 'proof')}`}
        </Text>
      )}
      {result && (
        <Text size="sm" role="status">
          {result.proofs === 0 ? 'There was nothing to take.' : `${count(result.proofs, 'proof')} taken.`}
          {result.unsigned > 0 && ` ${count(result.unsigned, 'event')} had no signature yet: try again in a second.`}
          {result.more && ` There are older ones: narrow the search to take those.`}
        </Text>
      )}
      {error !== undefined && <Failed problem={asProblem(error)} />}
      <Group justify="flex-end">
        {state
          ? <Button variant="default" onClick={() => stop.current?.abort()}>Stop</Button>
          : <Button onClick={() => void run()}>Export</Button>}
      </Group>
    </Stack>
  )
}
