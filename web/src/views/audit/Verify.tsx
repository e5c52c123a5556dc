import { Alert, Button, Code, Group, Stack, Text } from '@mantine/core'
import { IconShieldCheck, IconShieldQuestion, IconShieldX } from '@tabler/icons-react'
import { useMutation, type UseQueryResult } from '@tanstack/react-query'
import { api, type Schema } from '../../api/client'
import { asProblem } from '../../api/problem'
import { butForTheKey, checkEvent, type Checked } from '../../logic/auditCheck'
import { cryptography, hex } from '../../logic/bytes'
import { parseProof } from '../../logic/tlogProof'
import { Disclose } from '../../parts/Disclose'
import { Lines } from '../../parts/Outside'
import { saveFile } from '../../parts/saveFile'
import { Section } from '../../parts/Section'
import { Failed } from '../../parts/State'
import { Checks } from './Checks'
import { claimed, type LogKeys } from './logKeys'
import { proofOf } from './proofOf'
import classes from './Audit.module.css'

interface VerifyProps {
  event: Schema<'EventOut'>
  /** The id that was asked for. */
  asked: string
  keys: LogKeys
  checkpoint: UseQueryResult<string>
}

/** Whether an event stands in the signed log just as it is shown, worked out by this browser alone. */
export function Verify({ event, asked, keys, checkpoint }: VerifyProps) {
  const check = useMutation({
    mutationFn: async (): Promise<Checked> => {
      const { data } = await api.GET('/api/v1/audit/events/{id}', { params: { path: { id: asked } } })
      const proof = await proofOf(asked)
      // The event that is shown, not the one that came now: it is what people read.
      const same = JSON.stringify(data?.event) === JSON.stringify(event.event)
      const done = await checkEvent({
        ...keys.against, asked, event: event.event, seq: event.seq, beside: event.personal, proof,
        newest: await newestFor(proof),
      })
      if (!same) done.checks.unshift(stale)
      if (same && done.signed && done.verdict !== 'no') keys.saw(done.signed)
      return same ? done : { ...done, verdict: 'no' }
    },
  })
  const download = useMutation({
    mutationFn: async () => {
      const proof = new Blob([await proofOf(asked)], { type: 'text/plain' })
      saveFile(proof, `${event.seq}-${event.id}.tlog-proof`)
    },
  })
  return (
    <Section title="Verify here">
      <Stack gap="sm">
        <Text size="sm">
          This browser makes the event’s bytes again from what is shown, hashes them, follows the proof to the root of
          the log, and checks the signature over that root. Nothing of it is believed because the server says so.
        </Text>
        {!cryptography() && (
          <Alert color="yellow" variant="light" title="Not from here" classNames={{ title: classes.title }}>
            Browsers give their cryptography to pages over HTTPS and on localhost alone. Open the console that way, or
            check the file offline.
          </Alert>
        )}
        <Cannot checkpoint={checkpoint} />
        <Group gap="xs">
          <Button
            disabled={!cryptography() || !keys.ready} loading={check.isPending} onClick={() => check.mutate()}
          >
            Verify here
          </Button>
          <Button variant="default" loading={download.isPending} onClick={() => download.mutate()}>
            Download the proof
          </Button>
        </Group>
        {download.error && <Failed problem={asProblem(download.error)} retry={() => download.mutate()} />}
        {(check.error || check.data) && (
          <div data-testid="proof-verdict" data-proved={check.data ? PROVED[check.data.verdict] : 'failed'}>
            {check.error && <Failed problem={asProblem(check.error)} retry={() => check.mutate()} />}
            {check.data && <Outcome of={check.data} />}
          </div>
        )}
        <Text size="sm" className="faint">
          Offline: <Code>countersign audit verify --proof FILE --keys KEYS</Code>
        </Text>
      </Stack>
    </Section>
  )
}

/** In words that no failed request bears. */
const PROVED = { yes: 'true', no: 'false', open: 'open' } as const

/** Why there is nothing to check by: no checkpoint, or one that cannot be had or read. */
function Cannot({ checkpoint }: { checkpoint: UseQueryResult<string> }) {
  if (checkpoint.error) {
    const problem = asProblem(checkpoint.error)
    if (problem.status !== 404) return <Failed problem={problem} retry={() => void checkpoint.refetch()} />
    return <Text size="sm" role="status">Nothing is signed yet: the first checkpoint comes within seconds.</Text>
  }
  if (checkpoint.data === undefined || claimed(checkpoint.data)) return null
  return (
    <Alert color="red" variant="light" title="The newest checkpoint is none" classNames={{ title: classes.title }}>
      <Lines label="What came in its place">{checkpoint.data}</Lines>
    </Alert>
  )
}

/** How often the newest checkpoint is asked for, and the milliseconds between. */
const [TIMES, PAUSE_MS] = [5, 700]

/**
 * The newest checkpoint, for a proof. A proof is made from the published log, which is written just
 * before its checkpoint is recorded: one that seems older is asked for again before it counts.
 */
async function newestFor(proof: string): Promise<string> {
  const parsed = parseProof(proof)
  const least = typeof parsed === 'string' ? 0 : (claimed(parsed.checkpoint)?.size ?? 0)
  for (let time = 1; ; time += 1) {
    const { data } = await api.GET('/api/v1/audit/checkpoint', { parseAs: 'text' })
    const note = data ?? ''
    if (time === TIMES || (claimed(note)?.size ?? least) >= least) return note
    await new Promise((done) => setTimeout(done, PAUSE_MS))
  }
}

const stale = {
  name: 'What is shown', verdict: 'no' as const, numbers: [],
  says: 'The server gives another event under this id now than the one that is shown. Load the page again.',
}

function Outcome({ of }: { of: Checked }) {
  const [title, color, Sign, says] = VERDICTS[butForTheKey(of) ? 'key' : of.verdict]
  return (
    <Stack gap="sm">
      <Alert
        color={color} variant="light" icon={<Sign size={20} />} title={title} role="status"
        classNames={{ title: classes.title }}
      >
        {says}
      </Alert>
      <Checks checks={of.checks} steps={of.steps} />
      {of.bytes && of.leaf && (
        <Disclose label={`The canonical bytes (${of.bytes.length}) and their hash`}>
          <Lines label="Canonical bytes">{new TextDecoder().decode(of.bytes)}</Lines>
          <Text size="sm" mt="xs">Leaf hash: <span className="mono">{hex(of.leaf)}</span></Text>
        </Disclose>
      )}
    </Stack>
  )
}

const VERDICTS = {
  yes: ['As it was signed', 'green', IconShieldCheck, 'The event stands in the signed log just as it is shown.'],
  no: [
    'Refused', 'red', IconShieldX, 'Something does not hold: do not rely on this event before somebody found out why.',
  ],
  key: [
    'As it was signed, by a key nobody compared', 'yellow', IconShieldQuestion,
    'The event stands in the log just as it is shown. Whether the key is the log’s, its fingerprint below tells: ' +
      'compare it, say so there, and verify again.',
  ],
  open: [
    'Nothing contradicts it, and not all can be told', 'yellow', IconShieldQuestion,
    'What could be checked holds. What is marked below only you can settle.',
  ],
} as const
