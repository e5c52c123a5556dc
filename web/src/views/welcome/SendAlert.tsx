import { Alert, Code, Text } from '@mantine/core'
import { Problem } from '../../api/problem'
import { Loaded } from '../../parts/State'
import { Act } from './Act'
import { colleague } from './colleague'
import { useDemoEstate } from './demoEstate'
import { rememberedKey } from './sourceKey'

/** An alert as the source would send it. */
export function SendAlert() {
  const estate = useDemoEstate()
  return (
    <>
      <Colleague />
      <Loaded query={estate}>
        {(estate) =>
          estate ? (
            <Act label="Send it" act={() => send(estate.alert)}>
              What Alertmanager posts when the shop on <b>{estate.hosts[0]?.name}</b> does not answer:
              <Code block mt="xs" mah={240} tabIndex={0} aria-label="The alert" style={{ overflow: 'auto' }}>
                {JSON.stringify(estate.alert, null, 2)}
              </Code>
            </Act>
          ) : (
            <Text size="sm" mt="xs">Let your source send one, whose labels a trigger of the runbook matches.</Text>
          )
        }
      </Loaded>
    </>
  )
}

/** The one-time password of whoever was added a step ago. */
export function Colleague() {
  const made = colleague()
  if (!made) return null
  return (
    <Alert mt="xs" maw={680} variant="light" title={`For ${made.username}, shown this once`}>
      Sign in at <Code>{window.location.origin}</Code> in another browser or a private window as <Code>{made.username}</Code> with the
      one-time password <Code data-testid="one-time-password">{made.password}</Code>.
    </Alert>
  )
}

async function send(alert: unknown): Promise<void> {
  const key = rememberedKey()?.key
  const answer = await fetch('/api/v1/hooks/alertmanager', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key ? { authorization: `Bearer ${key}` } : {}) },
    body: JSON.stringify(alert),
  })
  if (!answer.ok) throw new Problem(answer.status, (await answer.json().catch(() => ({}))) as Record<string, unknown>)
}
