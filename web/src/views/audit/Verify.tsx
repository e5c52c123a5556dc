import { Alert, Button, Code, Group, Stack, Text } from '@mantine/core'
import { IconShieldCheck, IconShieldQuestion, IconShieldX } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { api, type Schema } from '../../api/client'
import { asProblem } from '../../api/problem'
import { useAccount } from '../../app/session'
import { checkEvent, proved, type Checked } from '../../logic/auditCheck'
import { cryptography, hex } from '../../logic/bytes'
import { Disclose } from '../../parts/Disclose'
import { Lines } from '../../parts/Outside'
import { saveFile } from '../../parts/saveFile'
import { Section } from '../../parts/Section'
import { Failed } from '../../parts/State'
import { Checks } from './Checks'
import type { LogKeys } from './logKeys'
import { proofOf } from './proofOf'
import classes from './Audit.module.css'

/** Whether an event stands in the signed log just as it is shown, worked out by this browser alone. */
export function Verify({ event, keys }: { event: Schema<'EventOut'>; keys: LogKeys }) {
  const { tenant_id: tenant } = useAccount()
  const check = useMutation({
    mutationFn: async (): Promise<Checked> => {
      const { data } = await api.GET('/api/v1/audit/events/{id}', { params: { path: { id: event.id } } })
      const proof = await proofOf(event.id)
      const { data: newest } = await api.GET('/api/v1/audit/checkpoint', { parseAs: 'text' })
      const { change, memory, trusted } = keys
      // The event that is shown, not the one that came now: it is what people read.
      const same = JSON.stringify(data?.event) === JSON.stringify(event.event)
      const done = await checkEvent({
        event: event.event, seq: event.seq, proof, newest: newest ?? '', keys: trusted, change, memory, tenant,
      })
      if (!same) done.checks.unshift(stale)
      if (done.signed && done.verdict !== 'no') keys.saw(done.signed)
      return same ? done : { ...done, verdict: 'no' }
    },
  })
  const download = useMutation({
    mutationFn: async () => {
      const proof = new Blob([await proofOf(event.id)], { type: 'text/plain' })
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
          <div data-testid="proof-verdict" data-proved={check.data ? proved(check.data) : false}>
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

const stale = {
  name: 'What is shown', verdict: 'no' as const, numbers: [],
  says: 'The server gives another event under this id now than the one that is shown. Load the page again.',
}

function Outcome({ of }: { of: Checked }) {
  const [title, color, Sign, says] = VERDICTS[of.verdict === 'open' && proved(of) ? 'first' : of.verdict]
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
  first: [
    'As it was signed, by a key that is new here', 'yellow', IconShieldQuestion,
    'The event stands in the log just as it is shown. Whether the key is the log’s, its fingerprint below tells.',
  ],
  open: [
    'Nothing contradicts it, and not all can be told', 'yellow', IconShieldQuestion,
    'What could be checked holds. What is marked below only you can settle.',
  ],
} as const
