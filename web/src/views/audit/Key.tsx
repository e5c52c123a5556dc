import { Alert, Button, Code, Group, Stack, Text, Textarea } from '@mantine/core'
import { IconAlertTriangle, IconKey } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { asProblem } from '../../api/problem'
import { keyOf, line } from '../../logic/logMemory'
import { fingerprint, type Trusted } from '../../logic/note'
import { count } from '../../logic/words'
import { Facts } from '../../parts/Facts'
import { Outside } from '../../parts/Outside'
import { Section } from '../../parts/Section'
import { Failed } from '../../parts/State'
import { Sure } from '../../parts/Sure'
import { When } from '../../parts/When'
import type { LogKeys } from './logKeys'
import classes from './Audit.module.css'

/** The keys of the log: their fingerprints, since when this browser knows them, and what trusting them means. */
export function Key({ keys, origin }: { keys: LogKeys; origin: string | undefined }) {
  const { change, memory } = keys
  const shown = keys.trusted.length > 0 ? keys.trusted : keys.offered
  return (
    <Section title="The key of the log">
      <Stack gap="sm">
        {change.state === 'changed' && <Changed keys={keys} />}
        {keys.error && <Failed problem={asProblem(keys.error)} />}
        {keys.ready && change.state === 'unnamed' && (
          <Text size="sm">
            The server names no key of this log any more. Checks go by those it named before: give the keys from
            elsewhere to be sure.
          </Text>
        )}
        {shown.map((one) => <One key={line(keyOf(one))} trusted={one} keys={keys} />)}
        {change.state === 'first' && shown.length > 0 && (
          <Alert
            color="yellow" variant="light" icon={<IconKey size={18} />} title="Seen here for the first time"
            classNames={{ title: classes.title }}
          >
            <Text size="sm">
              The key came from the server whose log it vouches for. Compare the fingerprint with whoever runs the
              deployment, by telephone or on paper: then a server that lies is found out. From now on this browser tells
              when it changes.
            </Text>
          </Alert>
        )}
        {shown.length > 0 && change.state !== 'changed' && !memory?.compared && (
          <Group>
            <Sure
              label="I compared the fingerprint" title="The fingerprint is the same?"
              act={() => Promise.resolve(keys.compared())}
            >
              This browser remembers that you compared it, and shows it with every check. It changes nothing on the
              server.
            </Sure>
          </Group>
        )}
        {memory?.compared && change.state !== 'changed' && (
          <Text size="sm">Compared in this browser <When at={memory.compared} />.</Text>
        )}
        <Text size="sm" className="faint">
          Whoever has the private half can sign what they like, so a good signature says: this is what the signer of
          this deployment said at that size. That nobody rewrote the log together with signer and database, a witness
          of somebody else’s tells; <Code>countersign audit verify --witness</Code> asks for its cosignature.
        </Text>
        <Give keys={keys} origin={origin} open={shown.length === 0} />
      </Stack>
    </Section>
  )
}

function One({ trusted: { key, from, to }, keys }: { trusted: Trusted; keys: LogKeys }) {
  const print = useQuery({ queryKey: ['fingerprint', key.text], queryFn: () => fingerprint(key), staleTime: Infinity })
  const since = keys.memory?.keys.find((one) => one.text === key.text)?.since
  return (
    <Facts
      facts={[
        ['Fingerprint', <span key="print" className="mono">{print.data ? groups(print.data) : '…'}</span>],
        ['Key', <Outside key="key" mono>{key.text}</Outside>],
        ['Signs', `the log from ${from === 0 ? 'its beginning' : count(from, 'event')} ${ends(to)}`],
        ['Known here', since ? <When key="since" at={since} /> : 'since now'],
      ]}
    />
  )
}

const ends = (to: number | undefined) => (to === undefined ? 'on' : `to ${count(to, 'event')}`)

/** 64 digits in groups of four, as people compare them. */
const groups = (print: string) => print.match(/.{1,4}/g)?.join(' ') ?? print

/** The keys are not those this browser knows: nothing is trusted that only the new ones signed. */
function Changed({ keys }: { keys: LogKeys }) {
  const { fresh, gone, renamed } = keys.change
  const now = keys.offered.filter((one) => fresh.includes(line(keyOf(one))))
  const lost = `${count(gone.length, 'key')} this browser knew ${gone.length === 1 ? 'is' : 'are'} not named any more.`
  return (
    <Alert
      color="red" variant="light" icon={<IconAlertTriangle size={18} />} role="alert"
      title="The keys of the log changed" classNames={{ title: classes.title }}
    >
      <Stack gap="xs">
        <Text size="sm">
          {renamed && <>The log calls itself <Outside mono>{renamed.now}</Outside> now. It was{' '}
            <Outside mono>{renamed.was}</Outside> before. </>}
          {fresh.length > 0 && `${count(fresh.length, 'key is', 'keys are')} new. `}
          {gone.length > 0 && `${lost} `}
          Keys are rotated on purpose, and then the old one stays listed. If nobody told you of it, somebody may have
          put another log in the place of yours. Checks go by the keys this browser knew until you decide.
        </Text>
        {now.map((one) => (
          <div key={line(keyOf(one))}>
            <Text size="sm" fw={600}>New</Text>
            <One trusted={one} keys={keys} />
          </div>
        ))}
        {gone.map((key) => <div key={key}><Outside mono>{`gone: ${key}`}</Outside></div>)}
        {keys.offered.length > 0 && (
          <div>
            <Sure
              label="Take on these keys" title="Take on the new keys?" color="red"
              act={() => Promise.resolve(keys.accept())}
            >
              Do this only after whoever runs the deployment told you, by another way, that they rotated the keys, and
              the fingerprints are the same. From then on checks in this browser go by them.
            </Sure>
          </div>
        )}
      </Stack>
    </Alert>
  )
}

/** Keys from elsewhere: what the operator published. */
function Give({ keys, origin, open }: { keys: LogKeys; origin: string | undefined; open: boolean }) {
  const [shown, show] = useState(false)
  const [text, setText] = useState('')
  const [wrong, setWrong] = useState<string>()
  if (!open && !shown) {
    return (
      <Group>
        <Button size="compact-sm" variant="default" onClick={() => show(true)}>Give keys from elsewhere</Button>
      </Group>
    )
  }
  const given = async () => {
    const why = await keys.give(text)
    setWrong(why)
    if (why === undefined) show(false)
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        void given()
      }}
    >
      {open && (
        <Text size="sm" mb="xs">
          The server names no key of this log{origin && <> (<span className="mono">{origin}</span>)</>}.
        </Text>
      )}
      <Textarea
        label="The log’s keys, a line each" autosize minRows={2} value={text} error={wrong}
        styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
        onChange={(event) => setText(event.currentTarget.value)} required
      />
      <Text size="xs" className="faint" mt={4}>
        As whoever runs the deployment publishes them: the files <Code>DATA_DIR/signer/*/*/policy</Code>
      </Text>
      <Button type="submit" size="compact-sm" mt="xs" disabled={text.trim() === ''}>Use these keys</Button>
    </form>
  )
}
